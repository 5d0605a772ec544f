"""Reading estimates: of days that wait for their bill, and how good they were of days whose bill has come."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

import ibis.expr.types as ir

from apps.finops.money import add_up, less
from apps.finops.tables import CHARGES, COST_MART, ESTIMATES, MONEY
from apps.finops.windows import ONE_DAY
from apps.ingest.selectors import retired_sources
from apps.marts.billed import MEASURED, Reach, reaches, usage_days, waiting
from apps.marts.models import Publication
from apps.marts.placing import placed
from apps.marts.query import Answer, CostQuery, Scope
from apps.marts.recent import Rows
from apps.marts.scoping import visible
from apps.marts.selectors import facts, grouped, publication, with_versions
from apps.rates.selectors import UsedRate
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

COMPARED_DAYS = 30
"""How many of the last estimated days are compared with their bills."""
Pairs = set[tuple[str, date]]
"""(source, day)."""
_WIDE = Context(prec=80)
_TENTH = Decimal("0.1")


def waits_now() -> dict[str, tuple[date, ...]]:
    """The days that wait for their bill, by source, as the lake is now."""
    versions = {table.name: lake.version(table) for table in MEASURED}
    return waiting(reaches(lake.version(CHARGES)), usage_days(versions), but=retired_sources())


def waits_of(pinned: Publication) -> Pairs:
    """The (source, day) that wait for their bill in a publication."""
    found = waiting(_reaches(pinned), usage_days(pinned.versions), but=retired_sources())
    return {(source, day) for source, late in found.items() for day in late}


def _reaches(pinned: Publication) -> dict[str, Reach]:
    return reaches(pinned.versions[CHARGES.name]) if CHARGES.name in pinned.versions else {}


def _files(pinned: Publication) -> Iterator[tuple[tuple[str, date], lake.StoredFile]]:
    """The files of estimates a publication pins, by (source, day)."""
    if ESTIMATES.name in pinned.versions:
        for file in lake.files(ESTIMATES, at=pinned.versions[ESTIMATES.name]):
            yield (file.partition["source"], date.fromisoformat(file.partition["day"])), file


def _scan(pinned: Publication, pairs: Pairs) -> ir.Table:
    return lake.scan(ESTIMATES, only=[file for key, file in _files(pinned) if key in pairs])


def reach_of(pinned: Publication) -> tuple[date | None, date | None]:
    """The first day of a publication and the day after its last, the days that wait for a bill among them."""
    late = [day for _, day in waits_of(pinned)]
    first = min([*late, *([pinned.first_day] if pinned.first_day else [])], default=None)
    return first, max([day + ONE_DAY for day in late] + ([pinned.end_day] if pinned.end_day else []), default=None)


@dataclass(frozen=True)
class PriceSource:
    """Where the prices of an estimate are from: `priced_by` says what was looked up, `first` and `last` of which days'
    bills; None for platform cost, which follows its nodes."""

    priced_by: str
    currency: str
    first: date | None
    last: date | None
    cost: Decimal


@dataclass(frozen=True)
class Estimated:
    """The answer to a question about days that wait for their bill, and where its prices are from."""

    answer: Answer
    prices: tuple[PriceSource, ...]


def estimates(query: CostQuery) -> Estimated:
    """What the days of a question are estimated to cost that have no bill: never a part of what `marts` answers."""
    pinned = publication(query.as_of)
    asked = with_versions(replace(query, as_of=pinned.number))
    pairs = {(source, day) for source, day in waits_of(pinned) if query.start <= day < query.end}
    found, rates, prices = _told(pinned, asked, pairs) if pairs else ((), (), ())
    groups = asked.group_by if "currency" in asked.group_by else (*asked.group_by, "currency")
    answer = Answer(asked, facts(pinned, asked.start, asked.end), (*groups, asked.metric), found, rates)
    return Estimated(answer, prices)


def _told(
    pinned: Publication, asked: CostQuery, pairs: Pairs
) -> tuple[Rows, tuple[UsedRate, ...], tuple[PriceSource, ...]]:
    rows = _scan(pinned, pairs)
    rows = rows.mutate(month=rows.day.strftime("%Y-%m"))
    found, rates = grouped(rows, asked)
    return found, rates, tuple(_prices(rows, asked)) if found else ()


def _prices(rows: ir.Table, query: CostQuery) -> Iterator[PriceSource]:
    """By what the estimates of a question are priced, in the currencies of the bills."""
    rows = visible(placed(rows, query), query.scope)
    told = rows.group_by("priced_by", "currency").aggregate(
        first=rows.priced_on.min(), last=rows.priced_on.max(), cost=rows[query.metric].sum().cast(MONEY)
    )
    yield from (PriceSource(*row) for row in rows_of(told.order_by("currency", "priced_by")))


@dataclass(frozen=True)
class Cell:
    """What a team's day was estimated to cost, and what its bill said then: usage only."""

    day: date
    team: str
    currency: str
    estimated: Decimal
    actual: Decimal

    @property
    def difference(self) -> Decimal:
        """Above zero: estimated too high."""
        return less(self.estimated, self.actual)


