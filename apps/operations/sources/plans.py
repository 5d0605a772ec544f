"""What plans ask for: findings of `planning`, each planner a kind of its own."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from apps.finops.findings import Finding
from apps.marts.models import Publication
from apps.operations.models import Recommendation
from apps.planning import selectors

GONE = "Its plan does not ask for it any more"


def _of(planner: str, _pinned: Publication, _now: datetime) -> tuple[Finding, ...]:
    return selectors.findings(planner)


def _answered(planner: str, _pinned: Publication, _now: datetime) -> Callable[[Recommendation], bool]:
    links = selectors.answered(planner)
    return lambda one: one.link in links


def answered_of(planner: str) -> "partial[Callable[[Recommendation], bool]]":
    """What one planner could plan."""
    return partial(_answered, planner)


def findings_of(planner: str) -> "partial[tuple[Finding, ...]]":
    """The findings of one planner."""
    return partial(_of, planner)
