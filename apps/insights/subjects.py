"""What unallocated cost is of: a namespace, node pool, tag, resource or service; and the rule that would own it."""

import hashlib
import json
import re
from dataclasses import dataclass

from apps.teams.checks import RULE_NAME_LIMIT
from apps.teams.ownership import EXPRESSION

NAMESPACE, NODE_POOL, NODES, TAG, RESOURCE, SERVICE = "namespace", "node_pool", "nodes", "tag", "resource", "service"
PLATFORM, UNCLAIMED = "platform", "unclaimed"
FIELDS: dict[str, tuple[str, ...]] = {
    NAMESPACE: ("cluster", "namespace"),
    NODE_POOL: ("cluster", "node_pool"),
    NODES: ("cluster", "service"),
    TAG: ("tag",),
    RESOURCE: ("account", "resource"),
    SERVICE: ("account", "sub_account", "service"),
}
"""Kind → what a rule asks for; a platform's share and unclaimed volumes follow no rule of their own."""


@dataclass(frozen=True, order=True)
class Subject:
    """Something that has no owner; `parts` are the values of what its kind is told by, a tag's its key and value."""

    kind: str
    parts: tuple[str, ...]

    @property
    def id(self) -> str:
        return hashlib.sha256(json.dumps([self.kind, *self.parts]).encode()).hexdigest()[:16]

    @property
    def is_ruled(self) -> bool:
        """Whether a rule can give it to a team."""
        return self.kind in FIELDS

    @property
    def title(self) -> str:
        """What to call it, the most telling part first."""
        if self.kind == TAG:
            return "=".join(self.parts)
        telling = [part for part in reversed(self.parts) if part] or [self.kind]
        return telling[0] if self.kind == RESOURCE else " · ".join(telling[:2])

    @property
    def when(self) -> dict[str, str]:
        """The conditions of a rule about exactly this."""
        if self.kind == TAG:
            return {f"tag.{self.parts[0]}": _exactly(self.parts[1])}
        pairs = zip(FIELDS[self.kind], self.parts, strict=True)
        return {field: _exactly(value) for field, value in pairs if value}

    def rule_name(self, team: str) -> str:
        return f"{self.title} to {team}"[:RULE_NAME_LIMIT]


def _exactly(value: str) -> str:
    """A pattern that only this value fits."""
    is_pattern = "*" in value or value.startswith(EXPRESSION)
    return EXPRESSION + re.escape(value) if is_pattern else value
