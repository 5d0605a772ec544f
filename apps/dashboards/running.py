"""The page of runs: every step with how it stands, and what was tried, with what it cost, gave, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Min
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.dashboards.sources import RUN_STATES, ProblemGroup, grouped, kept_fresh, run_row
from apps.dashboards.templatetags import costs as written
from apps.dashboards.words import STEPS, step_title
from apps.finops.problems import Problem
from apps.finops.written import money
from apps.marts.query import BadQuestion
from apps.pipeline import selectors
from apps.pipeline.models import FilledDay, StepRun
from apps.pipeline.retries import CRASHED, QUARANTINED, REFUSED, UNAVAILABLE
from apps.pipeline.steps import NAMES

MOST = 60
ADVICE: dict[str, Promise] = {
    UNAVAILABLE: gettext_lazy(
        "The source, or the database, did not answer. It is tried again by itself; see that it is up."
    ),
    REFUSED: gettext_lazy("Mend what the message names: the file, the rules or the source. Then retry, or wait."),
    CRASHED: gettext_lazy("This is a fault of CostOps: what is in its log says where. It is tried again by itself."),
    QUARANTINED: gettext_lazy("Workers died of it, mostly for want of memory. Give them more, then retry."),
}


@dataclass(frozen=True)
class StepLine:
    """A step: its newest run, what of it failed since it last succeeded, and the days it has filled."""

    name: str
    title: str
    does: str
    state: str
    state_title: str
    finished: datetime | None
    duration: str
    failed: int
    filled: str
    url: str


@dataclass(frozen=True)
class Trouble:
    """A failed run nobody retried: what is wrong, and what to do."""

    number: int
    title: str
    advice: str
    problems: tuple[ProblemGroup, ...]


@dataclass(frozen=True)
class RunsPage:
    """The page. `chosen` are the filters of the address; `news` what is kept fresh."""

    steps: tuple[StepLine, ...]
    troubles: tuple[Trouble, ...]
    news: Mapping[str, Any]
    chosen: Mapping[str, str]
    choices: Mapping[str, tuple[tuple[str, str], ...]]
    progress_url: str


def read(given: Mapping[str, Any]) -> dict[str, str]:
    """The filters of an address: `state`, `step`, `source`."""
    chosen = {name: str(given.get(name, ""))[:60] for name in ("state", "step", "source")}
    for name, known in (("state", RUN_STATES), ("step", STEPS)):
        if chosen[name] and chosen[name] not in known:
            raise BadQuestion(f"{name}: {chosen[name][:40]!r} is not one of {', '.join(known)}")
    return chosen


def page(chosen: Mapping[str, str], now: datetime) -> RunsPage:
    return RunsPage(
        steps=_steps(),
        troubles=tuple(_trouble(run) for run in selectors.open_failures()),
        news=news(chosen, now),
        chosen=chosen,
        choices={
            "state": tuple((key, str(word)) for key, word in RUN_STATES.items()),
            "step": tuple((key, str(title)) for key, (title, _does) in STEPS.items()),
            "source": tuple((name, name) for name in selectors.sources_of_runs()),
        },
        progress_url=progress_url(chosen),
    )


def progress_url(chosen: Mapping[str, str]) -> str:
    """Where the runs that fit are asked for anew."""
    return f"{reverse('runs-progress')}?{urlencode(chosen)}"


def news(chosen: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """What is kept fresh: counts of the work at hand, when sources were looked at, and the runs that fit."""
    found = selectors.runs(**{name: value for name, value in chosen.items() if value})[:MOST]
    retriable = selectors.retriable(found)
    return kept_fresh([_row(run, now, run.pk in retriable) for run in found])


def _row(run: StepRun, now: datetime, may_retry: bool) -> dict[str, Any]:
    return run_row(run, now) | {
        "attempt": str(run.attempt or ""),
        "cost_in": _costs(run.cost_in),
        "cost_out": _costs(run.cost_out),
        "advice": str(ADVICE.get(run.failure, "")) if run.state == StepRun.State.FAILED else "",
        "may_retry": may_retry,
    }


def _costs(costs: Mapping[str, str]) -> str:
    return _(", ").join(f"{money(Decimal(amount))} {written.plain(currency)}" for currency, amount in costs.items())


def _steps() -> tuple[StepLine, ...]:
    newest = selectors.newest_by_step()
    failed = dict(selectors.failures_by_step())
    filled = {
        step: (first, last, days)
        for step, first, last, days in FilledDay.objects.order_by()
        .values_list("step")
        .annotate(first=Min("day"), last=Max("day"), days=Count("pk"))
    }
    return tuple(_step(name, newest.get(name), failed.get(name, 0), filled.get(name)) for name in NAMES)


def _step(name: str, run: StepRun | None, failed: int, filled: tuple[Any, Any, int] | None) -> StepLine:
    title, does = STEPS[name]
    length = run.finished_at - run.started_at if run and run.finished_at and run.started_at else None
    return StepLine(
        name=name,
        title=str(title),
        does=str(does),
        state=run.state if run else "",
        state_title=str(RUN_STATES[run.state]) if run else _("never ran"),
        finished=run.finished_at if run else None,
        duration=written.span(length) if length is not None else "",
        failed=failed,
        filled=written.day_range(filled[0], filled[1]) if filled else "",
        url=f"{reverse('runs')}?{urlencode({'step': name})}",
    )


def _trouble(run: StepRun) -> Trouble:
    problems = [Problem(**told) for told in run.problems]
    if not problems:
        problems = [Problem("error", run.step, run.key, run.message or run.step)]
    last = run.window_end - timedelta(days=1) if run.window_end else None
    days = written.day_range(run.window_start, last) if run.window_start and last else ""
    title = " · ".join(part for part in (step_title(run.step), run.source, days) if part)
    return Trouble(run.pk, title, str(ADVICE.get(run.failure, "")), grouped(problems))
