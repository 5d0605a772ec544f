"""The purchases of one pool: its ladder, what it would have saved, its mix, and the checks of all of that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

import numpy as np

from apps.planning.drafts import Settings
from apps.planning.methods.purchase import hindsight
from apps.planning.methods.purchase.ladder import STEP, amounts, plan
from apps.planning.methods.purchase.ladder import held as held_by_month
from apps.planning.methods.purchase.mix import Bought, Generation, Market, Move, Serverless, Spot, best_move, divide
from apps.planning.methods.purchase.outcomes import known_saving
from apps.planning.methods.purchase.scenarios import Floats
from apps.planning.methods.purchase.terms import (
    LEAST_HOURS,
    MONTH_HOURS,
    Holding,
    Ladder,
    Offer,
    Purchase,
    Stance,
)
from apps.planning.methods.purchase.verify import Check, check_division, check_ladder

HUNDRED = Decimal(100)
MONTH = Decimal(365) / 360
"""A month of money is 365 / 12 days; the method's is 30."""
CENT = Decimal("0.01")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Pool:
    """A pool as the ladder sees it. `demand` is the list price of every hour less what goes to spot, `all_demand` with
    it; `held` is what is covered now, `pay` what a list price really costs on demand, `cheapest` the price of the
    cheapest commitment, as a part of that."""

    meta: dict[str, Any]
    all_demand: Floats
    demand: Floats
    holdings: tuple[Holding, ...]
    held: Decimal
    offers: tuple[Offer, ...]
    market: Market
    generations: tuple[Generation, ...]
    pay: Decimal
    share: Decimal
    cheapest: Decimal
    stance: Stance
    fall: Decimal


@dataclass(frozen=True)
class Planned:
    """What to do with a pool. Money is per month; `known` and `walked` are of the last 30 days, `walked` None where
    the history is too short to decide earlier. `cost` and `bound` are of the known hours above what is held."""

    pool: Pool
    ladder: Ladder
    saving: Decimal
    known: Decimal
    used: float
    ways: tuple[Bought, ...]
    move: Move | None
    walked: Decimal | None
    best: Decimal
    cost: float
    bound: float
    checks: tuple[Check, ...]

    @property
    def now(self) -> tuple[Purchase, ...]:
        return self.ladder.now

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.now), NOTHING)

    @property
    def price(self) -> Decimal:
        """What the purchases of this month cost an hour."""
        return sum((one.amount * one.offer.ratio for one in self.now), NOTHING)


def exact(hours: Floats) -> list[Decimal]:
    """Hours as decimals of six digits, as they were packed."""
    return [Decimal(f"{hour:.6f}") for hour in hours]


def pool_of(meta: dict[str, Any], demand: Floats, settings: Settings) -> Pool:
    """A pool by these settings."""
    holdings = tuple(Holding(Decimal(amount), months) for _, amount, months in meta["held"])
    held = sum((one.amount for one in holdings if one.months_left > 0), NOTHING)
    pay, price = Decimal(meta["pay"]), Decimal(str(settings["price"])) / HUNDRED
    offers = tuple(
        Offer(name, kind, months, Decimal(ratio) * price)
        for name, kind, months, ratio, _ in meta["offers"] if kind in ("reserved", "savings_plan")
    )  # fmt: skip
    market = _market(meta, pay)
    spot = replace(market, serverless=None).interruptible
    cheapest = min((one.ratio / pay for one in offers), default=Decimal(1))
    share = Decimal(str(round(meta["jobs"] * settings["interruptible"] / 100, 4)))
    is_early = spot is not None and spot < min(Decimal(1), cheapest)
    above = np.maximum(demand - float(held), 0)
    rest = np.maximum(np.round(demand - (float(share) if is_early else 0) * above, 6), 0)
    return Pool(
        meta, demand, rest, holdings, held, offers, market,
        tuple(
            Generation(name, Decimal(ratio), Decimal(told["work_ratio"]))
            for name, kind, _, ratio, told in meta["offers"] if kind == "generation"
        ),
        pay, share, cheapest, Stance(hazard=settings["hazard"] / 100, pace=settings["pace"] / 100),
        Decimal(str(settings["fall"])) / HUNDRED,
    )  # fmt: skip


def _market(meta: dict[str, Any], pay: Decimal) -> Market:
    """Spot as it was really paid where it was, else as offered; serverless as offered, cheapest first."""
    by_kind: dict[str, list[tuple[Decimal, dict[str, str]]]] = {"spot": [], "serverless": []}
    for _, kind, _, ratio, told in meta["offers"]:
        if kind in by_kind:
            by_kind[kind].append((Decimal(ratio) / pay, told))
    spot = min(by_kind["spot"], key=lambda one: one[0], default=None)
    serverless = min(by_kind["serverless"], key=lambda one: one[0], default=None)
    paid = Decimal(meta["spot_ratio"]) / pay if meta["spot_ratio"] else None
    told = spot[1] if spot else {}
    ratio = paid if paid is not None else spot[0] if spot else None
    return Market(
        spot=None if ratio is None else Spot(
            ratio.quantize(Decimal("0.000001")), _number(told, "interruption_rate"), _number(told, "lost_hours"),
            _number(told, "availability", "1"),
        ),
        serverless=None if serverless is None else Serverless(serverless[0].quantize(Decimal("0.000001"))),
        packing=Decimal(str(meta["fill"])) or Decimal(1),
    )  # fmt: skip


def _number(told: dict[str, str], name: str, otherwise: str = "0") -> Decimal:
    return Decimal(told.get(name) or otherwise)


