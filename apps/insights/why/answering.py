"""Why cost changed between two periods: the parts, the segments and since when, of one question."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.core.cache import cache

from apps.finops.money import NOTHING, add_up, less
from apps.finops.why import CostChange, Meter, Used, explain_change
from apps.finops.windows import Window
from apps.insights.why.beginning import Beginning, beginnings
from apps.insights.why.metering import Amounts, Key, Period, added, metered, rough_meter
from apps.insights.why.searching import ATTRIBUTES, Found, Values, search
from apps.marts.comparing import unknown_because, window_before
from apps.marts.cube import Cube, TooManyRows, cube
from apps.marts.query import CostQuery, PublicationFacts
from apps.marts.selectors import CACHE_SECONDS, facts, publication, with_versions
from apps.rates.selectors import UsedRate

_MARKS = ("service", "region", "charge_category")
"""What the marts tell of a meter."""
_DETAILS = (
    ATTRIBUTES,
    tuple(name for name in ATTRIBUTES if name not in ("namespace", "workload")),
    ("team", *_MARKS),
    (),
)
"""What a change is searched by, the coarser where the rows of the finer are too many; by nothing it always can be."""


@dataclass(frozen=True)
class SegmentChange:
    """A segment that explains a part of the change: what it is, what it did, since which day.

    `is_whole`: no row of it belongs to a segment before it, so it costs what a question narrowed to it is answered.
    """

    values: Values
    change: CostChange
    since: date | None
    is_whole: bool = True


@dataclass(frozen=True)
class CurrencyChange:
    """The change in one currency. `segments` share no row; what they leave of the change is in none of them."""

    currency: str
    change: CostChange
    segments: tuple[SegmentChange, ...]

    def share(self, segment: SegmentChange) -> Decimal | None:
        """A segment's part of the whole change, as a fraction; None where nothing changed as a whole."""
        whole = self.change.change
        return segment.change.change / whole if whole else None

    @property
    def elsewhere(self) -> Decimal:
        """What changed outside the segments."""
        return less(self.change.change, add_up([NOTHING, *(one.change.change for one in self.segments)]))


@dataclass(frozen=True)
class Why:
    """The answer: the period of `query` beside the one `before`, by currency, the largest cost first.

    Days that came are compared alone: `query` asks of those. Where the periods differ in length all amounts are
    `per_day`. Where nothing of the period is published, or not all of the one before, nothing is explained, and
    `unknown_because` says why. `rates` are those that amounts were converted with. Segments were looked for by
    `searched_by`: by all ATTRIBUTES, unless that has too many rows.
    """

    query: CostQuery
    before: Window
    publication: PublicationFacts
    per_day: bool
    unknown_because: str
    currencies: tuple[CurrencyChange, ...]
    rates: tuple[UsedRate, ...]
    searched_by: tuple[str, ...] = ATTRIBUTES

    @property
    def is_known(self) -> bool:
        """Whether there is something to compare: days that came, and all of those before."""
        return not self.unknown_because

    @property
    def days(self) -> Window:
        """The days that are compared."""
        return Window(self.query.start, self.query.end)


def why(query: CostQuery, before: Window | None = None) -> Why:
    """Why the cost of a question is not what it was in the period before, by default the one that `previous` names for
    cost.

    The same question of the same publication is answered from the cache.
    """
    pinned, asked = publication(query.as_of), Window(query.start, query.end)
    before = before or window_before(query, "previous", pinned.published)
    compared = pinned.published.compared(asked, before)
    if compared is None:
        return _unknown(query, asked, before)
    now, earlier = compared
    found = _finest(query.between(now.start, now.end), earlier)
    currencies: tuple[CurrencyChange, ...] | None = cache.get(f"why:{found.key}")
    if currencies is None:
        currencies = _currencies(found)
        cache.set(f"why:{found.key}", currencies, CACHE_SECONDS)
    lengths = _lengths(found.query, earlier)
    return Why(
        query=found.query,
        before=earlier,
        publication=facts(pinned, now.start, now.end),
        per_day=lengths[0] != lengths[1],
        unknown_because="",
        currencies=currencies,
        rates=found.rates,
        searched_by=found.dimensions,
    )


