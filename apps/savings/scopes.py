"""Which cost an initiative is about: values by dimension, or a billed resource."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from apps.finops.errors import CostOpsError
from apps.marts.query import FILTERS
from apps.teams.tree import LEVELS

RESOURCE = "resource"
TOLD = tuple(name for name in FILTERS if name not in ("currency", "billing_month"))
DIMENSIONS = (*TOLD, RESOURCE)
MOST_VALUES = 50
LONGEST = 500

Scope = Mapping[str, tuple[str, ...]]


class BadScope(CostOpsError):
    """What is given is no scope: the dimension that is wrong is named."""


def read(given: Any) -> dict[str, tuple[str, ...]]:
    """A scope from JSON, or from text such as `team=live-class service=OSS,CDN`, a dimension a line or a word."""
    if isinstance(given, str):
        given = _pairs(given)
    if not isinstance(given, Mapping) or not given:
        raise BadScope("scope: say which cost it is about, such as team=live-class, a dimension a line.")
    return {str(name): _values(str(name), values) for name, values in sorted(given.items())}


def _pairs(text: str) -> dict[str, list[str]]:
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise BadScope("scope: begins like JSON and is none.") from None
        return found if isinstance(found, dict) else {}
    pairs: dict[str, list[str]] = {}
    for line in text.replace(";", "\n").splitlines():
        name, equals, values = (part.strip() for part in line.partition("="))
        if line.strip() and not equals:
            raise BadScope(f"scope: {line.strip()[:60]!r} is not a dimension and its values, such as team=live-class.")
        if name:
            pairs.setdefault(name, []).extend(part.strip() for part in values.split(",") if part.strip())
    return pairs


def _values(name: str, values: Any) -> tuple[str, ...]:
    if name not in DIMENSIONS:
        raise BadScope(f"scope: {name[:40]!r} is not one of {', '.join(DIMENSIONS)}.")
    listed = [values] if isinstance(values, str) else values
    if not isinstance(listed, Iterable) or not (found := tuple(dict.fromkeys(map(str, listed)))):
        raise BadScope(f"scope: {name} names no value.")
    if len(found) > MOST_VALUES or any(not one or len(one) > LONGEST or "\x00" in one for one in found):
        raise BadScope(f"scope: {name} takes up to {MOST_VALUES} values of 1 to {LONGEST} characters.")
    return found


def team_of(scope: Scope) -> Scope | None:
    """All that the teams of a scope cost: where cost that only moved would be found; None where it names no team."""
    return {"team": scope["team"]} if "team" in scope else None


def are_apart(one: Scope, other: Scope) -> bool:
    """Whether no cost can be within both: of one dimension they name other values. Levels of the organisation tell
    nothing, as a team stands below several of a kind."""
    shared = (one.keys() & other.keys()) - set(LEVELS)
    return any(set(one[name]).isdisjoint(other[name]) for name in shared)


def told(scope: Scope) -> str:
    """A scope in a line a person reads."""
    return " · ".join(f"{name} {', '.join(values)}" for name, values in scope.items())


def written(scope: Scope) -> str:
    """A scope as `read` takes it, a dimension a line."""
    return "\n".join(f"{name}={','.join(values)}" for name, values in scope.items())
