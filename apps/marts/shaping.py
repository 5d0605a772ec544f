"""Answering a question in a shape: compared, ranked, cut, and in order. Every amount stays exact."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from apps.finops.money import NOTHING, add_up
from apps.finops.windows import Window
from apps.marts.comparing import compared, moved
from apps.marts.query import TIME_DIMENSIONS, Answer, CostQuery, PublicationFacts
from apps.marts.selectors import answer
from apps.marts.shape import COST, DATE, DELTA, OTHERS, Comparison, Row, Shape, Shaped, lasting
from apps.rates.selectors import MissingRate, UsedRate

Key = tuple[str, tuple[Any, ...]]
"""A currency, and the values of the groups that are ranked."""


def shaped(query: CostQuery, shape: Shape) -> Shaped:
    """Answer a question and tell it in a shape."""
    shape.check(query)
    found = answer(query)
    if shape.is_plain:
        return Shaped(found, shape, (), None, 0, found.rates)
    rows, comparison, rates = _rows(found), None, found.rates
    if shape.compare is not None:
        rows, comparison, rates = _compared(found, rows, shape.compare)
    ranked: list[Key] = []
    if shape.top is not None:
        ranked = _ranked(rows, query.group_by, shape)
        rows = _cut(rows, query.group_by, shape, ranked)
    return Shaped(found, shape, tuple(_in_order(rows, query.group_by, shape)), comparison, len(ranked), rates)


def _rows(found: Answer) -> list[Row]:
    place, groups = found.columns.index("currency"), len(found.query.group_by)
    return [Row(row[:groups], row[place], row[-1]) for row in found.rows]


def _compared(
    found: Answer, rows: list[Row], compare: str | Window
) -> tuple[list[Row], Comparison, tuple[UsedRate, ...]]:
    """The rows beside those of the period before; a group of only one of the two costs nothing in the other."""
    query = found.query
    now, window, unknown = compared(query, compare, found.publication.published)
    if now is None or unknown:
        return rows, Comparison(window, unknown), found.rates
    try:
        earlier = answer(query.between(window.start, window.end))
    except MissingRate as missing:
        return rows, Comparison(window, str(missing)), found.rates
    before: dict[Key, Decimal] = {}
    unmatched: dict[str, Decimal] = {}
    for one in _rows(earlier):
        groups = _beside(one.groups, query.group_by, window, now)
        if None in groups:
            unmatched[one.currency] = add_up((unmatched.get(one.currency, NOTHING), one.cost))
        else:
            before[one.currency, groups] = one.cost
    ahead = _after(query, now, found.publication)
    of_row = {(one.currency, one.groups): one.cost for one in _rows(ahead)} if ahead else {}
    told = [
        replace(
            row,
            before=_before(row, before, query.group_by, window, now),
            ahead=of_row.get((row.currency, row.groups), NOTHING),
        )
        for row in rows
    ]
    told += [Row(groups, currency, NOTHING, cost) for (currency, groups), cost in before.items()]
    rates = sorted({*found.rates, *earlier.rates}, key=lambda rate: (rate.day, rate.source))
    totals = ahead.totals if ahead else {}
    return told, Comparison(window, "", earlier.totals, unmatched, now, totals), tuple(rates)


def _after(query: CostQuery, now: Window, published: PublicationFacts) -> Answer | None:
    """What days of the question cost after those that are compared; None where they have no cost."""
    if published.end_day is None or min(query.end, published.end_day) <= now.end:
        return None
    return answer(query.between(now.end, query.end))


def _beside(groups: tuple[Any, ...], group_by: tuple[str, ...], period: Window, other: Window) -> tuple[Any, ...]:
    """The groups of a row of one period as they are in another; None for a step of time that it does not have."""
    return tuple(
        moved(name, value, period, other) if name in TIME_DIMENSIONS else value
        for name, value in zip(group_by, groups, strict=True)
    )


def _before(
    row: Row, before: dict[Key, Decimal], group_by: tuple[str, ...], window: Window, now: Window
) -> Decimal | None:
    """What a row cost before, taken out of what is left."""
    if None in _beside(row.groups, group_by, now, window):
        return None
    return before.pop((row.currency, row.groups), NOTHING)


def _ranked(rows: Iterable[Row], group_by: tuple[str, ...], shape: Shape) -> list[Key]:
    """What is ranked, in the order asked for or the dearest first, by what it costs over the whole window."""
    places = lasting(group_by)
    together: dict[Key, list[Row]] = {}
    for row in rows:
        together.setdefault(_key(row, places), []).append(row)
    sums = [_added(key, currency, of_it) for (currency, key), of_it in together.items()]
    order = tuple(one for one in shape.order_by if one[0] not in (*TIME_DIMENSIONS, DATE, "currency"))
    told = _in_order(sums, tuple(group_by[at] for at in places), Shape(order or ((COST, True),)))
    return [(row.currency, row.groups) for row in told]


def _key(row: Row, places: tuple[int, ...]) -> Key:
    return row.currency, tuple(row.groups[at] for at in places)


def _cut(rows: Iterable[Row], group_by: tuple[str, ...], shape: Shape, ranked: list[Key]) -> list[Row]:
    """The rows of what is shown; the others of a currency and step of time as one row."""
    first, most = shape.offset or 0, shape.top or 0
    shown: set[Key] = set()
    for currency in {currency for currency, _ in ranked}:
        shown.update([one for one in ranked if one[0] == currency][first : first + most])
    places = lasting(group_by)
    kept = [row for row in rows if _key(row, places) in shown]
    if shape.offset is not None:
        return kept
    rest: dict[Key, list[Row]] = {}
    for row in rows:
        if _key(row, places) not in shown:
            groups = tuple(OTHERS if at in places else value for at, value in enumerate(row.groups))
            rest.setdefault((row.currency, groups), []).append(row)
    others = [replace(_added(groups, currency, many), others=len(many)) for (currency, groups), many in rest.items()]
    return kept + others


def _added(groups: tuple[Any, ...], currency: str, rows: list[Row]) -> Row:
    """Several rows as one; what they cost before is known only where it is of every one of them."""
    befores = [row.before for row in rows if row.before is not None]
    before = add_up(befores) if len(befores) == len(rows) else None
    ahead = add_up(row.ahead for row in rows)
    return Row(groups, currency, add_up(row.cost for row in rows), before, ahead=ahead)


def _in_order(rows: Iterable[Row], group_by: tuple[str, ...], shape: Shape) -> list[Row]:
    """Rows by what was asked for, then by their groups; Others after what they are the others of."""
    found = sorted(rows, key=lambda row: (row.groups, row.currency))
    steps = [name for name in group_by if name in TIME_DIMENSIONS]
    by_rank = (*((name, False) for name in steps), (COST, True)) if shape.top else ()
    order = shape.order_by or by_rank
    for asked, descends in reversed(order):
        name = steps[0] if asked == DATE else asked
        place = None if name in (COST, DELTA) else group_by.index(name)
        found.sort(key=lambda row: _value(row, name, place), reverse=descends)
        if name not in (*TIME_DIMENSIONS, "currency"):
            found.sort(key=lambda row: row.others is not None)
        if place is None:
            found.sort(key=lambda row: row.currency)
    return found


def _value(row: Row, name: str, place: int | None) -> Any:
    """What a row is ordered by; a change that is not known comes after those that are, in descending order."""
    if place is not None:
        return row.groups[place]
    amount = row.cost if name == COST else row.delta
    return amount is not None, NOTHING if amount is None else amount
