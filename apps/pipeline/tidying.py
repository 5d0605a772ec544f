"""What is let go when it is old, each night: publications and their files in the lake, runs, sessions that are over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from apps.marts import keeping
from apps.marts.keeping import Kept
from apps.pipeline.models import StepRun
from apps.signin import sessions

AT_ONCE = 1000
"""Rows deleted by one transaction: those who plan and finish runs meanwhile wait for a moment."""


@dataclass(frozen=True)
class Tidied:
    """What was let go, or would be."""

    publications: Kept
    runs: int
    sessions: int


def tidy(now: datetime, *, dry_run: bool = False) -> Tidied:
    """Let go what is older than COSTOPS_KEEP_DAYS, which stays where that is 0, and forget sessions that are over.

    Repeating it changes nothing more.
    """
    runs, over = _runs(now, dry_run=dry_run), 0 if dry_run else sessions.forget_over(now)
    return Tidied(keeping.tidy(now, dry_run=dry_run), runs, over)  # the first time it may take longer than a night


def _runs(now: datetime, *, dry_run: bool) -> int:
    """Forget runs that ended long ago, but for the newest of each step that was done: what is due is told from it."""
    if not settings.COSTOPS_KEEP_DAYS:
        return 0
    newest = StepRun.objects.filter(state=StepRun.State.DONE).order_by().values("step").annotate(newest=Max("pk"))
    old = StepRun.objects.exclude(state__in=StepRun.ACTIVE).filter(
        finished_at__lt=now - timedelta(days=settings.COSTOPS_KEEP_DAYS)
    )
    old = old.exclude(pk__in=list(newest.values_list("newest", flat=True)))
    if dry_run:
        return old.count()
    forgotten = 0
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        forgotten += StepRun.objects.filter(pk__in=some).delete()[0]
    return forgotten
