"""Kinds of failure, and how soon the clock tries again; a person who asks is never kept waiting."""

from datetime import datetime, timedelta
from random import Random

from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.ingest.prometheus.errors import PrometheusUnavailable
from apps.pipeline.models import StepRun
from apps.pipeline.work import Work
from apps.warehouse.database import is_away
from apps.warehouse.shared import StoreUnavailable

UNAVAILABLE = "unavailable"
REFUSED = "refused"
CRASHED = "crashed"
QUARANTINED = "quarantined"
"""A source or the database that did not answer; what a person must mend; a fault in CostOps; workers that died."""

MOST_MORE = 0.25
"""The share of a wait that chance adds at most."""

KINDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((PrometheusUnavailable, StoreUnavailable, ConnectionError, TimeoutError), UNAVAILABLE),
    ((CostOpsError,), REFUSED),
    ((Exception,), CRASHED),
)


def kind_of(error: Exception) -> str:
    if is_away(error):
        return UNAVAILABLE
    return next(kind for classes, kind in KINDS if isinstance(error, classes))


def _wait(failed: StepRun) -> timedelta:
    """How long a failed run rests: up to a quarter longer, so that what failed together does not come together. How
    much is the same each time it is asked."""
    period = timedelta(minutes=settings.COSTOPS_FILL_EVERY_MINUTES)
    waits = {UNAVAILABLE: timedelta(0), QUARANTINED: timedelta(days=1)}
    return waits.get(failed.failure, period) * (1 + MOST_MORE * Random(f"{failed.key} {failed.pk}").random())  # noqa: S311  # jitter


def may_try(work: Work, now: datetime, *, is_time: bool) -> bool:
    """Whether the clock asks for this work: its time has come, its inputs are new, or a failure is old enough."""
    last = StepRun.objects.filter(key=work.key).order_by("-pk").first()
    failed = last is not None and last.state == StepRun.State.FAILED and last.fingerprint == work.fingerprint
    if last is not None and failed and last.finished_at is not None:
        return now >= last.finished_at + _wait(last)
    return is_time or not work.by_clock
