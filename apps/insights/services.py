"""Forecasting the days after those that are over in what was published, again when these, calendar or model change."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from apps.calendars.selectors import calendar, today
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.insights import forecasting, history
from apps.insights.history import History
from apps.insights.landed import land_anew
from apps.insights.models import Forecast, ForecastRun
from apps.insights.planned import entering
from apps.insights.runs import keep, looked_at, taken_over
from apps.learning.calendars import TooShort
from apps.marts.selectors import publication
from apps.teams.organising import newest_tree_number, tree_identity

MODEL_VERSION = "6"
"""Raised whenever the same costs would be forecast otherwise."""
KEPT_RUNS = 30
"""Forecasts of so many publications stay readable."""


def _settings() -> str:
    """What the company says of its days."""
    return f"{calendar()} {settings.COSTOPS_FISCAL_YEAR_START}"


def identity() -> str:
    """What forecasts depend on besides costs."""
    return f"{MODEL_VERSION} {_settings()} {tree_identity(newest_tree_number())} {entering.identity()}"


def forecast(*, now: datetime) -> StepResult:
    """Forecast the newest publication; the same costs are not learned from again."""
    pinned = publication()
    over = today(now)
    days = looked_at(pinned, f"{identity()} {history.charged_ahead(pinned, today=over)}", today=over)
    if (before := taken_over(ForecastRun, pinned.number, now, days=days)) is not None:
        return _result(before)
    histories = history.read(pinned, today=over)
    inputs = _fingerprint(histories)
    if (before := taken_over(ForecastRun, pinned.number, now, inputs=inputs)) is not None:
        land_anew(before, histories)
        ForecastRun.objects.filter(pk=before.pk).update(days=days)
        return _result(before)
    rows: list[Forecast] = []
    problems: list[Problem] = []
    for one in histories:
        try:
            rows += forecasting.forecast(one, calendar())
        except TooShort as short:
            problems.append(Problem("note", "too_short", one.currency, f"{short}; there will be one later."))
    run = ForecastRun(
        publication=pinned.number, model_version=MODEL_VERSION, inputs=inputs, days=days, created_at=now,
        first_day=max((one.end for one in histories), default=None),
        dropped_days=max((one.dropped for one in histories), default=0),
    )  # fmt: skip
    keep(run, rows, most=KEPT_RUNS)
    return _result(run, problems)


def _result(run: ForecastRun, problems: Iterable[Problem] = ()) -> StepResult:
    return StepResult(rows=run.forecasts.count(), problems=tuple(problems), versions={"publication": run.publication})


def _fingerprint(histories: list[History]) -> str:
    digest = hashlib.sha256(f"{MODEL_VERSION} {_settings()}".encode())
    for one in histories:
        costs = [
            (level, key, sorted(days.items()))
            for level, keys in sorted(one.costs.items())
            for key, days in sorted(keys.items())
        ]
        stands = [(span.start, span.end, sorted(span.members.items())) for span in one.standing.spans]
        digest.update(repr((one.currency, one.start, one.end, costs, stands, one.known)).encode())
    return digest.hexdigest()
