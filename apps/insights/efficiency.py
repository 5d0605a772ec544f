"""What clusters hold, what is asked of them and what is used, with the money behind it: the rows of one question.

Hours are those of the tables of usage by the day, money is what nodes and serverless pods cost (`allocated`), and idle
money the answer of the marts. Nothing that was not measured is told as zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction

import ibis.expr.types as ir

from apps.finops.money import add_up, rounded
from apps.finops.tables import NODE_DAYS
from apps.finops.windows import Window
from apps.insights.usage_reading import (
    LEVELS,
    PLACE,
    RESOURCES,
    EfficiencyQuery,
    Key,
    Teams,
    by_team,
    costs_of,
    named,
    narrowed,
    remembered,
    seen_rows,
    usage_of,
)
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, CostQuery, PublicationFacts
from apps.marts.selectors import answer, facts, publication
from apps.marts.usage_days import usage_by_day
from apps.teams.ownership import PriceRatio
from apps.teams.selectors import price_ratio_of
from apps.warehouse.engine import rows_of

WHAT = ("claimed", "request", "used")
_EXACT = Context(prec=80)
Hours = dict[str, Decimal]
Money = dict[str, Decimal]


@dataclass(frozen=True)
class Use:
    """Hours of a resource: claimed is the larger of request and use, hour by hour and pod by pod."""

    claimed: Decimal
    request: Decimal
    used: Decimal

    @property
    def unused(self) -> Decimal:
        """What was requested and not used."""
        return self.claimed - self.used


@dataclass(frozen=True)
class Row:
    """One place. `use` is None where nothing was measured; `capacity` where the viewer may not see it, or a place has
    none of its own.

    Money by currency: `cost` is what nodes and serverless pods cost that ran the place, `over_requested` the part of it
    that was requested and not used, `unmeasured` the part of which that is not known. `idle` is what nobody claimed,
    None where that belongs to no such place.
    """

    key: Key
    use: Mapping[str, Use] | None
    capacity: Mapping[str, Decimal] | None
    cost: Money
    over_requested: Money
    unmeasured: Money
    idle: Money | None


@dataclass(frozen=True)
class Efficiency:
    """The answer: rows in the order of their names, and everything together. `days` are those published of the window,
    at least one; hours are of them alone, so that they make a mean.

    `sees_capacity`: the viewer may know what whole clusters hold.
    """

    query: EfficiencyQuery
    publication: PublicationFacts
    days: int
    rows: tuple[Row, ...]
    total: Row
    sees_capacity: bool


@dataclass(frozen=True)
class Day:
    """Hours of one resource on a day; None is not known."""

    day: date
    capacity: Decimal | None
    request: Decimal | None
    used: Decimal | None


@dataclass(frozen=True)
class _Place:
    """What is known of one workload in one pool."""

    use: dict[str, Use] | None
    cost: Money


def efficiency(query: EfficiencyQuery) -> Efficiency:
    """The rows of a question of one publication; what it rests on is read once."""
    asked, pinned = query, publication(query.as_of)
    query = _whole(asked, pinned)
    places, capacity = _known(query, pinned)
    idle = _idle(query, pinned.number)
    names = LEVELS[query.by]
    groups: dict[Key, list[_Place]] = defaultdict(list)
    for place, told in places.items():
        if query.fits(place):
            groups[_shortened(place, names)].append(told)
    ratio = price_ratio_of(pinned.ruleset)
    is_of_pools = set(names) <= {"cluster", "node_pool"} and {name for name, _ in query.filters} <= {*names, "cluster"}
    held = _summed(capacity, query, names) if is_of_pools and query.scope.teams is None else {}
    spare = _summed_money(idle, query, names) if is_of_pools else {}
    rows = tuple(
        _row(key, groups.get(key, []), held.get(key), spare.get(key, {}) if is_of_pools else None, ratio)
        for key in sorted({*groups, *held, *spare})
    )
    return Efficiency(
        query=asked,
        publication=facts(pinned, asked.start, asked.end),
        days=_days(query, pinned),
        rows=rows,
        total=_total(rows),
        sees_capacity=query.scope.teams is None,
    )


def by_day(query: EfficiencyQuery, resource: str) -> tuple[Day, ...]:
    """Capacity, requests and use of a resource, day by day, of all that a question is narrowed to."""
    if resource not in RESOURCES:
        raise BadQuestion(f"resource: {resource!r} is not one of {', '.join(RESOURCES)}")
    pinned = publication(query.as_of)
    told = query.start, query.end, query.filters, resource, named(query.scope)
    found: tuple[Day, ...] = remembered(pinned, told, lambda: _by_day(query, resource, pinned))
    return found


def _by_day(query: EfficiencyQuery, resource: str, pinned: Publication) -> tuple[Day, ...]:
    nodes = usage_by_day(NODE_DAYS, pinned.versions, query.start, query.end)
    _, end = RESOURCES[resource]

    def summed(part: EfficiencyQuery, teams: Teams) -> ir.Table:
        asked = narrowed(usage_of(part, pinned, teams), part)
        sums = {what: asked[f"{resource}_{what}_{end}"].sum() for what in ("request", "used")}
        return asked.group_by([*by_team(query), "day"]).aggregate(**sums)

    spent = {day: told for day, *told in seen_rows(query, pinned, ("days", resource), summed, names=1)}
    held: dict[date, Decimal] = {}
    if query.scope.teams is None and {name for name, _ in query.filters} <= {"cluster", "node_pool"}:
        rows = narrowed(nodes, query)
        held = dict(rows_of(rows.group_by("day").aggregate(held=rows[f"{resource}_capacity_{end}"].sum())))
    nothing = (None, None)
    return tuple(Day(day, held.get(day), *spent.get(day, nothing)) for day in sorted({*spent, *held}))


def _known(query: EfficiencyQuery, pinned: Publication) -> tuple[dict[Key, _Place], dict[Key, Hours]]:
    """Every workload the viewer may see, and what pools hold where that may be seen, of the window: the same for all
    levels and filters."""
    told = query.start, query.end, named(query.scope)
    found: tuple[dict[Key, _Place], dict[Key, Hours]] = remembered(pinned, told, lambda: _read(query, pinned))
    return found


def _read(query: EfficiencyQuery, pinned: Publication) -> tuple[dict[Key, _Place], dict[Key, Hours]]:
    window = replace(query, filters=())
    days = _published(query, pinned)
    hours, held = _hours(replace(window, start=days.start, end=days.end), pinned) if days else ({}, {})

    def cost(part: EfficiencyQuery, teams: Teams) -> ir.Table:
        return costs_of(part, pinned, usage_by_day(NODE_DAYS, pinned.versions, part.start, part.end), teams)

    costs: dict[Key, Money] = defaultdict(dict)
    for *place, currency, amount in seen_rows(window, pinned, "costs", cost, names=5):
        costs[tuple(place)][currency] = amount
    return {place: _Place(hours.get(place), costs.get(place, {})) for place in {*hours, *costs}}, held


def _hours(query: EfficiencyQuery, pinned: Publication) -> tuple[dict[Key, dict[str, Use] | None], dict[Key, Hours]]:
    """The hours of each workload the viewer may see, and what pools hold where that may be seen."""

    def summed(part: EfficiencyQuery, teams: Teams) -> ir.Table:
        usage = usage_of(part, pinned, teams)
        of = {f"{name}_{what}": usage[f"{name}_{what}_{end}"] for name, (_, end) in RESOURCES.items() for what in WHAT}
        sums = {name: hours.sum() for name, hours in of.items()}
        return usage.group_by([*by_team(query), *PLACE]).aggregate(**sums)

    hours = {tuple(row[:4]): _uses(row[4:]) for row in seen_rows(query, pinned, "hours", summed, names=4)}
    if query.scope.teams is not None:
        return hours, {}
    nodes = usage_by_day(NODE_DAYS, pinned.versions, query.start, query.end)
    held = {name: nodes[f"{name}_capacity_{end}"].sum() for name, (_, end) in RESOURCES.items()}
    pools = nodes.group_by(["cluster", "node_pool"]).aggregate(**held)
    return hours, {tuple(row[:2]): dict(zip(RESOURCES, row[2:], strict=True)) for row in rows_of(pools)}


def _idle(query: EfficiencyQuery, number: int) -> dict[Key, Money]:
    """What pools cost that nobody claimed, as the marts answer it."""
    asked = CostQuery(
        query.start, query.end, group_by=("cluster", "node_pool"), filters=(("kind", ("idle",)),), as_of=number,
        scope=query.scope,
    )  # fmt: skip
    found: dict[Key, Money] = defaultdict(dict)
    for cluster, pool, currency, cost in answer(asked).rows:
        if cluster:
            found[cluster, pool][currency] = cost
    return found


def _uses(sums: Iterable[Decimal | None]) -> dict[str, Use] | None:
    """Three hours of each resource in turn; None where any of them was not measured."""
    told = list(sums)
    if any(hours is None for hours in told):
        return None
    numbers = [Decimal(0) if hours is None else hours for hours in told]
    return {name: Use(*numbers[3 * place : 3 * place + 3]) for place, name in enumerate(RESOURCES)}


def _row(key: Key, places: list[_Place], capacity: Hours | None, idle: Money | None, ratio: PriceRatio) -> Row:
    measured = [one for one in places if one.use is not None]
    return Row(
        key=key,
        use=_added(one.use for one in measured if one.use is not None) if measured else None,
        capacity=capacity,
        cost=_money(one.cost for one in places),
        over_requested=_money(_unused_part(one, ratio) for one in measured),
        unmeasured=_money(one.cost for one in places if one.use is None),
        idle=idle,
    )


def _unused_part(one: _Place, ratio: PriceRatio) -> Money:
    """Of what a place costs, the part that it claimed and did not use, in price units, as its nodes were divided."""
    claimed = unused = Decimal(0)
    for name, use in (one.use or {}).items():
        price = Decimal(getattr(ratio, RESOURCES[name][0]))
        claimed = _EXACT.fma(price, use.claimed, claimed)  # as exact as fractions, and there are thousands of rows
        unused = _EXACT.fma(price, use.unused, unused)
    if not claimed:
        return dict.fromkeys(one.cost, Decimal(0))
    part = Fraction(unused) / Fraction(claimed)
    return {currency: rounded(Fraction(cost) * part) for currency, cost in one.cost.items()}


def _total(rows: tuple[Row, ...]) -> Row:
    uses = [one.use for one in rows if one.use is not None]
    held = [one.capacity for one in rows if one.capacity is not None]
    spare = [one.idle for one in rows if one.idle is not None]
    return Row(
        key=(),
        use=_added(uses) if uses else None,
        capacity={name: add_up(one[name] for one in held) for name in RESOURCES} if held else None,
        cost=_money(one.cost for one in rows),
        over_requested=_money(one.over_requested for one in rows),
        unmeasured=_money(one.unmeasured for one in rows),
        idle=_money(spare) if spare else None,
    )


def _added(uses: Iterable[Mapping[str, Use]]) -> dict[str, Use]:
    told = list(uses)
    return {name: Use(*(add_up(getattr(one[name], what) for one in told) for what in WHAT)) for name in RESOURCES}


def _money(amounts: Iterable[Mapping[str, Decimal]]) -> Money:
    found: dict[str, list[Decimal]] = defaultdict(list)
    for one in amounts:
        for currency, amount in one.items():
            found[currency].append(amount)
    return {currency: add_up(told) for currency, told in sorted(found.items())}


def _summed(pools: Mapping[Key, Hours], query: EfficiencyQuery, names: Key) -> dict[Key, Hours]:
    found: dict[Key, Hours] = {}
    for pool, hours in pools.items():
        if query.fits(pool):
            sums = found.setdefault(_shortened(pool, names), dict.fromkeys(RESOURCES, Decimal(0)))
            for name in RESOURCES:
                sums[name] += hours[name]
    return found


def _summed_money(pools: Mapping[Key, Money], query: EfficiencyQuery, names: Key) -> dict[Key, Money]:
    found: dict[Key, list[Money]] = defaultdict(list)
    for pool, money in pools.items():
        if query.fits(pool):
            found[_shortened(pool, names)].append(money)
    return {key: _money(told) for key, told in found.items()}


def _shortened(place: Key, names: Key) -> Key:
    told = dict(zip(PLACE, place, strict=False))
    return tuple(told[name] for name in names)


def _whole(query: EfficiencyQuery, pinned: Publication) -> EfficiencyQuery:
    """A question without days of which a bill is late beside others: their hours would stand beside a part of their
    cost."""
    days = _published(query, pinned)
    is_late = pinned.whole_until != pinned.came_until
    return replace(query, end=days.end) if days and is_late else query


def _published(query: EfficiencyQuery, pinned: Publication) -> Window | None:
    return pinned.published.part_of(Window(query.start, query.end))


def _days(query: EfficiencyQuery, pinned: Publication) -> int:
    """How many days of the window are published, at least one."""
    days = _published(query, pinned)
    return (days.end - days.start).days if days else 1
