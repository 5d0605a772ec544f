"""Pieces of work, and what each step is told to do with one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from apps.alerts import services as alerts
from apps.allocation import services as allocation
from apps.budgets import looking
from apps.estimates import services as estimates
from apps.finops.steps import StepResult
from apps.finops.windows import Window
from apps.ingest import services as ingest
from apps.ingest.models import Source
from apps.ingest.selectors import retired_sources
from apps.insights import services as insights
from apps.insights.anomalies import services as anomaly_services
from apps.insights.idle import services as idle_resources
from apps.marts import services as marts
from apps.operations import services as operations
from apps.planning import services as planning
from apps.savings import services as savings

REPLACING = "replacing"
"""The fingerprint of a pull that somebody asked for by step and days: it replaces even what the server has no more."""


@dataclass(frozen=True)
class Work:
    """A step, for a source and a window of days where the step has them.

    `fingerprint` is of its inputs. Work `by_clock` is due because time passed, not because inputs changed.
    """

    step: str
    source: str = ""
    window: Window | None = None
    fingerprint: str = ""
    by_clock: bool = False

    @property
    def key(self) -> str:
        return " ".join(part for part in (self.step, self.source, str(self.window or "")) if part)


Run = Callable[[Work, datetime], StepResult]
DayInputs = Callable[[], dict[date, str]]


def land(work: Work, now: datetime) -> StepResult:
    return ingest.land(_source(work), now)


def normalize(work: Work, now: datetime) -> StepResult:
    return ingest.normalize(_source(work), now)


def meter(work: Work, now: datetime) -> StepResult:
    """From files that were landed, or from the source's API for a window of days."""
    if work.window is None:
        return ingest.meter_files(_source(work), now)
    return ingest.meter_prometheus(_source(work), work.window, now, is_replacing=work.fingerprint == REPLACING)


def allocate(work: Work, _now: datetime) -> StepResult:
    return allocation.allocate(_window(work))


def estimate(work: Work, _now: datetime) -> StepResult:
    return estimates.estimate(_window(work))


def publish(work: Work, now: datetime) -> StepResult:
    return marts.publish(_window(work), now=now, retired=retired_sources())


def forecast(_work: Work, now: datetime) -> StepResult:
    return insights.forecast(now=now)


def budgets(_work: Work, now: datetime) -> StepResult:
    return looking.look_ahead(now=now)


def anomalies(_work: Work, now: datetime) -> StepResult:
    return anomaly_services.find(now=now)


def idle(_work: Work, now: datetime) -> StepResult:
    return idle_resources.find(now=now)


def plan(_work: Work, now: datetime) -> StepResult:
    return planning.plan(now=now)


def recommend(_work: Work, now: datetime) -> StepResult:
    return operations.recommend(now=now)


def verify(_work: Work, now: datetime) -> StepResult:
    return savings.verify(now=now)


def alert(_work: Work, now: datetime) -> StepResult:
    return alerts.check(now=now)


def _source(work: Work) -> Source:
    return Source.objects.get(name=work.source)


def _window(work: Work) -> Window:
    if work.window is None:
        raise ValueError(f"{work.step} works on days, and was given none")
    return work.window
