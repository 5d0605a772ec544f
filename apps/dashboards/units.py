"""The page of cost per unit: what a request, a student or an order costs, and why that changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import colours, figures
from apps.dashboards import naming
from apps.dashboards.asking import METRICS, Asked
from apps.dashboards.cells import link, whole
from apps.dashboards.forms import naming_compared
from apps.dashboards.lines import NOTABLE, hundredths, total_of
from apps.dashboards.selectors import Choice, choices, compared
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import DAY_FORMAT, FigureLink, moment
from apps.finops.units import Change
from apps.marts.cell import cell
from apps.marts.query import BadQuestion, PublicationFacts
from apps.rates.selectors import UsedRate
from apps.units.models import DriverVersion
from apps.units.query import LIST_COST, Bridge, UnitQuery, UnitRow
from apps.units.selectors import driver_version, drivers, quantities, unit_change, unit_costs

LINES = 8
SCOPES: dict[str, Promise] = {
    "team": gettext_lazy("%(driver)s, by team"),
    "service": gettext_lazy("%(driver)s, by service"),
    "namespace": gettext_lazy("%(driver)s, by namespace"),
}
EFFECTS: dict[str, tuple[Promise, Promise]] = {
    "volume": (gettext_lazy("Volume"), gettext_lazy("more or fewer units in all")),
    "mix": (gettext_lazy("Mix"), gettext_lazy("more of the units where one costs more or less")),
    "efficiency": (gettext_lazy("Efficiency"), gettext_lazy("a unit takes more or less of the resource")),
    "price": (gettext_lazy("Price"), gettext_lazy("the resource costs more or less")),
}
"""Effect → its name and what it means."""


@dataclass(frozen=True)
class Measure:
    """What cost is divided by, by whom, and what efficiency is measured by."""

    driver: str
    by: str
    resource: str

    @property
    def key(self) -> str:
        return f"{self.driver}:{self.by}"

    @property
    def title(self) -> str:
        """What cost is divided by, as people say it."""
        return naming.driver(self.driver)

    @property
    def resource_title(self) -> str:
        """What efficiency is measured by, as people say it."""
        return _resource_title(self.resource)

    def query(self, asked: Asked, grain: str) -> UnitQuery:
        return UnitQuery(
            self.driver, self.by, asked.window.start, asked.window.end, grain=grain, metric=asked.metric,
            resource=self.resource, currency=asked.reporting or None, as_of=asked.publication, scope=asked.scope,
        )  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """One of the four effects in words."""

    title: Promise
    meaning: Promise
    amount: Decimal


@dataclass(frozen=True)
class UnitLine:
    """One team, service or namespace in the period: its cost, units and cost per unit, and why its cost changed."""

    title: str
    cost: Decimal
    quantity: Decimal | None
    unit_cost: Decimal | None
    change: Change | None
    explain: str = ""


@dataclass(frozen=True)
class UnitsPage:
    """What the page shows; without `measure` no driver was told yet, or where there are `measures` none has units of
    the reader's teams. `effects` are empty where nothing is compared."""

    asked: Asked
    facts: PublicationFacts
    currencies: tuple[Choice, ...]
    measure: Measure | None
    measures: tuple[Choice, ...] = ()
    resources: tuple[Choice, ...] = ()
    figures: tuple[FigureLink, ...] = ()
    lines: tuple[UnitLine, ...] = ()
    total: UnitLine | None = None
    effects: tuple[Effect, ...] = ()
    unit_cost_before: Decimal | None = None
    without_driver: Decimal = Decimal(0)
    version: DriverVersion | None = None
    rates: tuple[UsedRate, ...] = ()

    @property
    def has_units(self) -> bool:
        """Whether units of the period or of the one before were told: without them nothing is drawn."""
        is_now = self.total is not None and self.total.quantity is not None
        return is_now or self.unit_cost_before is not None

    @property
    def unit_change(self) -> Decimal | None:
        """By how much a unit got dearer or cheaper, in hundredths; None where one of the two is not known."""
        now, before = self.total.unit_cost if self.total else None, self.unit_cost_before
        return None if now is None or before is None else hundredths(now - before, before)

    @property
    def tone(self) -> str:
        """`up`, `down`, or `same` for what is not worth a colour."""
        change = self.unit_change
        if change is None or abs(change) < NOTABLE:
            return "same"
        return "up" if change > 0 else "down"