def _finest(query: CostQuery, before: Window) -> Cube:
    """The two periods by as much as a change can be searched by."""
    *finer, coarsest = _DETAILS
    for names in finer:
        with suppress(TooManyRows):
            return cube(query, before, names)
    return cube(query, before, coarsest)


def whole_changes(query: CostQuery, before: Window) -> tuple[Window, dict[str, CostChange]] | None:
    """The days that are compared, and the change in each currency by its parts, wherever it lies: nothing is searched,
    so it is told of any number of rows. None where nothing can be compared."""
    compared = publication(query.as_of).published.compared(Window(query.start, query.end), before)
    if compared is None:
        return None
    now, earlier = compared
    found = cube(query.between(now.start, now.end), earlier, _MARKS)
    changes = {}
    for currency in sorted({row[1] for row in found.rows}):
        periods = _periods(found, currency, Found(()))
        changes[currency] = _whole(periods, _lengths(found.query, earlier))
    return now, changes


def _unknown(query: CostQuery, asked: Window, before: Window) -> Why:
    pinned = publication(query.as_of)
    told = with_versions(replace(query, as_of=pinned.number, group_by=()))
    because = unknown_because(asked, before, pinned.published)
    return Why(told, before, facts(pinned, asked.start, asked.end), False, because, (), ())


def _lengths(query: CostQuery, before: Window) -> tuple[int, int]:
    return (before.end - before.start).days, (query.end - query.start).days


def _currencies(found: Cube) -> tuple[CurrencyChange, ...]:
    days = _lengths(found.query, found.before)
    by_currency = {
        currency: search([row for row in found.rows if row[1] == currency], found.dimensions, days)
        for currency in sorted({row[1] for row in found.rows})
    }
    changes = [_changed(found, currency, segments, days) for currency, segments in by_currency.items()]
    return tuple(sorted(changes, key=lambda one: -abs(one.change.after)))


def _changed(found: Cube, currency: str, segments: Found, days: tuple[int, int]) -> CurrencyChange:
    periods = _periods(found, currency, segments)
    numbers = range(len(segments.segments))
    told = [explain_change(*(_of(side, [(currency, number)]) for side in periods), days=days) for number in numbers]
    since = beginnings(_narrowed(found, currency), found.before, segments.segments)
    partial = segments.partial((row for row in found.rows if row[1] == currency), found.dimensions)
    return CurrencyChange(
        currency,
        _whole(periods, days),
        tuple(
            SegmentChange(values, change, _that_way(since[number], change), number not in partial)
            for number, (values, change) in enumerate(zip(segments.segments, told, strict=True))
            if change.change
        ),
    )


def _narrowed(found: Cube, currency: str) -> CostQuery:
    return found.query if found.query.currency else found.query.narrowed(currency=currency)


def _periods(found: Cube, currency: str, segments: Found) -> list[Period]:
    """The meters before and after, by segment."""
    mine = _narrowed(found, currency)
    windows = found.before, Window(mine.start, mine.end)
    return metered(mine, windows, segments.segments, _amounts(found, currency, segments))


def _whole(periods: Iterable[Period], days: tuple[int, int]) -> CostChange:
    return explain_change(*(_of(side, sorted(side)) for side in periods), days=days)


def _that_way(began: Beginning | None, change: CostChange) -> date | None:
    """The first day of a step in the direction of a change."""
    return began.day if began and began.rises == (change.change > 0) else None


def _of(periods: Period, keys: Iterable[Key]) -> dict[Meter, Used]:
    """The meters of some segments together."""
    found: dict[Meter, Used] = {}
    for key in keys:
        for meter, used in periods.get(key, {}).items():
            found[meter] = added(found[meter], used) if meter in found else used
    return found


def _amounts(found: Cube, currency: str, segments: Found) -> tuple[Amounts, Amounts]:
    """What the marts tell of the cost before and after, by segment."""
    sides: tuple[dict[Key, dict[Meter, Decimal]], ...] = (defaultdict(dict), defaultdict(dict))
    for values, held, *costs in found.rows:
        if held != currency:
            continue
        key = currency, segments.place(values, found.dimensions)
        told = dict(zip(found.dimensions, values, strict=True))
        meter = rough_meter(*(told.get(name, "") for name in _MARKS))
        for side, cost in zip(sides, costs, strict=True):
            side[key][meter] = add_up([side[key].get(meter, NOTHING), cost])
    return sides[0], sides[1]
