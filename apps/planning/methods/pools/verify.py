"""The plan of the pools re-checked hour by hour against the raw weeks, sharing nothing with what made it."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from apps.planning.methods.pools.problem import WEEK, Outcome, Plan, Pools

TOLERANCE = 1e-5
"""In cores: what a solver leaves open."""
MONEY_TOLERANCE = Decimal("0.001")
"""In parts: hours are told with six decimals and their sum is priced."""


@dataclass(frozen=True)
class Check:
    """One named check; `told` says what was found."""

    name: str
    holds: bool
    told: str


def verify(pools: Pools, plan: Plan) -> tuple[Check, ...]:
    """Every check of a plan; it is right when all hold."""
    base = plan.nodes * pools.cores_per_node
    short = over = steep = 0.0
    for number in range(len(plan.scenarios)):
        before_bought = before_spare = None
        for hour in range(WEEK):
            spare, bought, used, unmet = (
                float(part[number, hour])
                for part in (plan.hours.spare, plan.hours.bought, plan.hours.used, plan.hours.unmet)
            )
            short = max(short, float(plan.scenarios[number, hour]) - base - spare - used - unmet)
            over = max(over, spare - float(plan.spare[number, hour]), used - bought, bought - pools.serverless_most)
            if before_bought is not None and before_spare is not None:
                steep = max(steep, bought - before_bought - pools.ramp, spare - before_spare - pools.spare_ramp)
            before_bought, before_spare = bought, spare
    return (
        Check("demand", short <= TOLERANCE, f"{max(short, 0):.6f} cores of an hour are neither served nor told unmet"),
        Check("limits", over <= TOLERANCE, f"{max(over, 0):.6f} cores beyond what is spare or serverless"),
        Check("ramps", steep <= TOLERANCE, f"{max(steep, 0):.6f} cores an hour beyond the ramps"),
        _expected_cost(pools, plan, base),
        _replayed(pools, plan.replayed),
        _saving(pools, plan),
    )


def _expected_cost(pools: Pools, plan: Plan, base: float) -> Check:
    """The curve at the plan's base, added up again."""
    prices = pools.prices
    cost = Fraction(base) * WEEK * Fraction(prices.base)
    for part, price in (
        (plan.hours.spare, prices.spare), (plan.hours.bought, prices.serverless), (plan.hours.unmet, prices.lost)
    ):  # fmt: skip
        cost += sum((Fraction(float(each)) for each in part.ravel()), Fraction(0)) * Fraction(price) / len(part)
    said = Fraction(dict(plan.curve)[plan.nodes])
    return Check("cost", _close(cost, said), f"{float(said):.6f} a week was said, {float(cost):.6f} re-added")


def _replayed(pools: Pools, outcomes: tuple[Outcome, ...]) -> Check:
    """Every replay, walked again through raw demand."""
    wrong = [each.name for each in outcomes if not _is_same(each, *_walk(pools, each.nodes))]
    return Check("replay", not wrong, f"{len(outcomes) - len(wrong)} of {len(outcomes)} replays come out the same")


def _walk(pools: Pools, nodes: int) -> tuple[Fraction, Fraction]:
    """The cost of a week and the unmet core-hours of it with so many nodes."""
    prices, weeks = pools.prices, len(pools.demand)
    cost, lost = Fraction(0), Fraction(0)
    for week in range(weeks):
        grown = {"spare": float("inf"), "serverless": float("inf")}
        for hour in range(WEEK):
            need = max(0.0, float(pools.demand[week, hour]) - nodes * pools.cores_per_node)
            order = [
                ("spare", min(float(pools.spare[week, hour]), grown["spare"]), prices.spare, pools.spare_ramp),
                ("serverless", min(pools.serverless_most, grown["serverless"]), prices.serverless, pools.ramp),
            ]
            for name, room, price, ramp in sorted(order, key=lambda one: one[2]):
                got = min(need, room)
                need -= got
                grown[name] = got + ramp
                cost += Fraction(got) * Fraction(price)
            lost += Fraction(need)
    base = Fraction(nodes) * Fraction(pools.cores_per_node) * WEEK * Fraction(prices.base)
    return base + cost / weeks, lost / weeks


def _is_same(told: Outcome, cost: Fraction, lost: Fraction) -> bool:
    return _close(cost, Fraction(told.cost_per_week)) and abs(lost - Fraction(told.unmet_core_hours)) <= Fraction(
        TOLERANCE
    )


def _saving(pools: Pools, plan: Plan) -> Check:
    """Never more than the nodes that leave cost, and what two walks through the past say."""
    (current, missed), (planned, unmet) = (_walk(pools, nodes) for nodes in (pools.nodes, plan.nodes))
    worse = max(Fraction(0), unmet - missed) * Fraction(pools.prices.lost)
    leaving = max(0, pools.nodes - plan.nodes)
    most = Fraction(leaving) * Fraction(pools.cores_per_node) * 730 * Fraction(pools.prices.base)
    due = max(Fraction(0), (current - planned - worse) * 730 / WEEK) if leaving else Fraction(0)
    said = Fraction(plan.saving_per_month)
    holds = said <= most + Fraction(MONEY_TOLERANCE) and _close(due, said)
    return Check(
        "saving", holds, f"{float(said):.6f} a month was said, {float(due):.6f} is due, {float(most):.6f} most"
    )


def _close(one: Fraction, other: Fraction) -> bool:
    """Equal but for the six decimals that hours are told with."""
    return abs(one - other) <= Fraction(MONEY_TOLERANCE) + abs(one) * Fraction(1, 1_000_000)
