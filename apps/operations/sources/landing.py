"""Months that land clearly above the last one, by the forecast of each team."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from apps.finops.findings import Finding, Sentence
from apps.finops.money import less, rounded
from apps.finops.windows import ONE_DAY
from apps.insights.models import Forecast
from apps.insights.selectors import forecasts, newest_run
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, CostQuery
from apps.marts.selectors import answer
from apps.teams.selectors import team_titles

KIND = "landing"
TITLE = "Look at why %(month)s will cost %(team)s more than the month before"
LANDS = "%(month)s is expected to land at %(mean)s %(currency)s, in 80 of 100 cases between %(low)s and %(high)s"
BEFORE = "%(last_month)s cost %(before)s %(currency)s; %(so_far)s %(currency)s are charged so far"
ALIKE = (
    "%(last_month)s cost %(before)s %(currency)s, which is %(alike)s for as many days; %(so_far)s %(currency)s are "
    "charged so far"
)
OFF = "At past days such forecasts of four weeks were off by %(off)s on average"
GONE = "The month is no longer expected to land clearly above the last"


def findings(pinned: Publication, _now: datetime) -> tuple[Finding, ...]:
    """Every team whose month lands above as many days of the last one even at the lower bound of 80 %."""
    run = newest_run(pinned.number)
    found = forecasts(run, EVERYTHING, level=Forecast.Level.TEAM)
    if not found or pinned.first_day is None:
        return ()
    last_day = date.fromisoformat(_month(found[0])["last_day"])
    start = last_day.replace(day=1)
    last_month = (start - ONE_DAY).replace(day=1)
    if pinned.first_day > last_month:
        return ()
    rows = answer(CostQuery(last_month, start, group_by=("team",), as_of=pinned.number)).rows
    before = {(team, currency): cost for team, currency, cost in rows}
    lengths = Fraction(last_day.day, (start - last_month).days)
    titles = team_titles()
    told = (_Before(before.get((one.key, one.currency), Decimal(0)), lengths) for one in found)
    above = (
        (one, cost) for one, cost in zip(found, told, strict=True) if 0 < cost.alike < Decimal(_month(one)["low_80"])
    )
    return tuple(_finding(one, titles.get(one.key, one.key), cost, start) for one, cost in above)


@dataclass(frozen=True)
class _Before:
    """What the last month cost, and `alike`, as many days of it as this one has: a longer month is no rise."""

    cost: Decimal
    lengths: Fraction

    @property
    def alike(self) -> Decimal:
        return rounded(Fraction(self.cost) * self.lengths)


def _month(one: Forecast) -> dict[str, Any]:
    told: dict[str, Any] = next(landing for landing in one.landings if landing["kind"] == "month")
    return told


def _finding(one: Forecast, title: str, before: _Before, start: date) -> Finding:
    month = _month(one)
    amounts = {name: Decimal(month[name]) for name in ("mean", "low_80", "high_80", "so_far")}
    written = {name: f"{amount:,.2f}" for name, amount in amounts.items()} | {"currency": one.currency}
    lands = {
        "month": month["period"], "mean": written["mean"], "currency": one.currency, "low": written["low_80"],
        "high": written["high_80"],
    }  # fmt: skip
    last_month = f"{start - timedelta(days=1):%Y-%m}"
    earlier = {
        "last_month": last_month, "before": f"{before.cost:,.2f}", "currency": one.currency,
        "so_far": written["so_far"],
    }  # fmt: skip
    was = (
        Sentence(BEFORE, earlier)
        if before.lengths == 1
        else Sentence(ALIKE, earlier | {"alike": f"{before.alike:,.2f}"})
    )
    off = [] if one.total_error is None else [Sentence(OFF, {"off": f"{one.total_error * 100:.1f} %"})]
    place = urlencode({"level": one.level, "key": one.key, "currency": one.currency})
    return Finding(
        kind=KIND,
        subject=f"{one.key} {month['period']}",
        team=one.key,
        title=Sentence(TITLE, {"month": month["period"], "team": title}),
        evidence=(Sentence(LANDS, lands), was, *off),
        currency=one.currency,
        saving_per_month=Decimal(0),
        since=start,
        link=f"{reverse('forecasts')}?{place}",
        amount_per_month=less(amounts["mean"], before.alike),
    )
