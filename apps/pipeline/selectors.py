"""Reading runs: what was done lately, what is being done, and how far it has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, Exists, IntegerField, Max, OuterRef, QuerySet, Value, When

from apps.finops.problems import Problem
from apps.pipeline.models import Clock, StepRun


@dataclass(frozen=True)
class Progress:
    """How many runs of the work at hand are in which state; all 0 when nothing is at hand."""

    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.done + self.failed


@dataclass(frozen=True)
class LastFill:
    """When sources were last looked at, the newest finished run, and the newest one that failed."""

    looked_at: datetime | None
    finished: StepRun | None
    failed: StepRun | None


def recent_runs(limit: int = 50) -> list[StepRun]:
    """The newest runs first."""
    return list(StepRun.objects.order_by("-pk")[:limit])


def newest_problems(source: str) -> list[Problem]:
    """What the newest finished run of each step noticed about a source."""
    newest: dict[str, StepRun] = {}
    for run in StepRun.objects.filter(source=source).exclude(state__in=StepRun.ACTIVE).order_by("-pk")[:50]:
        newest.setdefault(run.step, run)
    return [Problem(**problem) for run in newest.values() for problem in run.problems]


def active_runs() -> list[StepRun]:
    """The runs that wait or run, those that run first."""
    return list(StepRun.objects.filter(state__in=StepRun.ACTIVE).order_by("state", "pk"))


def progress() -> Progress:
    """The work at hand: all runs asked for since the oldest that is not finished."""
    oldest = StepRun.objects.filter(state__in=StepRun.ACTIVE).order_by("asked_at").first()
    if oldest is None:
        return Progress()
    asked = StepRun.objects.filter(asked_at__gte=oldest.asked_at).values_list("state").annotate(runs=Count("pk"))
    return Progress(**dict(asked.order_by()))


def last_fill() -> LastFill:
    clock = Clock.objects.filter(pk=Clock.THE_ONE).first()
    finished = StepRun.objects.filter(finished_at__isnull=False).order_by("-finished_at")
    return LastFill(
        looked_at=max(_looks(clock), default=None),
        finished=finished.first(),
        failed=finished.filter(state=StepRun.State.FAILED).first(),
    )


def _looks(clock: Clock | None) -> list[datetime]:
    """When the clock looked at sources, and when `manage.py fill` did, which leaves its runs of `land`."""
    landed = StepRun.objects.filter(step="land").order_by("-asked_at").first()
    found = (clock.looked_at if clock else None, landed.asked_at if landed else None)
    return [moment for moment in found if moment is not None]


def runs(*, state: str = "", step: str = "", source: str = "") -> QuerySet[StepRun]:
    """Runs that fit: those that run first, then those that wait, then the newest."""
    told = {name: value for name, value in (("state", state), ("step", step), ("source", source)) if value}
    place = Case(
        When(state=StepRun.State.RUNNING, then=Value(0)), When(state=StepRun.State.WAITING, then=Value(1)),
        default=Value(2), output_field=IntegerField(),
    )  # fmt: skip
    return StepRun.objects.filter(**told).annotate(place=place).order_by("place", "-pk")


def sources_of_runs() -> list[str]:
    """The sources that anything was ever done for."""
    return list(StepRun.objects.exclude(source="").order_by("source").values_list("source", flat=True).distinct())


def newest_by_step() -> dict[str, StepRun]:
    """The newest run of every step."""
    newest = StepRun.objects.order_by().values("step").annotate(newest=Max("pk")).values("newest")
    return {run.step: run for run in StepRun.objects.filter(pk__in=newest)}


def open_failures(limit: int = 20) -> list[StepRun]:
    """Runs that failed and were not asked for again since, the newest first."""
    return list(_newest_of_their_work().filter(state=StepRun.State.FAILED).order_by("-pk")[:limit])


def failures_by_step() -> list[tuple[str, int]]:
    """How many such there are of every step."""
    failed = _newest_of_their_work().filter(state=StepRun.State.FAILED)
    return list(failed.order_by().values_list("step").annotate(count=Count("pk")))


def retriable(found: Iterable[StepRun]) -> set[int]:
    """Which of some runs failed, and are the newest of their work."""
    failed = [run.pk for run in found if run.state == StepRun.State.FAILED]
    return set(_newest_of_their_work().filter(pk__in=failed).values_list("pk", flat=True)) if failed else set()


def _newest_of_their_work() -> QuerySet[StepRun]:
    newer = StepRun.objects.filter(key=OuterRef("key"), pk__gt=OuterRef("pk"))
    return StepRun.objects.filter(~Exists(newer))
