"""The question about cost per unit, and its answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, overload

from apps.finops.units import Change
from apps.finops.windows import Window
from apps.marts.query import EVERYTHING, BadQuestion, CostQuery, PublicationFacts, Scope
from apps.rates.selectors import UsedRate
from apps.units.csv_file import SCOPES, is_driver_name

GRAINS = ("day", "month", "all")
"""What a row is about: a day, a calendar month, or all days asked about."""
LIST_COST = "list_cost"
"""The resource where none is named: what the list prices of everything that was used add up to."""


@dataclass(frozen=True)
class UnitQuery:
    """What a unit of `driver` cost, by team, service or namespace, in the days `start` <= day < `end`.

    `resource` is what efficiency is measured by: another driver, or the list cost. `drivers_as_of` is a version of the
    drivers (the newest when absent); the rest is as in a CostQuery.
    """

    driver: str
    by: str
    start: date
    end: date
    grain: str = "day"
    metric: str = "effective_cost"
    resource: str = LIST_COST
    currency: str | None = None
    as_of: int | None = None
    rates_as_of: int | None = None
    drivers_as_of: int | None = None
    scope: Scope = field(default=EVERYTHING)

    def __post_init__(self) -> None:
        if self.by not in SCOPES:
            raise BadQuestion(f"by: {self.by!r} is not one of {', '.join(SCOPES)}")
        if self.grain not in GRAINS:
            raise BadQuestion(f"grain: {self.grain!r} is not one of {', '.join(GRAINS)}")
        for name, value in (("driver", self.driver), ("resource", self.resource)):
            if not is_driver_name(value):
                raise BadQuestion(f"{name}: {value[:60]!r} is not the name of a driver")
        if self.scope.teams is not None and self.by != "team":
            raise BadQuestion("by: those who see some teams only may ask by team; a namespace may be several teams'")
        self.costs(self.metric)

    def costs(self, metric: str) -> CostQuery:
        """The cost question behind it."""
        return CostQuery(
            self.start, self.end, metric=metric, group_by=("day", self.by), as_of=self.as_of, scope=self.scope,
            currency=self.currency, rates_as_of=self.rates_as_of,
        )  # fmt: skip


@dataclass(frozen=True)
class UnitRow:
    """Cost per unit of one subject in one day or month.

    `cost` is of the `days` that came and on which the driver was told, `quantity` the units of these days (None where
    it was told on none), `unit_cost` the one by the other, half-even to twelve decimals, None without units.
    `cost_without_driver` is of days on which nobody told how many units there were: unknown, not zero.
    """

    period: str
    subject: str
    currency: str
    cost: Decimal
    quantity: Decimal | None
    unit_cost: Decimal | None
    days: int
    cost_without_driver: Decimal


COLUMNS = ("period", "subject", "currency", "cost", "quantity", "unit_cost", "days", "cost_without_driver")


@dataclass(frozen=True)
class UnitRows(Sequence[UnitRow]):
    """Rows that are made when they are asked for: of thirteen months day by day, a page shows few."""

    keys: Sequence[Any]
    make: Callable[[Any], UnitRow]

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, at: int) -> UnitRow: ...
    @overload
    def __getitem__(self, at: slice) -> list[UnitRow]: ...
    def __getitem__(self, at: int | slice) -> UnitRow | list[UnitRow]:
        return [self.make(key) for key in self.keys[at]] if isinstance(at, slice) else self.make(self.keys[at])


@dataclass(frozen=True)
class UnitAnswer:
    """Rows in the order of period, subject and currency; `totals` the same of all subjects together."""

    query: UnitQuery
    publication: PublicationFacts
    version: int
    rows: UnitRows
    totals: tuple[UnitRow, ...]
    rates: tuple[UsedRate, ...]


@dataclass(frozen=True)
class Bridge:
    """The change between two periods in one currency: of all subjects, and of each.

    `without_driver` is the cost before and after that no driver was told for: it is not part of the change.
    """

    currency: str
    total: Change
    subjects: dict[str, Change]
    without_driver: tuple[Decimal, Decimal]


@dataclass(frozen=True)
class ChangeAnswer:
    """A bridge for each currency, of the days that came: `query` asks of those. Where nothing of the period is
    published, or not all of the one before, there is none, and `unknown_because` says why."""

    query: UnitQuery
    before: Window
    publication: PublicationFacts
    version: int
    bridges: tuple[Bridge, ...]
    rates: tuple[UsedRate, ...]
    unknown_because: str = ""
