"""Reading forecasts, for those who may see them."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Q

from apps.finops.errors import CostOpsError
from apps.finops.once import once
from apps.insights.models import Forecast, ForecastRun
from apps.marts.query import Scope
from apps.teams.tree import LEVELS as ORGANISED

LEVELS = tuple(Forecast.Level.values)


class NoForecast(CostOpsError):
    """Nothing was forecast yet, or not for the publication asked for."""


def is_any() -> bool:
    """Whether anything was forecast yet."""
    return _newest() is not None


def newest_run(publication: int | None = None) -> ForecastRun:
    """The forecasts of a publication, by default the newest."""
    found = _newest() if publication is None else ForecastRun.objects.filter(publication=publication).first()
    if found is None:
        what = "" if publication is None else f" of publication {publication}"
        raise NoForecast(f"There is no forecast{what}; `manage.py fill --step forecast` makes one of the newest.")
    return found


def _newest() -> ForecastRun | None:
    return once(("newest forecast run",), lambda: ForecastRun.objects.order_by("-publication").first())


def forecasts(
    run: ForecastRun,
    scope: Scope,
    *,
    level: str | None = None,
    key: str | None = None,
    currency: str | None = None,
    by_day: bool = True,
) -> list[Forecast]:
    """The forecasts somebody may see, the largest landing first: those who see some teams see these teams, and what
    these teams alone are in. Their days are nearly all there is to read: not `by_day`, they are read when asked for."""
    rows = Forecast.objects.filter(run=run)
    rows = rows if by_day else rows.defer("days", "sums")
    if scope.teams is not None:
        rows = rows.filter(Q(level=Forecast.Level.TEAM, key__in=scope.teams) | Q(level__in=ORGANISED))
    for name, value in (("level", level), ("key", key), ("currency", currency)):
        if value is not None:
            rows = rows.filter(**{name: value})
    found = [one for one in rows if _may_see(one, scope)]
    for one in found:
        one.run = run
    return sorted(found, key=place_of)


def with_days(found: Iterable[Forecast]) -> list[Forecast]:
    """These forecasts, their days read at once."""
    chosen = list(found)
    read = {one.pk: one for one in Forecast.objects.filter(pk__in=[one.pk for one in chosen]).select_related("run")}
    return [read[one.pk] for one in chosen]


def _may_see(one: Forecast, scope: Scope) -> bool:
    if scope.teams is None:
        return True
    teams = [one.key] if one.level == Forecast.Level.TEAM else one.teams
    return bool(teams) and scope.teams.issuperset(teams)


def first_days(run: ForecastRun) -> dict[str, date]:
    """From which day on each currency is forecast."""
    totals = Forecast.objects.filter(run=run, level=Forecast.Level.TOTAL).values_list("currency", "first_day")
    return {currency: begin for currency, first in totals if (begin := first or run.first_day)}


def days_of(one: Forecast) -> list[tuple[date, list[str]]]:
    """Each day ahead with its mean, low and high of 80 %, low and high of 95 %."""
    first = one.begin
    if first is None:
        return []
    return [(first + timedelta(days=number), amounts) for number, amounts in enumerate(one.days)]


def place_of(one: Forecast) -> tuple[int, str, float, str]:
    return LEVELS.index(one.level), one.currency, -float(one.landings[0]["mean"]), one.key
