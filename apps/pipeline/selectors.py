"""Reading runs: what was done lately, what is being done, and how far it has come."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

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


def runs(*, state: str = "", step: str = "", source: str = "") -> QuerySet[StepRun]:
    """Runs, the newest first; empty for any."""
    asked = {"state": state, "step": step, "source": source}
    if "\0" in "".join(asked.values()):
        return StepRun.objects.none()  # no name holds it, and PostgreSQL refuses to be asked
    return StepRun.objects.filter(**{name: value for name, value in asked.items() if value}).order_by("-pk")


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