def read_measure(given: Mapping[str, Any], asked: Asked) -> Measure | None:
    """The driver an address names, by default the first that has units of the reader's teams; None where there is none.
    A lead asks by team."""
    known = _known(asked)
    named = given.get("driver", "") or next((f"{name}:{by}" for name, by in known if _has_units(asked, name, by)), "")
    if not known or not named:
        return None
    driver, by = named.rpartition(":")[::2]
    resource = given.get("resource", "") or LIST_COST
    if (driver, by) not in known or (resource != LIST_COST and (resource, by) not in known):
        raise BadQuestion(_("There is no such driver."))
    return Measure(driver, by, resource)


def units_page(asked: Asked, measure: Measure | None) -> UnitsPage:
    """Cost per unit in the period, and its change against the period before."""
    asked, answered, earlier = compared(asked)
    currencies = choices(asked, answered, earlier)
    if measure is None:
        return UnitsPage(asked, answered.publication, currencies, None, _measures(asked))
    found = unit_costs(measure.query(asked, "all"))
    bridge = _bridge(asked, measure)
    title = _titles(measure)
    ours = [row for row in found.rows if row.currency == asked.currency]
    changes = bridge.subjects if bridge else {}
    lines = [_line(title(row.subject), row, changes.get(row.subject), asked, measure.by) for row in ours if row.days]
    here = {row.subject for row in ours if row.days}
    lines += [
        UnitLine(title(subject), Decimal(0), None, None, change)
        for subject, change in changes.items()
        if subject not in here
    ]
    total = next((row for row in found.totals if row.currency == asked.currency), None)
    return UnitsPage(
        asked=asked,
        facts=found.publication,
        currencies=currencies,
        measure=measure,
        measures=_measures(asked),
        resources=_resources(measure),
        figures=_links(asked, measure, total, bridge),
        lines=tuple(sorted(lines, key=lambda line: (-line.cost, line.title))),
        total=_line("", total, bridge.total if bridge else None, asked, measure.by) if total else None,
        effects=tuple(Effect(*EFFECTS[name], getattr(bridge.total, name)) for name in EFFECTS) if bridge else (),
        unit_cost_before=_unit_cost_before(asked, measure) if bridge else None,
        without_driver=total.cost_without_driver if total else Decimal(0),
        version=driver_version(),
        rates=found.rates,
    )


def _unit_cost_before(asked: Asked, measure: Measure) -> Decimal | None:
    earlier = unit_costs(measure.query(asked.earlier, "all")).totals
    return next((row.unit_cost for row in earlier if row.currency == asked.currency), None)


def _measures(asked: Asked) -> tuple[Choice, ...]:
    return tuple(
        Choice(f"{driver}:{by}", str(SCOPES[by]) % {"driver": naming.driver(driver)}) for driver, by in _known(asked)
    )


def _known(asked: Asked) -> list[tuple[str, str]]:
    return [(driver, by) for driver, by in drivers() if asked.scope.teams is None or by == "team"]


def _has_units(asked: Asked, driver: str, by: str) -> bool:
    """Whether a driver has units of the reader's teams in the period; of who sees all, any will do."""
    teams = asked.scope.teams
    return teams is None or bool(quantities(driver, by, asked.window, driver_version(), of=teams))


def _resources(measure: Measure) -> tuple[Choice, ...]:
    others = [driver for driver, by in drivers() if by == measure.by and driver != measure.driver]
    return tuple(Choice(key, _resource_title(key)) for key in (LIST_COST, *others))


def _resource_title(key: str) -> str:
    return str(METRICS[LIST_COST]) if key == LIST_COST else naming.driver(key)


def _line(title: str, row: UnitRow, change: Change | None, asked: Asked, by: str) -> UnitLine:
    return UnitLine(title, row.cost, row.quantity, row.unit_cost, change, _explanation(asked, by, row))


