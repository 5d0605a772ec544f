"""What plans ask for: findings of `planning`, each planner a kind of its own."""

from datetime import datetime
from functools import partial

from apps.finops.findings import Finding
from apps.marts.models import Publication
from apps.planning import selectors

GONE = "Its plan does not ask for it any more"


def _of(planner: str, _pinned: Publication, _now: datetime) -> tuple[Finding, ...]:
    return selectors.findings(planner)


def answered_of(planner: str) -> "partial[frozenset[str]]":
    """The links of what one planner could plan."""
    return partial(selectors.answered, planner)


def findings_of(planner: str) -> "partial[tuple[Finding, ...]]":
    """The findings of one planner."""
    return partial(_of, planner)
