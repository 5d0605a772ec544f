"""Filling: plan what is due, take one run after another, do it, record it, until nothing is left."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.finops.errors import CostOpsError
from apps.finops.running import told_of
from apps.finops.steps import StepResult
from apps.finops.windows import Window
from apps.ingest.models import Source
from apps.marts.selectors import let_go_of_older
from apps.pipeline import due, leases, retries
from apps.pipeline.due import Ask
from apps.pipeline.models import FilledDay, StepRun
from apps.pipeline.steps import BY_NAME, NAMES, PLACE, QUEUE_OF, STEPS, Step
from apps.pipeline.work import REPLACING, Work
from apps.warehouse import fencing
from apps.warehouse.database import is_away
from apps.warehouse.failpoints import failpoint

logger = logging.getLogger(__name__)

MOST_PROBLEMS = 200
"""Of one run, kept in its row; the files keep all of theirs."""
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 0.5
DATABASE_SECONDS = 2.0
Watcher = Callable[[StepRun], None]


class UnknownName(CostOpsError):
    """There is no such source or step."""


@dataclass(frozen=True)
class FillReport:
    """The runs of a fill: those it asked for, and those of others that it finished."""

    runs: tuple[StepRun, ...]

    @property
    def failed(self) -> tuple[StepRun, ...]:
        return tuple(run for run in self.runs if run.state == StepRun.State.FAILED)

    @property
    def errors(self) -> tuple[dict[str, str], ...]:
        """Error-level problems of runs that went on: each concerns one file or query, of which nothing counts."""
        done = (run for run in self.runs if run.state == StepRun.State.DONE)
        return tuple(problem for run in done for problem in run.problems if problem["severity"] == "error")

    @property
    def publication(self) -> int | None:
        """The number of the publication this fill made or confirmed."""
        return next((run.versions["publication"] for run in reversed(self.runs) if "publication" in run.versions), None)


def fill(
    *,
    now: datetime,
    sources: Collection[str] | None = None,
    steps: Collection[str] | None = None,
    window: Window | None = None,
    on_progress: Watcher | None = None,
) -> FillReport:
    """Do everything due, up to publication, and what others left undone; a step or window asked for is done anyway.

    Others may fill at the same time: each run is done by one of them, and all return when nothing is left.
    """
    _check_names("source", sources, set(Source.objects.values_list("name", flat=True)))
    _check_names("step", steps, set(NAMES))
    forced = frozenset(steps or (("meter", "allocate", "estimate", "publish") if window else ()))
    replaces = window is not None and "meter" in (steps or ())
    ask = Ask(now, None if sources is None else frozenset(sources), window, forced, replaces)
    filling = _Filling(ask, frozenset(steps or NAMES), on_progress or _nobody)
    filling.plan()
    while filling.do_one() or filling.plan() or filling.is_waiting():
        filling.plan()
    return filling.report()


def _nobody(_run: StepRun) -> None:
    """Nobody watches."""


def _derived(ask: Ask) -> Ask:
    """What became due by the work that was done: nothing is forced twice."""
    return replace(ask, window=None, forced=frozenset(), replaces=False)


def _check_names(what: str, asked: Collection[str] | None, known: set[str]) -> None:
    if unknown := sorted(set(asked or ()) - known):
        raise UnknownName(f"There is no {what} {', '.join(unknown)}. There are: {', '.join(sorted(known)) or 'none'}.")


def tick(*, now: datetime) -> bool:
    """What the clock does: look at all sources when their time has come; whether there is any work to do now.

    A look that lies ahead by a period is of a clock that was wrong, and counts for none.
    """
    with leases.the_clock() as clock:
        period = timedelta(minutes=settings.COSTOPS_FILL_EVERY_MINUTES)
        is_time = clock.looked_at is None or abs(now - clock.looked_at) >= period
        if is_time:
            clock.looked_at = now
            clock.save()
        return _plan_by_clock(now, is_time=is_time)


def ask_to_land(source: str, *, now: datetime) -> None:
    """Somebody brought files: their source is looked at now, and again soon where a look was under way already."""
    with leases.the_clock() as clock:
        ask_for(list(due.land(Ask(now, frozenset({source})))), now)
        if StepRun.objects.filter(step="land", source=source, state=StepRun.State.RUNNING).exists():
            clock.looked_at = None
            clock.save()


def _plan_by_clock(now: datetime, *, is_time: bool) -> bool:
    with leases.the_clock():
        leases.set_aside_exhausted()
        for step in STEPS:
            if step.unit == "days" and is_busy(step):
                continue
            works = [work for work in step.due(Ask(now)) if retries.may_try(work, now, is_time=is_time)]
            ask_for(works, now)
        return StepRun.objects.filter(state__in=StepRun.ACTIVE).exists()


def work(
    *,
    now: datetime,
    seconds: float,
    queue: str = "",
    on_more: Callable[[], None] = lambda: None,
    is_over: Callable[[], bool] = lambda: False,
) -> bool:
    """Do what was planned of a queue (of all where none is named), and what becomes due by it, for about so long or
    until `is_over`; whether there is more to do now. `on_more` is called when there is work for others."""
    if queue and not at_hand().get(queue):
        return False  # one of many bells that were rung while nobody listened
    deadline = time.monotonic() + seconds
    filling = _Filling(Ask(now), frozenset(NAMES), _nobody)
    while filling.do_one(queue):
        before = set(_waiting().values_list("pk", flat=True))
        _plan_by_clock(now, is_time=False)
        if _waiting().exclude(pk__in=before).exists():
            on_more()
        if time.monotonic() > deadline or is_over():
            return True
    if filling.runs and _waiting().exists():  # what others may start now; who did nothing rings nobody
        on_more()
    return False


def at_hand() -> dict[str, int]:
    """How many runs each queue has that wait, or may have been left by a worker that died."""
    steps = StepRun.objects.filter(state__in=StepRun.ACTIVE, step__in=QUEUE_OF).values_list("step", flat=True)
    return dict(Counter(QUEUE_OF[step] for step in steps))


def _waiting() -> QuerySet[StepRun]:
    return StepRun.objects.filter(state=StepRun.State.WAITING)


def is_busy(step: Step) -> bool:
    """Whether a step before this one has work to do: what this one is to fill is known only afterwards."""
    before = NAMES[: PLACE[step.name]]
    return StepRun.objects.filter(state__in=StepRun.ACTIVE, step__in=before).exists()


def ask_for(works: list[Work], now: datetime) -> None:
    """Write down work to be done, unless the same is waiting or running already; what waits replaces if this does."""
    StepRun.objects.bulk_create(
        [
            StepRun(
                step=work.step, source=work.source, key=work.key, fingerprint=work.fingerprint, asked_at=now,
                window_start=work.window.start if work.window else None,
                window_end=work.window.end if work.window else None,
            )
            for work in works
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    replacing = [work.key for work in works if work.fingerprint == REPLACING]
    _waiting().filter(key__in=replacing).update(fingerprint=REPLACING)


@dataclass
class _Filling:
    """One fill by one worker: the steps it may plan, and what it has asked for and done so far."""

    ask: Ask
    steps: frozenset[str]
    on_progress: Watcher
    keys: set[str] = field(default_factory=set)
    runs: set[int] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    wait: float = SHORTEST_WAIT

    def plan(self) -> bool:
        """Write down what is due and was not tried in this fill; whether there was any.

        A step is planned when those before it have nothing left to do: first as it was asked for, then what became
        due by the work that was done.
        """
        works: list[Work] = []
        with leases.the_clock():
            leases.set_aside_exhausted()
            for step in STEPS:
                if step.name in self.steps and not is_busy(step):
                    new = self._due(step)
                    ask_for(new, self.ask.now)
                    works += new
            keys = {work.key for work in works}
            active = StepRun.objects.filter(state__in=StepRun.ACTIVE, key__in=keys)
            self.runs |= set(active.values_list("pk", flat=True))
        self.keys |= keys
        return bool(works)

    def _due(self, step: Step) -> list[Work]:
        is_first = step.name not in self.begun
        self.begun.add(step.name)
        ask = self.ask if is_first else _derived(self.ask)
        return [work for work in step.due(ask) if work.key not in self.keys and (is_first or not work.by_clock)]

    def do_one(self, queue: str = "") -> bool:
        """Do the next run that may start; whether there was one."""
        run = leases.claim(queue)
        if run is None:
            return False
        self.wait = SHORTEST_WAIT
        self.runs.add(run.pk)
        self.on_progress(run)
        execute(run, self.ask.now)
        run.refresh_from_db()
        self.on_progress(run)
        return True

    def is_waiting(self) -> bool:
        """Whether others are still at work, after waiting for them a little: longer each time, until there is work."""
        if not StepRun.objects.filter(state__in=StepRun.ACTIVE, step__in=NAMES).exists():
            return False
        time.sleep(self.wait)
        self.wait = min(2 * self.wait, LONGEST_WAIT)
        return True

    def report(self) -> FillReport:
        return FillReport(tuple(StepRun.objects.filter(pk__in=self.runs).order_by("pk")))


def execute(run: StepRun, now: datetime) -> None:
    """Do a run this worker holds, and record how it ended, if it still holds it then."""
    with told_of(run=run.pk, step=run.step, attempt=run.attempt):
        _execute(run, now)


def _execute(run: StepRun, now: datetime) -> None:
    step = BY_NAME[run.step]
    logger.info("%s: begins (attempt %d)", run.key, run.attempt)
    failpoint("claim.taken")
    try:
        let_go_of_older()
        inputs = step.inputs() if step.inputs else {}
        with leases.Heartbeat(run), fencing.held_while(lambda: leases.holds(run)):
            result = step.run(_work_of(run), now)
    except Exception as error:  # noqa: BLE001  # a fault in one run must not stop the others
        _record_failure(run, error)
    except BaseException:
        leases.release(run)
        raise
    else:
        _record(run, result, inputs)


def _work_of(run: StepRun) -> Work:
    return Work(run.step, run.source, run.window, run.fingerprint)


def _record_failure(run: StepRun, error: Exception) -> None:
    kind = retries.kind_of(error)
    message = f"{type(error).__name__}: {error}" if kind == retries.CRASHED else str(error)
    if kind == retries.CRASHED:
        logger.exception("%s: failed", run.key)
    else:
        logger.error("%s: failed: %s", run.key, message)
    _finish(run, state=StepRun.State.FAILED, failure=kind, message=message)


def _record(run: StepRun, result: StepResult, inputs: dict[date, str]) -> None:
    """Write down the result, and that the days of the run are filled from these inputs, in one transaction."""
    failed = result.failed and BY_NAME[run.step].all_or_nothing
    errors = [problem for problem in result.problems if problem.severity == "error"]
    finished = _finish(
        run,
        state=StepRun.State.FAILED if failed else StepRun.State.DONE,
        failure=retries.REFUSED if failed else "",
        message="; ".join(f"{problem.subject}: {problem.message}" for problem in errors[:3]),
        rows=result.rows,
        cost_in=_texts(result.cost_in),
        cost_out=_texts(result.cost_out),
        versions=result.versions,
        problems=[asdict(problem) for problem in result.problems[:MOST_PROBLEMS]],
        inputs=None if failed else inputs,
    )
    if finished:
        logger.info("%s: %s, %d rows", run.key, "failed" if failed else "done", result.rows)


def _texts(costs: dict[str, Decimal]) -> dict[str, str]:
    return {currency: f"{cost:f}" for currency, cost in costs.items()}


def _finish(run: StepRun, *, inputs: dict[date, str] | None = None, **facts: Any) -> bool:
    """Record the end of a run; False, and nothing recorded, when another worker has taken it over meanwhile.

    A database that is away is waited for as long as the lease may last: what was done would be done again, and later.
    """
    deadline = time.monotonic() + leases.LEASE.total_seconds()
    while True:
        try:
            return _finish_now(run, inputs, facts)
        except DatabaseError as error:
            if not is_away(error) or time.monotonic() > deadline:
                raise
            logger.warning("%s: its end cannot be recorded yet: %s", run.key, error)
            time.sleep(DATABASE_SECONDS)
            connection.close()


def _finish_now(run: StepRun, inputs: dict[date, str] | None, facts: dict[str, Any]) -> bool:
    with leases.the_clock():
        if not leases.mine(run).update(finished_at=Now(), lease_until=None, **facts):
            logger.error("%s: another worker took over; this result does not count", run.key)
            return False
        if inputs is not None:
            _mark_filled(run, inputs)
        failpoint("finish.record")
    failpoint("finish.unlock")
    return True


def _mark_filled(run: StepRun, inputs: dict[date, str]) -> None:
    window = run.window
    if BY_NAME[run.step].inputs is None or window is None:
        return
    with transaction.atomic():
        FilledDay.objects.filter(step=run.step, day__gte=window.start, day__lt=window.end).delete()
        FilledDay.objects.bulk_create(
            FilledDay(step=run.step, day=day, fingerprint=inputs[day]) for day in window.days() if day in inputs
        )
