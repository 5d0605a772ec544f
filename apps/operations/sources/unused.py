"""What is idle, or used in some hours of the week only: findings of `insights.idle`, by kind."""

from collections.abc import Callable
from datetime import date, datetime

from apps.finops.findings import Finding
from apps.insights.idle import selectors
from apps.insights.idle.hearing import Hearing, hear, still_there
from apps.insights.idle.kinds import NODE
from apps.insights.idle.resting import rests
from apps.marts.models import Publication
from apps.operations.deciding import today
from apps.operations.models import Recommendation

GONE = "It is used again, gone, or excluded"


def idle(_pinned: Publication, now: datetime) -> tuple[Finding, ...]:
    """What could be stopped or removed. What nothing tells the use of is a question of its page, and nothing to do."""
    return _of_kind("idle", now)


def schedules(_pinned: Publication, now: datetime) -> tuple[Finding, ...]:
    """What could be switched off outside its hours."""
    return _of_kind("schedule", now)


def answered(pinned: Publication, now: datetime) -> Callable[[Recommendation], bool]:
    """What could be looked for: all but what runs in clusters of which nothing can be told. Of what the bill names one
    by one the bill tells."""
    hearing = hear(pinned, today=today(now))
    return lambda one: _is_told(one, hearing)


def schedule_answered(pinned: Publication, now: datetime) -> Callable[[Recommendation], bool]:
    """The same of what is to be off in hours of the week, and only what is off in them is done: it is found no longer,
    too, where too little is heard of its cluster, or where it works in them again."""
    is_answered, day = answered(pinned, now), today(now)
    return lambda one: is_answered(one) and _rests(one, pinned, day)


def idle_answered(pinned: Publication, now: datetime) -> Callable[[Recommendation], bool]:
    """The same of what is idle, and nor could be what still stands in a cluster that is switched off for so long that
    nothing is said of what runs in it."""
    hearing = hear(pinned, today=today(now))
    there = still_there(pinned, hearing.unjudged)
    return lambda one: _is_told(one, hearing) and not _is_there(one, there)


def _is_told(one: Recommendation, hearing: Hearing) -> bool:
    return not any(_is_in(cluster, one) for cluster in hearing.untold)


def _rests(one: Recommendation, pinned: Publication, day: date) -> bool:
    """Of what an earlier version found the hours are not known."""
    placed = {name: one.scope.get(name, "") for name in ("cluster", "namespace", "workload")}
    return not one.hours or rests(pinned, placed, [tuple(span) for span in one.hours], today=day)


def _is_there(one: Recommendation, there: frozenset[tuple[str, ...]]) -> bool:
    placed = tuple(one.scope.get(name, "") for name in ("cluster", "namespace", "workload"))
    nodes = (key for key in there if len(key) == 2)
    return placed in there or any(one.subject.startswith(f"{NODE} {cluster}/{node} ") for cluster, node in nodes)


def _is_in(cluster: str, one: Recommendation) -> bool:
    """The cost of a node is that of a billed resource: its subject alone says where it stands."""
    return one.scope.get("cluster") == cluster or one.subject.startswith(f"{NODE} {cluster}/")


def _of_kind(kind: str, now: datetime) -> tuple[Finding, ...]:
    return tuple(one for one in selectors.findings(day=today(now)) if one.kind == kind and one.saving_per_month)
