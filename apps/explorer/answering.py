"""The answer to an exploration: the same numbers as any other question, folded to what can be drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from typing import Any

from apps.explorer.question import CannotBeAsked, Exploration, filter_names
from apps.finops.windows import Window
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.query import Answer, CostQuery, PublicationFacts, Scope
from apps.rates.selectors import MissingRate, UsedRate, reporting_currencies

Key = tuple[str, ...]
EXACT = Context(prec=80)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Explored:
    """An answer in one currency.

    `steps` is cost by (time step, groups), with no step where time is no part of it (`step` is empty then). `earlier`
    is the cost by groups of the period compared with, None where it was not asked for or not all of it is known, and
    `earlier_steps` the same by step, moved to where the period asked for has that step. `came` are the days that are
    compared, those published, None where there are none; `ahead` is the cost by groups of days that have not come: no
    part of the change. `others` are the totals in other currencies, and `missing` the rate for want of which they are
    not in this one.
    """

    asked: Exploration
    window: Window
    before: Window
    step: str
    query: CostQuery
    currency: str
    currencies: tuple[str, ...]
    steps: Mapping[tuple[date | None, Key], Decimal]
    earlier: Mapping[Key, Decimal] | None
    earlier_steps: Mapping[date, Decimal]
    publication: PublicationFacts
    rates: tuple[UsedRate, ...]
    others: Mapping[str, Decimal]
    came: Window | None
    ahead: Mapping[Key, Decimal]
    missing: MissingRate | None = None

    @property
    def costs(self) -> dict[Key, Decimal]:
        """Cost by groups, time added up."""
        return summed((key, cost) for (_, key), cost in self.steps.items())

    @property
    def total(self) -> Decimal:
        return total_of(self.steps.values())

    @property
    def earlier_total(self) -> Decimal | None:
        return None if self.earlier is None else total_of(self.earlier.values())

    @property
    def change(self) -> Decimal | None:
        """What the days that came cost more than what they are compared with."""
        was = self.earlier_total
        return None if was is None else total_of([self.total, -total_of(self.ahead.values()), -was])


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, exact however large."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


Offered = tuple[str, Decimal | None]
"""A value that a filter may have, and what it cost: None where that is in several currencies."""


def summed(rows: Iterable[tuple[Any, Decimal]]) -> dict[Any, Decimal]:
    """Amounts added up by key, exact."""
    sums: dict[Any, Decimal] = {}
    for key, cost in rows:
        sums[key] = EXACT.add(sums.get(key, ZERO), cost)
    return sums


def folded(costs: Mapping[Any, Decimal], most: int) -> tuple[list[Any], list[Any]]:
    """The keys of the largest amounts, and the others that are told in one: never one alone, it has room itself."""
    ranked = sorted(costs, key=lambda key: (-abs(costs[key]), key))
    return (ranked, []) if len(ranked) <= most + 1 else (ranked[:most], ranked[most:])


def explore(asked: Exploration, publication: Publication, scope: Scope) -> Explored:
    """Answer an exploration of a publication, for a viewer."""
    end = publication.came_until
    if end is None:
        raise marts.NothingPublished(f"Publication {publication.number} holds no cost.")
    window, before = asked.windows(end, publication.whole_until)
    compared = publication.published.compared(window, before)
    before = publication.published.beside(window, before)
    step = asked.step(window)
    groups = (*([step] if step else []), *asked.by)
    query = asked.query(window, as_of=publication.number, scope=scope)
    found = marts.answer(query.grouped(*groups))
    is_known = bool(asked.compare and compared)
    earlier = _earlier(query.between(before.start, before.end).grouped(*groups)) if is_known else None
    currencies = tuple(sorted({*found.totals, *(earlier.totals if earlier else ())}))
    currency = asked.reporting or asked.currency or next(iter(currencies), "")
    was = None if earlier is None else _by_step(earlier, step, currency)
    return Explored(
        asked=asked,
        window=window,
        before=before,
        step=step,
        query=found.query,
        currency=currency,
        currencies=currencies,
        steps=_by_step(found, step, currency),
        earlier=None if was is None else summed((key, cost) for (_, key), cost in was.items()),
        earlier_steps=_moved(was or {}, window.start - before.start, step),
        publication=found.publication,
        rates=found.rates,
        others={code: total for code, total in sorted(found.totals.items()) if code != currency},
        came=publication.published.part_of(window),
        ahead=_ahead(asked, query, publication, currency),
    )


def _earlier(query: CostQuery) -> Answer | None:
    """What a period compared with cost; None without every rate it needs: rates usually begin later than costs."""
    try:
        return marts.answer(query)
    except MissingRate:
        return None


def _ahead(asked: Exploration, query: CostQuery, publication: Publication, currency: str) -> dict[Key, Decimal]:
    """What days of the period cost that have not come, by groups; nothing where nothing is dated ahead."""
    days = publication.published.ahead_in(Window(query.start, query.end))
    if days is None or publication.end_day is None or publication.end_day <= days.start:
        return {}
    found = marts.answer(query.between(days.start, days.end).grouped(*asked.by))
    return {key: cost for (_, key), cost in _by_step(found, "", currency).items()}


def _by_step(answer: Answer, step: str, currency: str) -> dict[tuple[date | None, Key], Decimal]:
    skip = 1 if step else 0
    return {(moment(row[0]) if step else None, row[skip:-2]): row[-1] for row in answer.rows if row[-2] == currency}


def moment(value: Any) -> date:
    """The day a time step begins; a month comes as `2026-10`."""
    return value if isinstance(value, date) else date.fromisoformat(f"{value}-01")


def _moved(steps: Mapping[tuple[date | None, Key], Decimal], by: timedelta, step: str) -> dict[date, Decimal]:
    """Cost of an earlier period by step, where the same step of the later one stands."""
    return summed((_same_step(day + by, step), cost) for (day, _), cost in steps.items() if day)


def _same_step(day: date, step: str) -> date:
    """The beginning of the step that a moved beginning is nearest to: months differ in length, and not every period is
    of whole weeks."""
    if step == "month":
        return (day + timedelta(days=14)).replace(day=1)
    near = day + timedelta(days=3)
    return near - timedelta(days=near.weekday()) if step == "week" else day


def offered_currencies(explored: Explored) -> tuple[str, ...]:
    """What the amounts could be shown in, as an address names it: each currency by itself, then all converted."""
    asked = explored.asked
    plain = explored.query if not asked.reporting else CostQuery(
        explored.window.start, explored.window.end, filters=asked.filters, excludes=asked.excludes,
        as_of=explored.query.as_of, scope=explored.query.scope,
    )  # fmt: skip
    alone = sorted({*explored.currencies} if not asked.reporting else {*marts.answer(plain.grouped()).totals})
    converted = {*reporting_currencies(), *([asked.reporting] if asked.reporting else [])}
    if len(alone) == 1 and not asked.reporting:
        converted -= set(alone)
    return (*alone, *(f"in-{code}" for code in sorted(converted)))


def offered_values(asked: Exploration, publication: Publication, scope: Scope, name: str) -> list[Offered]:
    """The values of a dimension in the question's period and within its other filters, the most expensive first; with
    their cost where all of it is in one currency."""
    end = publication.came_until
    if end is None:
        return []
    if name not in filter_names():
        raise CannotBeAsked({"dimension": "is not one that cost can be filtered by"})
    window, _ = asked.windows(end)
    query = asked.without(name).with_all_of(name).query(window, as_of=publication.number, scope=scope)
    rows = marts.answer(query.grouped(name)).rows
    is_one = len({row[-2] for row in rows}) <= 1 or name == "currency"
    largest: dict[str, Decimal] = {}
    for value, *_, cost in rows:
        largest[value] = max(largest.get(value, cost), cost, key=abs)
    ordered = sorted(largest.items(), key=lambda pair: (-abs(pair[1]), pair[0]))
    return [(value, cost if is_one else None) for value, cost in ordered]
