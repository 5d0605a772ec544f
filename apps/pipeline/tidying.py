"""What is let go when it is old, each night: publications and their files in the lake, runs, messages, alerts that are
over, entries of the read log, sessions that are over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, QuerySet

from apps.alerts import ending
from apps.audit import reading
from apps.channels import ended
from apps.marts import keeping
from apps.marts.keeping import Kept
from apps.operations import telling as recommending
from apps.pipeline.models import StepRun
from apps.signin import sessions

AT_ONCE = 1000
"""Rows deleted by one transaction: those who plan and finish runs meanwhile wait for a moment."""


@dataclass(frozen=True)
class Tidied:
    """What was let go, or would be."""

    publications: Kept
    runs: int
    messages: int
    alerts: int
    reads: int
    sessions: int


def tidy(now: datetime, *, dry_run: bool = False) -> Tidied:
    """Let go what is older than COSTOPS_KEEP_DAYS, which stays where that is 0, what is older than the read log is to
    be, and forget sessions that are over.

    Repeating it changes nothing more.
    """
    reads = _forget(reading.over(now), dry_run=dry_run)
    over = 0 if dry_run else sessions.forget_over(now)
    runs = messages = alerts = 0
    if settings.COSTOPS_KEEP_DAYS:
        before = now - timedelta(days=settings.COSTOPS_KEEP_DAYS)
        runs = _forget(_runs(before), dry_run=dry_run)
        going_on = [*ending.threads(), *recommending.threads()]
        messages = _forget(ended.before(before, but=going_on), dry_run=dry_run)
        alerts = _forget(ending.before(before), ending.forget, dry_run=dry_run)
    publications = keeping.tidy(now, dry_run=dry_run)  # the first time it may take longer than a night
    return Tidied(publications, runs, messages, alerts, reads, over)


def _runs(before: datetime) -> QuerySet[StepRun]:
    """Runs that ended before, but for the newest of each step that was done: what is due is told from it."""
    newest = StepRun.objects.filter(state=StepRun.State.DONE).order_by().values("step").annotate(newest=Max("pk"))
    old = StepRun.objects.exclude(state__in=StepRun.ACTIVE).filter(finished_at__lt=before)
    return old.exclude(pk__in=list(newest.values_list("newest", flat=True)))


def _delete(rows: QuerySet[Any]) -> None:
    rows.delete()


def _forget(old: QuerySet[Any], delete: Callable[[QuerySet[Any]], None] = _delete, *, dry_run: bool) -> int:
    """Delete rows, so many at once; how many there were."""
    if dry_run:
        return old.count()
    forgotten = 0
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        delete(old.filter(pk__in=some))
        forgotten += len(some)
    return forgotten