def _explanation(asked: Asked, by: str, row: UnitRow) -> str:
    """What explains the cost of a row; nothing where it leaves out days without a driver, as no question does."""
    if row.cost_without_driver or not row.cost:
        return ""
    base = whole(asked)
    return link(cell(base, **{by: row.subject}) if row.subject else base)


def _titles(measure: Measure) -> Callable[[str], str]:
    if measure.by == "team":
        return naming.directory().title
    return lambda subject: naming.called(measure.by, subject)


def _bridge(asked: Asked, measure: Measure) -> Bridge | None:
    """Why cost changed in the currency of the page; None where the period before is not known."""
    if not asked.is_comparable:
        return None
    found = unit_change(measure.query(asked, "all"), asked.before)
    return next((bridge for bridge in found.bridges if bridge.currency == asked.currency), None)


def _links(asked: Asked, measure: Measure, total: UnitRow | None, bridge: Bridge | None) -> tuple[FigureLink, ...]:
    named = {"driver": measure.key, "resource": measure.resource}
    params = f"{asked.figure_params()}&{urlencode(named)}"
    unit = f"{asked.currency} ÷ {measure.title}"
    cost = total.unit_cost if total else None
    told = {"cost": written.precise(cost), "currency": asked.currency, "driver": measure.title}
    summary = _("%(driver)s: %(cost)s %(currency)s each on average.") % told
    line = FigureLink(
        "figure-units",
        f"{reverse('figure-units', args=['cost'])}?{params}",
        _("Cost per unit over time"),
        unit,
        summary,
    )
    if bridge is None:
        return (line,)
    return line, FigureLink(
        "figure-bridge",
        f"{reverse('figure-units', args=['bridge'])}?{params}&{urlencode(naming_compared(asked.before))}",
        _("Why cost changed"),
        asked.currency,
        _bridge_sentence(asked, bridge.total),
    )


def _bridge_sentence(asked: Asked, total: Change) -> str:
    parts = naming.joined([f"{EFFECTS[name][0]} {written.change(getattr(total, name))}" for name in EFFECTS])
    facts = {
        "before": written.money(total.before), "after": written.money(total.after), "parts": parts,
        "currency": asked.currency,
    }  # fmt: skip
    return _("From %(before)s to %(after)s %(currency)s: %(parts)s.") % facts


def figure(asked: Asked, measure: Measure, what: str) -> figures.Figure:
    """The figure `cost` (per unit, over time) or `bridge` (from the cost before to the cost after)."""
    asked, *_answers = compared(asked)
    if what == "bridge":
        bridge = _bridge(asked, measure)
        return figures.bridge(_steps(bridge.total) if bridge else [], currency=asked.currency)
    grain = "day" if asked.grain == "day" else "month"
    found = unit_costs(measure.query(asked, grain))
    rows = [row for row in (*found.totals, *found.rows) if row.currency == asked.currency and row.unit_cost is not None]
    bands = _bands(measure, rows)
    frame = pd.DataFrame(
        [(_moment(row.period), row.subject, row.unit_cost) for row in rows], columns=["time", "band", "cost"]
    )
    return figures.unit_lines(frame, bands=bands, currency=asked.currency, day_format=str(DAY_FORMAT[grain]))


def _moment(period: str) -> date:
    return moment(date.fromisoformat(period) if len(period) == 10 else period)


def _bands(measure: Measure, rows: list[UnitRow]) -> list[figures.Band]:
    """All together, and by themselves those that cost most."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.subject] = total_of([sums.get(row.subject, Decimal(0)), row.cost])
    largest = sorted((subject for subject in sums if subject), key=lambda one: (-sums[one], one))[:LINES]
    title, teams = _titles(measure), naming.directory()
    colour = teams.colour if measure.by == "team" else colours.by_name
    bands = [figures.Band(subject, title(subject), colour(subject)) for subject in largest]
    return [figures.Band("", _("All together"), colours.OTHERS, "dot"), *bands] if rows else []


def _steps(total: Change) -> list[figures.Step]:
    effects = [figures.Step(str(EFFECTS[name][0]), float(getattr(total, name))) for name in EFFECTS]
    return [
        figures.Step(_("Before"), float(total.before), is_level=True),
        *effects,
        figures.Step(_("After"), float(total.after), is_level=True),
    ]
