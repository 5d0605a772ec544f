"""The page of forecasts: what cost will be, where month and quarter land, and how far to believe it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import colours
from apps.charts.fan import FanDay, FanWords, fan
from apps.charts.figures import Figure
from apps.dashboards import naming
from apps.dashboards.asking import Asked
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.insights import selectors
from apps.insights.models import Forecast, ForecastRun, PlannedChange
from apps.insights.planned.entering import Draft
from apps.marts import selectors as marts
from apps.marts.query import BadQuestion, CostQuery, Scope
from apps.teams.approval import Actor
from apps.teams.organising import tree
from apps.teams.tree import KINDS as KINDS_OF_UNITS

LEVELS: dict[str, Promise] = {
    "total": gettext_lazy("All cost"), "team": gettext_lazy("Team"), "service": gettext_lazy("Service"),
    "cluster": gettext_lazy("Cluster"), "company": gettext_lazy("Company"), "unit": gettext_lazy("Business unit"),
    "department": gettext_lazy("Department"), "cost_center": gettext_lazy("Cost centre"),
}  # fmt: skip
WITHOUT: dict[str, Promise] = {
    "company": gettext_lazy("Without a company"), "unit": gettext_lazy("Without a business unit"),
    "department": gettext_lazy("Without a department"), "cost_center": gettext_lazy("Without a cost centre"),
}  # fmt: skip
KINDS: dict[str, Promise] = {"month": gettext_lazy("End of month"), "quarter": gettext_lazy("End of quarter")}
DAYS_BEFORE = 60
EVENTS: dict[str, Promise] = {
    "amount": gettext_lazy("Planned change"),
    "percent": gettext_lazy("Planned change of %(percent)s %%"),
    "commitment_end": gettext_lazy("Commitment %(name)s ends"),
    "commitment_start": gettext_lazy("Commitment %(name)s begins"),
}


@dataclass(frozen=True)
class Landing:
    """Where a month or quarter ends, with the bounds it lies between."""

    title: Promise
    period: str
    so_far: Decimal
    mean: Decimal
    low_80: Decimal
    high_80: Decimal
    low_95: Decimal
    high_95: Decimal
    known: Decimal
    ahead: Decimal


@dataclass(frozen=True)
class KnownLine:
    """A change known ahead, as it is to what is shown; `number` where somebody planned it and it can be withdrawn."""

    title: str
    first_day: date
    per_day: Decimal
    is_counted: bool
    note: str
    number: str = ""


@dataclass(frozen=True)
class ForecastLine:
    """One series in the table; shares of errors are of the total of four weeks."""

    title: str
    url: str
    is_here: bool
    month: Landing
    quarter: Landing
    off: Decimal | None
    naive_off: Decimal | None
    is_naive: bool


@dataclass(frozen=True)
class ForecastsPage:
    """What the page shows; without `run` nothing was forecast yet, without `chosen` nothing of what one may see."""

    run: ForecastRun | None
    levels: tuple[tuple[str, Promise], ...] = ()
    level: str = ""
    currencies: tuple[str, ...] = ()
    currency: str = ""
    title: str = ""
    chosen: Forecast | None = None
    landings: tuple[Landing, ...] = ()
    sentence: str = ""
    figure: FigureLink | None = None
    lines: tuple[ForecastLine, ...] = ()
    known: tuple[KnownLine, ...] = ()
    teams: tuple[tuple[str, str], ...] = ()
    may_plan_all: bool = False

    @property
    def why_params(self) -> str:
        """What the page that says why is asked of this series: of the month that lands, so far."""
        one = self.chosen
        if one is None:
            return ""
        narrowed = {one.level: one.key} if one.level != "total" else {}
        return urlencode({"period": "month", "currency": one.currency} | narrowed)


def page(given: Mapping[str, Any], scope: Scope, by: Actor) -> ForecastsPage:
    """The forecast an address names, by default of the largest series one may see, among those of its level."""
    if not selectors.is_any():
        return ForecastsPage(None)
    run = selectors.newest_run()
    found = selectors.forecasts(run, scope, by_day=False)
    if not found:
        return ForecastsPage(run)
    chosen = _chosen(found, given)
    beside = [one for one in found if (one.level, one.currency) == (chosen.level, chosen.currency)]
    return ForecastsPage(
        run=run,
        levels=tuple((level, LEVELS[level]) for level in LEVELS if any(one.level == level for one in found)),
        level=chosen.level,
        currencies=tuple(sorted({one.currency for one in found})),
        currency=chosen.currency,
        title=_title(chosen),
        chosen=chosen,
        landings=_landings(chosen),
        sentence=_sentence(chosen),
        figure=_link(chosen),
        lines=tuple(_line(one, one == chosen) for one in beside),
        known=tuple(_known(event, by) for event in chosen.events),
        teams=_plannable(by),
        may_plan_all=by.teams is None,
    )


@dataclass(frozen=True)
class LandingCard:
    """A forecast in short, for the page of what it is of: where the month lands, its fan, and the way to the rest.

    `is_partial`: the page counts other currencies too, converted; the forecast does not.
    """

    landing: Landing
    currency: str
    url: str
    figure: FigureLink
    is_partial: bool


def card(asked: Asked, narrowed: Mapping[str, str]) -> LandingCard | None:
    """The newest forecast of what a page shows, in its currency, the first where its period has none; None where there
    is none that one may see, and beside costs of an earlier publication.

    Whoever sees one team only sees it on the overview too; of several there is no forecast of the sum.
    """
    if not narrowed and asked.scope.teams is not None and len(asked.scope.teams) == 1:
        narrowed = {"team": next(iter(asked.scope.teams))}
    if len(narrowed) > 1 or not selectors.is_any():
        return None
    run = selectors.newest_run()
    if asked.pinned and run.publication != asked.publication:
        return None
    ((level, key),) = narrowed.items() or (("total", ""),)
    found = selectors.forecasts(run, asked.scope, level=level, key=key, by_day=False)
    wanted = asked.currency or min((one.currency for one in found), default="")
    one = next((one for one in found if one.currency == wanted), None)
    if one is None:
        return None
    url = f"{reverse('forecasts')}?{_params(one)}"
    return LandingCard(_landings(one)[0], one.currency, url, _link(one), bool(asked.reporting) and len(found) > 1)


def draft(given: Mapping[str, str]) -> Draft:
    """A planned change as the form of the page writes it."""
    text = given.get("first_day", "").strip()
    try:
        first_day = date.fromisoformat(text) if text else None
    except ValueError:
        first_day = None
    number, is_percent = given.get("change", "").strip(), given.get("unit") == "percent"
    return Draft(
        first_day=first_day,
        amount="" if is_percent else number,
        percent=number if is_percent else "",
        currency="" if is_percent else given.get("unit", ""),
        **{name: given.get(name, "").strip() for name in ("team", "service", "commitment", "note")},
    )


def figure(given: Mapping[str, Any], scope: Scope) -> Figure | None:
    """The fan of the forecast an address names; None where there is none that one may see."""
    found = selectors.forecasts(selectors.newest_run(), scope, by_day=False) if selectors.is_any() else []
    if not found:
        return None
    chosen = _chosen(found, given)
    colour = naming.directory().colour(chosen.key) if chosen.level == "team" else colours.KINDS["direct"]
    ahead = [FanDay(day, *(float(amount) for amount in amounts)) for day, amounts in selectors.days_of(chosen)]
    words = FanWords(_("Cost"), _("Forecast"), _("80 of 100 cases"), _("95 of 100 cases"), _("Known ahead"))
    marks = [(date.fromisoformat(event["first_day"]), str(_known(event).title)) for event in chosen.events]
    return fan(
        _history(chosen, scope), ahead, colour=colour, currency=chosen.currency, words=words, marks=marks,
        day_format=str(DAY_FORMAT["day"]),
    )  # fmt: skip


def _history(chosen: Forecast, scope: Scope) -> list[Any]:
    first = chosen.begin
    if first is None:
        return []
    query = CostQuery(
        first - timedelta(days=DAYS_BEFORE), first, group_by=("day",), scope=scope, as_of=chosen.run.publication,
        filters=(("currency", (chosen.currency,)),),
    )  # fmt: skip
    if chosen.level != "total":
        query = query.narrowed(**{chosen.level: chosen.key})
    return [(day, float(cost)) for day, _currency, cost in marts.answer(query).rows]


def _chosen(found: list[Forecast], given: Mapping[str, Any]) -> Forecast:
    fitting = found
    for name in ("level", "currency", "key"):
        if name in given and (name == "key" or given[name]):
            fitting = [one for one in fitting if getattr(one, name) == given[name]]
    if not fitting:
        raise BadQuestion(_("There is no such forecast."))
    return fitting[0]


def _title(one: Forecast) -> str:
    if one.level == "total":
        return str(LEVELS["total"])
    if one.level in WITHOUT and not one.key:
        return str(WITHOUT[one.level])
    if one.level in KINDS_OF_UNITS:
        unit = tree().by_name.get(one.key)
        return unit.title or one.key if unit else one.key
    return naming.directory().title(one.key) if one.level == "team" else naming.called(one.level, one.key)


def _landings(one: Forecast) -> tuple[Landing, ...]:
    names = ("so_far", "mean", "low_80", "high_80", "low_95", "high_95", "known", "ahead")
    return tuple(
        # Forecasts made before anything was known or charged ahead do not say what was.
        Landing(KINDS[told["kind"]], told["period"], *(Decimal(told.get(name, "0")) for name in names))
        for told in one.landings
    )


def _known(event: Mapping[str, str], by: Actor | None = None) -> KnownLine:
    """A change in words: what changes from its day on."""
    is_planned = event["kind"] in PlannedChange.Kind.values
    of = " · ".join(
        part for part in (naming.directory().title(event["team"]) if event["team"] else "", event["service"]) if part
    )
    title = str(EVENTS[event["kind"]]) % {"percent": event["percent"], "name": event["note"]}
    may = is_planned and by is not None and (by.teams is None or event["team"] in by.teams)
    return KnownLine(
        f"{title} ({of})" if of else title, date.fromisoformat(event["first_day"]), Decimal(event["per_day"]),
        event["kind"] != "commitment_start", event["note"] if is_planned else "", event["ref"] if may else "",
    )  # fmt: skip


def _plannable(by: Actor) -> tuple[tuple[str, str], ...]:
    """The teams somebody may plan changes of."""
    titles = naming.directory().titles
    return tuple((name, titles[name] or name) for name in titles if by.teams is None or name in by.teams)


def _line(one: Forecast, is_here: bool) -> ForecastLine:
    month, quarter = _landings(one)
    return ForecastLine(
        _title(one), f"{reverse('forecasts')}?{_params(one)}", is_here, month, quarter, _share(one.total_error),
        _share(one.naive_total_error), one.is_naive,
    )  # fmt: skip


def _share(share: float | None) -> Decimal | None:
    """A share in hundredths, as pages write it."""
    return None if share is None else Decimal(str(round(share * 100, 4)))


def _params(one: Forecast) -> str:
    return urlencode({"level": one.level, "key": one.key, "currency": one.currency})


def _sentence(one: Forecast) -> str:
    """How far to believe it: by how much it was off, beside the naive, since when."""
    if one.total_error is None or one.naive_total_error is None:
        return _("There is not enough history yet to say how good this forecast is.")
    facts = {
        "off": written.percent(_share(one.total_error)), "naive": written.percent(_share(one.naive_total_error)),
        "origins": one.origins, "first": written.day(one.backtest_first_day), "days": one.total_days,
    }  # fmt: skip
    if one.is_naive:
        return (
            _(
                "Off by %(naive)s on average over %(days)s days, tried from %(origins)s past days since %(first)s: "
                "last week repeated was not beaten, so that is what is shown."
            )
            % facts
        )
    told = (
        _(
            "Off by %(off)s on average over %(days)s days, tried from %(origins)s past days since %(first)s; last week "
            "repeated: %(naive)s."
        )
        % facts
    )
    return f"{told} {_why_not_last_week(one)}".rstrip()


def _why_not_last_week(one: Forecast) -> str:
    """Why a forecast ships whose totals were off by more than last week repeated; '' where they were not."""
    if (one.total_error or 0) <= (one.naive_total_error or 0):
        return ""
    if (one.mase or 0) < (one.naive_mase or 0):
        return _("Day by day it was the nearer one.")
    return _("So short a history says little of which of the two is better; this one usually is.")


def _link(one: Forecast) -> FigureLink:
    url = f"{reverse('figure-forecast')}?{_params(one)}"
    return FigureLink("figure-forecast", url, _title(one), one.currency, _sentence(one))
