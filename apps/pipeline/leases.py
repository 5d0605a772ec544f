"""Taking a run, keeping it while working, and giving its result back: at most one worker's result ever counts."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import DateTimeField, Expression, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from apps.pipeline import identity, retries
from apps.pipeline.models import Clock, StepRun
from apps.pipeline.steps import BY_NAME, EXCLUSIVE, PLACE, QUEUE_OF
from apps.warehouse.failpoints import failpoint

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
BEAT_SECONDS = 25.0
MOST_ATTEMPTS = 3


@contextmanager
def the_clock() -> Iterator[Clock]:
    """Hold the one row that whoever plans, claims or finishes holds: they do so one after another."""
    Clock.objects.get_or_create(pk=Clock.THE_ONE)
    with transaction.atomic():
        yield Clock.objects.select_for_update().get(pk=Clock.THE_ONE)


def claim(queue: str = "") -> StepRun | None:
    """Take the next run that may start, of a queue where one is named. The attempt is counted and committed before any
    work is done."""
    failpoint("claim.begin")
    with the_clock():
        active = set_aside_exhausted()
        alive = [run for run in active if run.state == StepRun.State.RUNNING and not is_abandoned(run)]
        for run in active:
            is_ours = not queue or QUEUE_OF.get(run.step) == queue
            if is_ours and run not in alive and _may_start(run, active, alive) and _take(run):
                return StepRun.objects.get(pk=run.pk)
    return None


def set_aside_exhausted() -> list[StepRun]:
    """Give up abandoned runs that had all their attempts; the other active runs, in the order of the steps."""
    active = StepRun.objects.filter(state__in=StepRun.ACTIVE).annotate(is_expired=Q(lease_until__lt=Now()))
    remaining: list[StepRun] = []
    for run in sorted(active, key=lambda run: (PLACE.get(run.step, len(PLACE)), run.pk)):
        if run.state == StepRun.State.RUNNING and run.attempt >= MOST_ATTEMPTS and is_abandoned(run):
            _quarantine(run)
        else:
            remaining.append(run)
    return remaining


def is_abandoned(run: Any) -> bool:
    """Whether nobody works on a running run: its lease is over, or its process died on this machine."""
    return bool(run.is_expired) or identity.is_dead(run.worker)


def _may_start(run: StepRun, active: list[StepRun], alive: list[StepRun]) -> bool:
    """Runs of one source never overlap; a run that works on days runs after all earlier steps, and alone unless others
    work on other days of the same step."""
    if run.step not in PLACE:
        return False  # a step of a newer version: its workers will take it
    if run.step in EXCLUSIVE:
        # What only waits for workers of another version may wait long: after going back to the one before, for ever.
        known = [other for other in active if other.step in PLACE or other in alive]
        is_first = all(PLACE.get(other.step, 0) >= PLACE[run.step] for other in known)
        return is_first and all(_are_apart(run, other) for other in alive)
    return not any(other.step in EXCLUSIVE or other.source == run.source for other in alive)


def _are_apart(run: StepRun, other: StepRun) -> bool:
    """Whether two runs are of one step whose windows may be filled side by side, and share no day."""
    ours, theirs = run.window, other.window
    if run.step != other.step or not BY_NAME[run.step].side_by_side or ours is None or theirs is None:
        return False
    return ours.end <= theirs.start or theirs.end <= ours.start


def _take(run: StepRun) -> bool:
    unchanged = StepRun.objects.filter(
        pk=run.pk, state=run.state, attempt=run.attempt, worker=run.worker, lease_until=run.lease_until
    )
    return bool(
        unchanged.update(
            state=StepRun.State.RUNNING, attempt=F("attempt") + 1, worker=identity.new_worker(), lease_until=_lease(),
            started_at=Now(), message="",
        )
    )  # fmt: skip


def _lease() -> Expression:
    """The end of a lease that begins now, by the database's clock: every worker reads the same one."""
    return ExpressionWrapper(Now() + LEASE, output_field=DateTimeField())


def _quarantine(run: StepRun) -> None:
    logger.error("%s: %d workers died while working on it; it is set aside", run.key, run.attempt)
    StepRun.objects.filter(pk=run.pk).update(
        state=StepRun.State.FAILED, failure=retries.QUARANTINED, finished_at=Now(), lease_until=None,
        message=f"Set aside: {run.attempt} workers died while working on it, the last was {run.worker}. "
        "Look for lack of memory; `manage.py fill` tries again.",
    )  # fmt: skip


def mine(run: StepRun) -> Any:
    """The run as a query that finds it only while its worker holds it."""
    return StepRun.objects.filter(pk=run.pk, state=StepRun.State.RUNNING, worker=run.worker)


def holds(run: StepRun) -> bool:
    """Whether its worker still holds a run; within a transaction nobody takes it over before that ends."""
    held = mine(run)
    if connection.in_atomic_block:
        held = held.select_for_update()
    return held.first() is not None


def release(run: StepRun) -> None:
    """Put a run back that was interrupted by a person or a shutdown: that attempt does not count."""
    mine(run).update(state=StepRun.State.WAITING, attempt=F("attempt") - 1, worker="", lease_until=None)


@dataclass
class Heartbeat:
    """Renews the lease of a run from a thread of its own, as long as the work lasts and the lease is ours."""

    run: StepRun

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease of {self.run.key}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._over.wait(BEAT_SECONDS) and self._renew():
                pass
        finally:
            connection.close()

    def _renew(self) -> bool:
        """Whether to go on; a database that is away for a moment is asked again at the next beat."""
        try:
            close_old_connections()
            if mine(self.run).update(lease_until=_lease()):
                return True
        except DatabaseError as error:
            logger.warning("%s: the lease could not be renewed: %s", self.run.key, error)
            return True
        logger.error("%s: another worker took over; what this one does no longer counts", self.run.key)
        return False
