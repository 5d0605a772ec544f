"""How an answer is told: in an order, the largest with the rest as "Others", beside another period."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from apps.finops.money import NOTHING, add_up, divided
from apps.finops.windows import Window
from apps.marts.query import TIME_DIMENSIONS, Answer, BadQuestion, CostQuery
from apps.rates.selectors import UsedRate

OTHERS = "Others"
COST, DELTA, DATE = "cost", "delta", "date"
COMPARED = ("before", "delta", "ratio")
"""The columns that a comparison adds after the metric: delta = cost − ahead − before."""
AHEAD = "ahead"
"""The column that follows them where something is of days that have not come."""
MOST_SHOWN = 10_000
MOST_NAMED = 50
"""So many values an address may leave out."""


@dataclass(frozen=True)
class Shape:
    """How an answer is told.

    `order_by` pairs `cost`, `delta`, `date` or a group with whether it descends; amounts are ordered within a currency.
    `top` keeps so many of the groups besides time, ranked over the whole window within each currency, and adds the
    rest up as `Others`; with an `offset` that many are skipped and nothing is added up. `compare` is `previous`,
    `year` or a window.
    """

    order_by: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    offset: int | None = None
    compare: str | Window | None = None

    @property
    def is_plain(self) -> bool:
        return self == PLAIN

    def check(self, query: CostQuery) -> None:
        """Raise BadQuestion, naming the parameter, unless an answer to the question can be told so."""
        steps = [name for name in query.group_by if name in TIME_DIMENSIONS]
        known = [COST, DELTA, *([DATE] if steps else []), *query.group_by]
        for name, _ in self.order_by:
            if name not in known:
                raise BadQuestion(f"order_by: {name!r} is not one of {', '.join(known)}; order by what is grouped by")
            if name == DELTA and self.compare is None:
                raise BadQuestion("order_by: there is a delta only beside another period; say compare=previous")
        if self.offset is not None and self.top is None:
            raise BadQuestion("offset: skips the first of the largest; say with top how many follow")
        if self.top is not None:
            self._check_top(query)

    def _check_top(self, query: CostQuery) -> None:
        if not 1 <= (self.top or 0) <= MOST_SHOWN:
            raise BadQuestion(f"top: {self.top} is not between 1 and {MOST_SHOWN}")
        if not lasting(query.group_by):
            raise BadQuestion("top: says how many groups are told; group by something besides time and currency")


PLAIN = Shape()


def lasting(group_by: tuple[str, ...]) -> tuple[int, ...]:
    """The places of the groups that are ranked: neither time nor currency."""
    return tuple(at for at, name in enumerate(group_by) if name not in (*TIME_DIMENSIONS, "currency"))


@dataclass(frozen=True)
class Row:
    """One row of a shaped answer. `groups` are the values of what was grouped by. `others` counts the groups that a row
    called Others adds up, None for any other row; `before` is None where it is not known. `ahead` is what of the cost
    is of days that have not come, or are not compared: no part of the change."""

    groups: tuple[Any, ...]
    currency: str
    cost: Decimal
    before: Decimal | None = None
    others: int | None = None
    ahead: Decimal = NOTHING

    @property
    def delta(self) -> Decimal | None:
        return None if self.before is None else add_up((self.cost, -self.ahead, -self.before))

    @property
    def ratio(self) -> Decimal | None:
        """The change ÷ the cost before, to twelve decimals; None where there was no cost to compare with."""
        if self.before is None or self.delta is None or self.before <= 0:
            return None
        return divided(self.delta, self.before)


@dataclass(frozen=True)
class Comparison:
    """The period compared with: `totals` are its cost by currency, `unmatched` what of it fell on steps of time that
    the present one does not have. Where it cannot be told what it cost, `unknown_because` says why. `now` are the days
    of the present one that are compared, None where that is not known, `ahead` the cost of its days after
    them."""

    window: Window
    unknown_because: str
    totals: Mapping[str, Decimal] = field(default_factory=dict)
    unmatched: Mapping[str, Decimal] = field(default_factory=dict)
    now: Window | None = None
    ahead: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Shaped:
    """`rows` in the order asked for, of the whole `answer`: with Others they add up to its totals.

    `groups_total` counts what was ranked.
    """

    answer: Answer
    shape: Shape
    rows: tuple[Row, ...]
    comparison: Comparison | None
    groups_total: int
    rates: tuple[UsedRate, ...]

    @property
    def query(self) -> CostQuery:
        return self.answer.query

    @property
    def table(self) -> Answer:
        """The rows as an answer's: its columns, what a comparison adds, and how many Others there are."""
        if self.shape.is_plain:
            return self.answer
        is_compared, is_cut = self.shape.compare is not None, self.shape.top is not None
        has_ahead = self.comparison is not None and bool(self.comparison.ahead)
        beside = (*(COMPARED if is_compared else ()), *([AHEAD] if has_ahead else []))
        columns = (*self.answer.columns, *beside, *(["others"] if is_cut else []))
        own = () if "currency" in self.query.group_by else ("currency",)

        def cells(row: Row) -> tuple[Any, ...]:
            told = (*row.groups, *(row.currency for _ in own), row.cost)
            told += (row.before, row.delta, row.ratio) if is_compared else ()
            told += (row.ahead,) if has_ahead else ()
            return (*told, row.others) if is_cut else told

        return replace(self.answer, columns=columns, rows=tuple(cells(row) for row in self.rows), rates=self.rates)

    @property
    def groups_shown(self) -> int:
        """How many of what was ranked is told by name."""
        places = lasting(self.query.group_by)
        return len({(row.currency, *(row.groups[at] for at in places)) for row in self.rows if row.others is None})

    @cached_property
    def _shown(self) -> dict[str, tuple[Any, ...]]:
        """By currency what is told by name, where one dimension is."""
        (at,) = lasting(self.query.group_by)
        found: dict[str, set[Any]] = {}
        for row in self.rows:
            found.setdefault(row.currency, set()).update(() if row.others else (row.groups[at],))
        return {currency: tuple(sorted(values)) for currency, values in found.items()}

    def question_of_others(self, currency: str) -> CostQuery | None:
        """What Others answer: the question but for what is told by name; None where that is too much to say."""
        places = lasting(self.query.group_by)
        if len(places) != 1 or self.query.levels or len(self._shown[currency]) > MOST_NAMED:
            return None
        return self.query.without(**{self.query.group_by[places[0]]: self._shown[currency]})
