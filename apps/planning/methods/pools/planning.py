"""The plan of the pools: the base in whole nodes, the curve around it, and what it saves against what stands."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import numpy as np

from apps.finops.money import rounded
from apps.planning.methods.pools.problem import HOURS_PER_MONTH, WEEK, Floats, Outcome, Plan, Pools
from apps.planning.methods.pools.replay import outcome
from apps.planning.methods.pools.scenarios import scenarios
from apps.planning.methods.pools.solving import Solved, exact, newsvendor, solve

SCENARIOS = 8
POINTS = 9
"""The curve is drawn from so many bases, and the best."""
FLAT = Decimal("1.01")
TINY = 1e-6


def plan(pools: Pools, *, seed: int, nodes: int | None = None) -> Plan:
    """The cheapest base in whole nodes, or that of `nodes`, in weeks like those that passed."""
    demand, spare = scenarios(pools.demand, pools.spare, count=max(SCENARIOS, len(pools.demand)), seed=seed)
    free = solve(pools, demand, spare)
    tried = _around(pools, demand, spare, free.cores)
    chosen = nodes if nodes is not None else min(tried, key=lambda each: (tried[each].cost, each))
    if chosen not in tried:
        tried[chosen] = solve(pools, demand, spare, cores=chosen * pools.cores_per_node)
    curve = tuple((each, exact(tried[each].cost)) for each in sorted(tried))
    least = min(cost for _, cost in curve)
    flat = [each for each, cost in curve if cost <= least * FLAT]
    replayed = _replayed(pools, chosen)
    best = tried[chosen]
    return Plan(
        nodes=chosen, newsvendor_cores=newsvendor(pools, demand, spare), scenarios=demand, spare=spare,
        hours=best.hours, curve=curve, flat=(min(flat), max(flat)), replayed=replayed, walked=_walked(pools, seed),
        saving_per_month=saving_per_month(replayed, pools.prices.lost), binds=_binding(pools, best, demand, spare),
        gap=max(0.0, best.cost / free.cost - 1) if free.cost > 0 else 0.0,
    )  # fmt: skip


def saving_per_month(replayed: tuple[Outcome, ...], lost: Decimal) -> Decimal:
    """What the plan would have saved a month against what stands, in the past weeks: nothing where it costs more.

    Demand that it leaves unmet and what stands does not is no saving: its value, `lost` a core-hour, is taken off.
    """
    by_name = {each.name: each for each in replayed}
    current, planned = by_name["current"], by_name["plan"]
    if planned.nodes >= current.nodes:
        return Decimal(0)
    unmet = max(Fraction(0), Fraction(planned.unmet_core_hours) - Fraction(current.unmet_core_hours))
    saved = Fraction(current.cost_per_week) - Fraction(planned.cost_per_week) - unmet * Fraction(lost)
    return max(Decimal(0), rounded(saved * Fraction(HOURS_PER_MONTH) / WEEK))


def _around(pools: Pools, demand: Floats, spare: Floats, cores: float) -> dict[int, Solved]:
    """Bases from none to the peak, and the whole nodes on either side of the best base: cost is convex in the base, so
    one of these two is the best of all."""
    top = ceil(demand.max() / pools.cores_per_node - TINY)
    spread = {round(each) for each in np.linspace(0, max(top, pools.nodes), POINTS)}
    near = {floor(cores / pools.cores_per_node + TINY), ceil(cores / pools.cores_per_node - TINY)}
    return {
        each: solve(pools, demand, spare, cores=each * pools.cores_per_node)
        for each in sorted(spread | near | {pools.nodes})
    }


def _replayed(pools: Pools, nodes: int) -> tuple[Outcome, ...]:
    size = pools.cores_per_node
    bases = {
        "plan": nodes,
        "current": pools.nodes,
        "peak": ceil(pools.demand.max() / size - TINY),
        "p95": ceil(float(np.quantile(pools.demand, 0.95)) / size - TINY),
        "serverless": 0,
    }
    return tuple(outcome(pools, name, each, pools.demand, pools.spare) for name, each in bases.items())


def _walked(pools: Pools, seed: int) -> Outcome | None:
    """The last week under a base decided from the weeks before it: what the plan would have done unseen."""
    past, beside = pools.demand[:-1], pools.spare[:-1]
    demand, spare = scenarios(past, beside, count=max(SCENARIOS, len(past)), seed=seed)
    tried = _around(pools, demand, spare, solve(pools, demand, spare).cores)
    nodes = min(tried, key=lambda each: (tried[each].cost, each))
    return outcome(pools, "walked", nodes, pools.demand[-1:], pools.spare[-1:])


def _binding(pools: Pools, best: Solved, demand: Floats, spare: Floats) -> tuple[str, ...]:
    """What keeps the plan from costing less, by name."""
    hours = best.hours
    steep, steep_spare = (np.diff(part, axis=1).max(initial=0.0) for part in (hours.bought, hours.spare))
    told = {
        "unmet": hours.unmet.max(initial=0.0) > TINY,
        "ramp": steep >= pools.ramp - TINY and pools.ramp < demand.max(),
        "spare_ramp": steep_spare >= pools.spare_ramp - TINY and pools.spare_ramp < demand.max(),
        "spare": bool(((hours.spare >= spare - TINY) & (spare > TINY)).any()),
        "serverless_most": hours.bought.max(initial=0.0) >= pools.serverless_most - TINY,
        "price": pools.prices.base >= pools.prices.serverless,
    }
    return tuple(name for name, binds in told.items() if binds)