def planned(pool: Pool) -> Planned:
    """The ladder of a pool, replayed and checked."""
    pay = float(pool.pay)
    ladder = plan(pool.demand, pool.holdings, pool.offers, stance=pool.stance, pay=pay, fall=pool.fall, step=STEP)
    if ladder.outcome is not None and ladder.outcome.expected <= 0:
        ladder = Ladder(withheld="", binds=("break_even",))  # never advise what is not expected to save
    recent = exact(pool.demand[-MONTH_HOURS:])
    known = known_saving(recent, pool.held, ladder.now, pool.pay)
    expected = ladder.outcome.expected * MONTH if ladder.outcome else NOTHING
    most = max(Decimal(pool.meta["on_demand"]), NOTHING)
    amount = sum((one.amount for one in ladder.now), NOTHING)
    used = sum((min(max(hour - pool.held, NOTHING), amount) for hour in recent), NOTHING)
    ways, move, checks = _mixed(pool, ladder)
    best, cost, bound = _hindsight(pool, ladder)
    checks += check_ladder(
        exact(pool.demand[-3 * MONTH_HOURS :]), pool.holdings, pool.offers, ladder, step=STEP, known=known,
        pace=Decimal(str(pool.stance.pace)), pay=pool.pay,
    )  # fmt: skip
    return Planned(
        pool, ladder, min(expected, most).quantize(CENT, ROUND_DOWN), known,
        float(used / (amount * len(recent))) if amount else 0.0,
        tuple(ways), move, _walked(pool), best, cost, bound, tuple(checks),
    )  # fmt: skip


def _mixed(pool: Pool, ladder: Ladder) -> tuple[list[Bought], Move | None, list[Check]]:
    """Where the last 30 days go above what is held, in what is really paid on demand.

    What is there in every hour is no burst: serverless is asked only for what comes and goes above that.
    """
    recent = [max(hour - pool.held, NOTHING) * pool.pay for hour in exact(pool.all_demand[-MONTH_HOURS:])]
    committed = sum((one.amount for one in ladder.now), NOTHING) * pool.pay
    price = sum((one.amount * one.offer.ratio for one in ladder.now), NOTHING)
    base = max(min(recent), committed)
    parts = (
        ([min(hour, base) for hour in recent], committed, price, replace(pool.market, serverless=None)),
        ([max(hour - base, NOTHING) for hour in recent], NOTHING, NOTHING, pool.market),
    )
    ways: dict[str, Bought] = {}
    checks = []
    for hours, covered, cost, market in parts:
        told = divide(hours, covered, cost, share=pool.share, market=market, cheapest_commitment=pool.cheapest)
        checks += check_division(hours, told, cost)
        for one in told:
            before = ways.get(one.way, Bought(one.way, NOTHING, NOTHING))
            ways[one.way] = Bought(one.way, before.on_demand + one.on_demand, before.cost + one.cost)
    rest = ways.get("on_demand")
    return list(ways.values()), best_move(rest.cost, pool.generations) if rest else None, checks


def _walked(pool: Pool) -> Decimal | None:
    """What the rule would have saved in the last 30 days, decided before them; None where too little was known then."""
    known = pool.demand[:-MONTH_HOURS]
    if len(known) < LEAST_HOURS or not pool.offers or not known[-MONTH_HOURS:].any() or (known < 0).any():
        return None
    longest = max(one.term_months for one in pool.offers)
    covers = held_by_month(pool.holdings, longest)
    told = amounts(known, covers, pool.offers, pool.stance, float(pool.pay))
    bought = [
        Purchase(0, offer, Decimal(f"{amount:.2f}")) for offer, amount in zip(pool.offers, told, strict=True) if amount
    ]
    return known_saving(exact(pool.demand[-MONTH_HOURS:]), pool.held, bought, pool.pay)


def _hindsight(pool: Pool, ladder: Ladder) -> tuple[Decimal, float, float]:
    """What the known hours above what is held cost with this month's purchases, the least they could cost, and what
    perfect foresight would have saved in the last 30 days."""
    above = np.maximum(pool.demand - float(pool.held), 0) * float(pool.pay)
    months = max(1, len(above) // MONTH_HOURS)
    table = above[-min(len(above), months * MONTH_HOURS) :].reshape(months, -1)
    offers = [replace(one, ratio=one.ratio / pool.pay) for one in pool.offers]
    if not offers:
        whole = float(table.sum())
        return NOTHING, whole, whole
    bought = np.zeros((len(offers), months))
    for one in ladder.now:
        bought[pool.offers.index(one.offer), 0] += float(one.amount * pool.pay)
    found = hindsight.best(table, offers)
    last = hindsight.best(table[-1:], offers)
    saved = max(0.0, float(table[-1].sum()) - last.cost)
    return Decimal(f"{saved:.2f}"), hindsight.cost(table, bought, offers), found.bound


def in_force(planned_pools: Sequence[Planned], months: int) -> tuple[Floats, Floats, Floats]:
    """What is held, bought now and bought later, by month, over all pools."""
    held, now, later = np.zeros(months), np.zeros(months), np.zeros(months)
    for one in planned_pools:
        held += held_by_month([replace_left(own, months) for own in one.pool.holdings], months)
        for bought in one.ladder.purchases:
            (now if bought.month == 0 else later)[bought.month : bought.month + bought.offer.term_months] += float(
                bought.amount
            )
    return held, now, later


def replace_left(holding: Holding, months: int) -> Holding:
    return replace(holding, months_left=min(holding.months_left, months))