@dataclass(frozen=True)
class Goodness:
    """How good some estimates were: sums of one currency.

    `error_percent`: the differences of all cells, signs left out, in hundredths of what was billed (weighted absolute
    percentage error). `bias_percent`: the same with signs: above zero, estimates were too high on the whole. None where
    nothing was billed.
    """

    estimated: Decimal
    actual: Decimal
    off: Decimal

    @property
    def difference(self) -> Decimal:
        return less(self.estimated, self.actual)

    @property
    def error_percent(self) -> Decimal | None:
        return _percent(self.off, self.actual)

    @property
    def bias_percent(self) -> Decimal | None:
        return _percent(self.difference, self.actual)


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    if whole <= 0:
        return None
    return (_WIDE.divide(part, whole) * 100).quantize(_TENTH, rounding=ROUND_HALF_EVEN, context=_WIDE)


def goodness(cells: Iterable[Cell]) -> Goodness:
    """Cells of one currency together."""
    kept = list(cells)
    return Goodness(
        add_up(one.estimated for one in kept),
        add_up(one.actual for one in kept),
        add_up(abs(one.difference) for one in kept),
    )


@dataclass(frozen=True)
class Accuracy:
    """Estimates against bills, cell by cell: of the last estimated days whose bill has come, in the order of days."""

    metric: str
    publication: int
    cells: tuple[Cell, ...]

    def by(self, *names: str) -> dict[tuple[str, ...], Goodness]:
        """How good estimates were by some of `day`, `team`, and always by currency, in order."""
        found: dict[tuple[str, ...], list[Cell]] = {}
        for cell in self.cells:
            key = (*(getattr(cell, name) for name in names), cell.currency)
            found.setdefault(key, []).append(cell)
        return {key: goodness(cells) for key, cells in sorted(found.items())}


def accuracy(
    *, scope: Scope, metric: str = "effective_cost", team: str | None = None, as_of: int | None = None
) -> Accuracy:
    """How good the estimates of the last COMPARED_DAYS estimated days were, whose bills a publication holds."""
    pinned = publication(as_of)
    pairs = _compared(pinned)
    if not pairs:
        return Accuracy(metric, pinned.number, ())
    told = _by_team(_scan(pinned, pairs), metric, scope, team)
    months = {f"{day:%Y-%m}" for _, day in pairs}
    mart = lake.files(COST_MART, at=pinned.versions[COST_MART.name])
    rows = lake.scan(COST_MART, only=[file for file in mart if file.partition["month"] in months])
    came = _by_team(rows.filter(rows.charge_category == "Usage"), metric, scope, team)
    sums: dict[tuple[date, str, str], list[list[Decimal]]] = {}
    for place, found in enumerate((told, came)):
        for (source, day, name, currency), cost in found.items():
            if (source, day) in pairs:
                sums.setdefault((day, name, currency), [[], []])[place].append(cost)
    cells = [Cell(*key, *(add_up(costs) for costs in both)) for key, both in sorted(sums.items())]
    return Accuracy(metric, pinned.number, tuple(cells))


def _compared(pinned: Publication) -> Pairs:
    """The (source, day) that were estimated and are billed now, of the last days."""
    found = _reaches(pinned)
    pairs = {key for key, _ in _files(pinned) if key[0] in found and found[key[0]].days[-1:] >= (key[1],)}
    days = sorted({day for _, day in pairs})[-COMPARED_DAYS:]
    return {(source, day) for source, day in pairs if day in days}


def _by_team(
    rows: ir.Table, metric: str, scope: Scope, team: str | None
) -> Mapping[tuple[str, date, str, str], Decimal]:
    if team is not None:
        rows = rows.filter(rows.team == team)
    rows = visible(rows, scope)
    summed = rows.group_by("source", "day", "team", "currency").aggregate(cost=rows[metric].sum().cast(MONEY))
    return {(source, day, name, currency): cost for source, day, name, currency, cost in rows_of(summed)}
