"""What a base would have done in weeks that happened, hour after hour, without knowing the next one."""

from decimal import Decimal

import numpy as np

from apps.planning.methods.pools.problem import WEEK, Floats, Hours, Outcome, Pools
from apps.planning.methods.pools.solving import exact


def serve(pools: Pools, demand: Floats, spare: Floats, cores: float) -> Hours:
    """Every hour takes base first, then the cheaper of spare cores and serverless as far as ramps let it; the rest is
    unmet. What is bought is what is used: nobody buys ahead here, as nobody knows."""
    weeks = len(demand)
    taken, bought, unmet = (np.zeros((weeks, WEEK)) for _ in range(3))
    spare_first = pools.prices.spare <= pools.prices.serverless
    for hour in range(WEEK):
        left = np.maximum(demand[:, hour] - cores, 0)
        room = spare[:, hour], np.full(weeks, pools.serverless_most)
        if hour:
            room = (
                np.minimum(room[0], taken[:, hour - 1] + pools.spare_ramp),
                np.minimum(room[1], bought[:, hour - 1] + pools.ramp),
            )
        first, second = room if spare_first else room[::-1]
        one = np.minimum(left, first)
        two = np.minimum(left - one, second)
        taken[:, hour], bought[:, hour] = (one, two) if spare_first else (two, one)
        unmet[:, hour] = left - one - two
    return Hours(taken, bought, bought, unmet)


def outcome(pools: Pools, name: str, nodes: int, demand: Floats, spare: Floats) -> Outcome:
    """What so many nodes would have cost in these weeks, by the week; lost demand is told and not priced in."""
    hours = serve(pools, demand, spare, nodes * pools.cores_per_node)
    weeks = len(demand)
    burst, taken, unmet = (exact(part.sum() / weeks) for part in (hours.bought, hours.spare, hours.unmet))
    cost = base_per_week(pools, nodes) + burst * pools.prices.serverless + taken * pools.prices.spare
    share = float(hours.unmet.sum() / demand.sum()) if demand.any() else 0.0
    return Outcome(name, nodes, cost, burst, taken, unmet, share)


def base_per_week(pools: Pools, nodes: int) -> Decimal:
    """What so many nodes cost in 168 hours."""
    return nodes * exact(pools.cores_per_node) * WEEK * pools.prices.base
