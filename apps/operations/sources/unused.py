"""What is idle, or used in some hours of the week only: findings of `insights.idle`, by kind."""

from datetime import datetime

from apps.finops.findings import Finding
from apps.insights.idle import selectors
from apps.marts.models import Publication
from apps.operations.deciding import today

GONE = "It is used again, gone, or excluded"


def idle(_pinned: Publication, now: datetime) -> tuple[Finding, ...]:
    """What could be stopped or removed. What nothing tells the use of is a question of its page, and nothing to do."""
    return _of_kind("idle", now)


def schedules(_pinned: Publication, now: datetime) -> tuple[Finding, ...]:
    """What could be switched off outside its hours."""
    return _of_kind("schedule", now)


def _of_kind(kind: str, now: datetime) -> tuple[Finding, ...]:
    return tuple(one for one in selectors.findings(day=today(now)) if one.kind == kind and one.saving_per_month)
