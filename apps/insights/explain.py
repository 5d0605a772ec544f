"""Explaining a number: the parts of pools it adds up from, and the bill rows behind those pools."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from apps.finops.money import add_up, rounded
from apps.ingest.lines import places
from apps.insights import behind
from apps.insights.weights import Weight, weights
from apps.marts.query import BadQuestion, CostQuery
from apps.marts.selectors import answer, publication, with_versions
from apps.rates.selectors import UsedRate
from apps.warehouse.engine import Workspace

MOST = 10_000
"""Parts and bill rows that can be asked for at once."""


@dataclass(frozen=True)
class Part:
    """What one pool contributed: `amount` of the `pool_amount` that pool held, by `rule` of `ruleset` (which holds the
    policies too). `weight` is what was measured of it, None where nothing was."""

    day: date
    pool: str
    resource: str
    service: str
    charge_category: str
    cluster: str
    namespace: str
    workload: str
    team: str
    kind: str
    rule: str
    ruleset: int
    currency: str
    amount: Decimal
    pool_amount: Decimal
    weight: Weight | None = None

    @property
    def share(self) -> Decimal | None:
        """amount ÷ pool_amount, rounded to twelve decimals; None for a pool of nothing."""
        return rounded(Fraction(self.amount) / Fraction(self.pool_amount)) if self.pool_amount else None


@dataclass(frozen=True)
class BillRow:
    """One charge behind the parts: `place` says file and line, `amount` what it cost as a whole."""

    place: str
    day: date
    resource: str
    service: str
    description: str
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class Conversion:
    """What `amount` of a day and currency became in the reporting currency, every row of the mart rounded by itself;
    `rate` is None for what is billed in that currency."""

    day: date
    currency: str
    amount: Decimal
    rate: UsedRate | None
    converted: Decimal


@dataclass(frozen=True)
class Explanation:
    """`answered` is the number itself, by currency: what pages, API and mail say. `totals` are the same as billed;
    `parts`, largest first, add up to them; `conversions` lead from them to `answered` where a reporting currency was
    asked for. `bill_total` by currency is what the bill rows behind all parts add up to, `pool_total` what their
    `pool_count` pools held: the two are equal. `parts` and `bill_rows` are cut to the limit asked for, the totals
    never are."""

    query: CostQuery
    publication: int
    answered: dict[str, Decimal]
    totals: dict[str, Decimal]
    conversions: tuple[Conversion, ...]
    parts: tuple[Part, ...]
    part_count: int
    bill_rows: tuple[BillRow, ...]
    bill_row_count: int
    pool_count: int
    pool_total: dict[str, Decimal]
    bill_total: dict[str, Decimal]

    @property
    def rates(self) -> tuple[UsedRate, ...]:
        return tuple(one.rate for one in self.conversions if one.rate)

    @property
    def adds_up(self) -> bool:
        """Bill rows to pools, parts to the number: every step comes to the same, to the last decimal."""
        if self.query.currency is None:
            return self.pool_total == self.bill_total and self.totals == self.answered
        converted = add_up(one.converted for one in self.conversions)
        return self.pool_total == self.bill_total and self.answered == {self.query.currency: converted}

    @property
    def sentence(self) -> str:
        metric, start, end = self.query.metric, self.query.start, self.query.end
        return (
            f"{_told(self.answered)} of {metric} from {start} until {end} (end excluded){self._converted} is made of "
            f"{self.part_count:,} parts of {self.pool_count:,} charge pools, behind which stand "
            f"{self.bill_row_count:,} bill rows (publication {self.publication})."
        )

    @property
    def _converted(self) -> str:
        if not self.rates:
            return ""
        if len(self.rates) == 1:
            rate = self.rates[0]
            by = f"{rate.source}→{rate.target} {rate.rate.normalize():f} of {rate.day}"
        else:
            by = f"{len(self.rates)} rates, each of its day"
        return f", billed as {_told(self.totals)} and converted by {by} (version {self.query.rates_as_of}),"


def _told(totals: dict[str, Decimal]) -> str:
    return " and ".join(f"{total:,.2f} {currency}" for currency, total in totals.items()) or "Nothing"


def explain(query: CostQuery, *, limit: int = 20) -> Explanation:
    """Walk from a number to the pools, rules and bill rows it was made of, as of the publication it came from.

    The question's groups are ignored: its window, filters and scope say which number. Raises BadQuestion when the
    publication's tables hold nothing under the question.
    """
    if not 1 <= limit <= MOST:
        small = "small; say how many rows to show, 1 or more"
        raise BadQuestion(f"limit: {limit} is too {small if limit < 1 else f'large; at most {MOST}'}")
    pinned = publication(query.as_of)
    asked = with_versions(replace(query, as_of=pinned.number, group_by=()))
    with Workspace() as workspace:
        lake = behind.Behind(asked, pinned, workspace)
        if not lake.totals:
            raise BadQuestion("There is no cost under this question; widen the window or the filters.")
        parts = [Part(*row) for row in lake.parts(limit)]
        weighed = weights(parts, pinned)
        return Explanation(
            query=asked,
            publication=pinned.number,
            answered=dict(answer(asked).totals),
            totals=lake.totals,
            conversions=_conversions(asked) if asked.currency else (),
            parts=tuple(replace(part, weight=weight) for part, weight in zip(parts, weighed, strict=True)),
            part_count=lake.part_count,
            bill_rows=placed(lake.bill_rows(limit)),
            bill_row_count=lake.bill_row_count,
            pool_count=lake.pool_count,
            pool_total=lake.pool_total,
            bill_total=lake.bill_total,
        )


def _conversions(query: CostQuery) -> tuple[Conversion, ...]:
    """Day by day and currency by currency, from what was billed to the reporting currency."""
    billed = answer(replace(query, currency=None, rates_as_of=None, group_by=("day",)))
    found = []
    for currency in sorted(billed.totals):
        told = answer(query.grouped("day").narrowed(currency=currency))
        rates = {rate.day: rate for rate in told.rates}
        became = {row[0]: row[-1] for row in told.rows}
        mine = {row[0]: row[-1] for row in billed.rows if row[1] == currency}
        found += [Conversion(day, currency, mine[day], rates.get(day), became[day]) for day in mine]
    return tuple(sorted(found, key=lambda one: (one.day, one.currency)))


def placed(found: "list[behind.Charge]") -> tuple[BillRow, ...]:
    """The charges with the places they have in the files as they were received."""
    files = {file_id for file_id, *_ in found}
    by_file = {file_id: places(file_id, [row[1] for row in found if row[0] == file_id]) for file_id in files}
    return tuple(BillRow(str(by_file[file_id][row]), *rest) for file_id, row, *rest in found)
