"""Which team a word of a label, a tag or a name means: by the team's name, title or cost center, or by its people."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_WORDS = re.compile(r"[^\W_]+")
_SHORTEST = 3
"""Shorter names are found only where a word equals them: `ai` stands in too many words."""
OWNER_KEYS = (
    "owner", "owners", "team", "squad", "created-by", "managed-by", "deployed-by", "deployer", "maintainer", "contact",
    "department", "cost-center", "costcenter",
)  # fmt: skip
"""The last part of the labels and tags by which people say whose something is."""


def is_owner_key(key: str) -> bool:
    """Whether a label or tag says whose something is, also under the name kube-state-metrics gives it."""
    last = key.casefold().rpartition("/")[2].replace("_", "-")
    return any(last == known or last.endswith(f"-{known}") for known in OWNER_KEYS)


class Meant(NamedTuple):
    """The team that a text means, by what of the team (name, title, cost center, lead, member), and how."""

    team: str
    by: str
    is_equal: bool


Words = tuple[str, ...]
Known = Mapping[Words, tuple[str, str]]
"""The words of a name → the team it stands for, and what of the team it is."""


@dataclass(frozen=True, eq=False)
class Teams:
    """Everything by which teams are known."""

    names: Known
    people: Known

    @classmethod
    def of(cls, names: Iterable[tuple[str, str, str]], people: Iterable[tuple[str, str, str]]) -> "Teams":
        """From (team, by, text): a text by which two teams are known means neither."""
        return cls(_known(names), _known(people))

    @cached_property
    def _unspaced(self) -> dict[str, tuple[str, str]]:
        """Names in scripts without spaces, such as Chinese: any part of a text may be one."""
        joined = {"".join(spelled): told for spelled, told in self.names.items()}
        return {name: told for name, told in joined.items() if not name.isascii() and len(name) > 1}

    def meant(self, text: str) -> Meant | None:
        """The team whose name, title or cost center a text equals or contains; of several the longest, if one is."""
        spelled = words(text)
        if spelled in self.names:
            return Meant(*self.names[spelled], True)
        spans = {spelled[at:end] for at in range(len(spelled)) for end in range(at + 1, len(spelled) + 1)}
        found = {"".join(span): self.names[span] for span in spans if span in self.names}
        found = {name: told for name, told in found.items() if len(name) >= _SHORTEST}
        whole = "".join(spelled)
        found |= {name: told for name, told in self._unspaced.items() if name in whole}
        longest = max(map(len, found), default=0)
        best = {told[0]: told for name, told in found.items() if len(name) == longest}
        return Meant(*best.popitem()[1], False) if len(best) == 1 else None

    def person(self, text: str) -> Meant | None:
        """The team of which a text names the lead or a member."""
        told = self.people.get(words(text.partition("@")[0]))
        return Meant(*told, True) if told else None


def words(text: str) -> Words:
    """The words of a text, without case and signs; at most a dozen, for names have no more."""
    return tuple(_WORDS.findall(text.casefold())[:12])


def _known(told: Iterable[tuple[str, str, str]]) -> Known:
    found: dict[Words, dict[str, str]] = {}
    for team, by, text in told:
        if spelled := words(text):
            found.setdefault(spelled, {}).setdefault(team, by)
    return {spelled: next(iter(teams.items())) for spelled, teams in found.items() if len(teams) == 1}
