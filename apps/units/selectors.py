"""Reading drivers and asking for cost per unit: what was told, what it cost, and why that changed."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from apps.finops.money import NOTHING, add_up, divided
from apps.finops.once import once
from apps.finops.tables import DRIVERS
from apps.finops.units import Measured, split_change, total_change
from apps.finops.windows import Window
from apps.marts import selectors as marts
from apps.marts.comparing import unknown_because, window_before
from apps.marts.query import Answer, BadQuestion
from apps.marts.recent import Recent, Rows
from apps.units.models import DriverVersion
from apps.units.query import LIST_COST, Bridge, ChangeAnswer, UnitAnswer, UnitQuery, UnitRow, UnitRows
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

Place = tuple[date, str]
"""Day and subject."""
_recent: Recent[Rows] = Recent(100_000)


def versions() -> list[DriverVersion]:
    """Every upload of drivers, the newest first."""
    return list(DriverVersion.objects.order_by("-number"))


def driver_version(number: int | None = None) -> DriverVersion | None:
    """One version, the newest by default; None before the first."""
    if number is None:
        return once(("newest drivers",), DriverVersion.objects.order_by("-lake_version").first)
    found = DriverVersion.objects.filter(number=number).first()
    if found is None:
        raise BadQuestion(f"drivers_as_of: there is no version {number} of the drivers")
    return found


def drivers() -> list[tuple[str, str]]:
    """The drivers that are told and their scopes: (driver, team | service | namespace)."""
    pinned = driver_version()
    if pinned is None:
        return []
    files = lake.files(DRIVERS, at=pinned.lake_version)
    return sorted({(file.partition["driver"], file.partition["scope"]) for file in files})


def quantities(
    driver: str, scope: str, window: Window, at: DriverVersion | None, *, of: frozenset[str] | None = None
) -> dict[Place, Decimal]:
    """How many units each subject (or each `of` these) had on each day, at a version of the drivers."""
    every = [told(driver, scope, window, at, subject=one) for one in sorted(of)] if of is not None else []
    rows = itertools.chain(*every) if of is not None else told(driver, scope, window, at)
    return {(day, subject): quantity for day, subject, quantity, *_ in rows}


def told(
    driver: str, scope: str, window: Window, at: DriverVersion | None, *, subject: str | None = None
) -> list[tuple[date, str, Decimal, int, int]]:
    """Day, subject, quantity, and the version and line that told it, of all subjects or of one."""
    if at is None:
        return []
    key = repr((settings.COSTOPS_LAKE, at.number, at.created_at, driver, scope, window, subject))
    found = _recent.get(key)
    if found is None:
        every = _told(driver, scope, window, at) if subject is None else told(driver, scope, window, at)
        found = tuple(row for row in every if subject is None or row[1] == subject)
        _recent.put(key, found)
    return list(found)


def _told(driver: str, scope: str, window: Window, at: DriverVersion) -> list[tuple[Any, ...]]:
    chosen = [
        file
        for file in lake.files(DRIVERS, at=at.lake_version)
        if file.partition["driver"] == driver
        and file.partition["scope"] == scope
        and str(window.start) <= file.partition["day"] < str(window.end)
    ]
    rows = lake.scan(DRIVERS, only=chosen)
    return rows_of(rows.select("day", "subject", "quantity", "version", "line").order_by("day", "subject"))


@dataclass(frozen=True)
class _Facts:
    """Cost and resource by day, subject and currency; units by day and subject, of days that came: those of days whose
    bill has not would make a unit cheaper."""

    answer: Answer
    costs: Mapping[tuple[date, str, str], Decimal]
    resources: Mapping[tuple[date, str, str], Decimal]
    units: Mapping[Place, Decimal]
    used: Mapping[Place, Decimal] | None

    def is_measured(self, place: Place) -> bool:
        return place in self.units and (self.used is None or place in self.used)

    def resource(self, place: Place, currency: str) -> Decimal:
        return self.resources.get((*place, currency), NOTHING) if self.used is None else self.used[place]

    @property
    def currencies(self) -> list[str]:
        return sorted(self.answer.totals)

    def currencies_of(self, places: Iterable[Place]) -> list[str]:
        """Those that any of these cost something in; all, where none did: no cost is an answer too."""
        listed = list(places)
        charged = [one for one in self.currencies if any((*place, one) in self.costs for place in listed)]
        return charged or self.currencies


def _facts(query: UnitQuery, at: DriverVersion | None, *, with_resource: bool) -> _Facts:
    answered = marts.answer(query.costs(query.metric))
    window, teams = answered.publication.published.part_of(Window(query.start, query.end)), query.scope.teams
    units = quantities(query.driver, query.by, window, at, of=teams) if window else {}
    used = listed = None
    if with_resource and query.resource == LIST_COST:
        pinned = replace(query, rates_as_of=answered.query.rates_as_of)
        listed = marts.answer(pinned.costs(LIST_COST))
    elif with_resource:
        used = quantities(query.resource, query.by, window, at, of=teams) if window else {}
    return _Facts(answered, _amounts(answered), _amounts(listed) if listed else {}, units, used)


def _amounts(answered: Answer) -> dict[tuple[date, str, str], Decimal]:
    return {(day, subject, currency): amount for day, subject, currency, amount in answered.rows}


def _pinned(query: UnitQuery) -> tuple[UnitQuery, DriverVersion | None]:
    """The question with its publication and rates named, and the version of the drivers."""
    costs = marts.with_versions(query.costs(query.metric))
    publication = marts.publication(query.as_of).number
    at = driver_version(query.drivers_as_of)
    return replace(query, as_of=publication, rates_as_of=costs.rates_as_of), at


def unit_costs(query: UnitQuery) -> UnitAnswer:
    """Cost per unit by subject, and of all subjects that were told, per day or month."""
    query, at = _pinned(query)
    facts = _facts(query, at, with_resource=False)
    of_subjects: dict[tuple[str, str], set[Place]] = {}
    of_all: dict[str, set[Place]] = {}
    for place in {*facts.units, *((day, subject) for day, subject, _ in facts.costs)}:
        period = _period(query, place[0])
        of_subjects.setdefault((period, place[1]), set()).add(place)
        of_all.setdefault(period, set()).add(place)
    keys = [(*key, currency) for key in sorted(of_subjects) for currency in facts.currencies_of(of_subjects[key])]
    return UnitAnswer(
        query=query,
        publication=facts.answer.publication,
        version=at.number if at else 0,
        rows=UnitRows(keys, lambda key: _row(facts, key[0], key[1], key[2], of_subjects[key[0], key[1]])),
        totals=tuple(
            _row(facts, period, "", currency, of_all[period])
            for period in sorted(of_all)
            for currency in facts.currencies
        ),
        rates=facts.answer.rates,
    )


def _period(query: UnitQuery, day: date) -> str:
    if query.grain == "all":
        return str(Window(query.start, query.end))
    return day.isoformat() if query.grain == "day" else f"{day:%Y-%m}"


def _row(facts: _Facts, period: str, subject: str, currency: str, places: set[Place]) -> UnitRow:
    measured = [place for place in places if facts.is_measured(place)]
    cost = _sum(facts.costs.get((*place, currency), NOTHING) for place in measured)
    quantity = _sum(facts.units[place] for place in measured) if measured else None
    unknown = [place for place in places if not facts.is_measured(place)]
    return UnitRow(
        period=period, subject=subject, currency=currency, cost=cost, quantity=quantity,
        unit_cost=None if quantity is None else divided(cost, quantity), days=len({day for day, _ in measured}),
        cost_without_driver=_sum(facts.costs.get((*place, currency), NOTHING) for place in unknown),
    )  # fmt: skip


def unit_change(query: UnitQuery, before: Window | None = None) -> ChangeAnswer:
    """Why cost changed against another period, by default the one that `previous` names for cost, by currency."""
    query, at = _pinned(query)
    pinned, asked = marts.publication(query.as_of), Window(query.start, query.end)
    before = before or window_before(query.costs(query.metric), "previous", pinned.published)
    compared = pinned.published.compared(asked, before)
    if compared is None:
        told = marts.facts(pinned, asked.start, asked.end)
        because = unknown_because(asked, before, pinned.published)
        return ChangeAnswer(query, before, told, at.number if at else 0, (), (), because)
    now, before = compared
    query = replace(query, start=now.start, end=now.end)
    new = _facts(query, at, with_resource=True)
    old = _facts(replace(query, start=before.start, end=before.end), at, with_resource=True)
    currencies = sorted({*new.currencies, *old.currencies})
    bridges = tuple(_bridge(currency, old, new) for currency in currencies)
    rates = tuple(sorted({*old.answer.rates, *new.answer.rates}, key=lambda rate: (rate.day, rate.source)))
    return ChangeAnswer(query, before, new.answer.publication, at.number if at else 0, bridges, rates)


def _bridge(currency: str, old: _Facts, new: _Facts) -> Bridge:
    changes = split_change(_measured(old, currency), _measured(new, currency))
    return Bridge(
        currency, total_change(changes.values()), changes, (_unmeasured(old, currency), _unmeasured(new, currency))
    )


def _measured(facts: _Facts, currency: str) -> dict[str, Measured]:
    places: dict[str, list[Place]] = {}
    for place in facts.units:
        if facts.is_measured(place):
            places.setdefault(place[1], []).append(place)
    return {
        subject: Measured(
            cost=_sum(facts.costs.get((*place, currency), NOTHING) for place in its),
            quantity=_sum(facts.units[place] for place in its),
            resource=_sum(facts.resource(place, currency) for place in its),
        )
        for subject, its in places.items()
    }


def _unmeasured(facts: _Facts, currency: str) -> Decimal:
    return _sum(
        cost
        for (day, subject, its), cost in facts.costs.items()
        if its == currency and not facts.is_measured((day, subject))
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return add_up([NOTHING, *amounts])
