"""The linear programme: what a base of nodes leaves open is served where it is cheapest, hour by hour."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.pools.problem import WEEK, CannotPlan, Floats, Hours, Pools

SECONDS = 20.0
NEGLIGIBLE = 1e-9
"""In parts of the cheapest price: what breaks ties between ways that cost the same."""


@dataclass(frozen=True)
class Solved:
    """The base in cores, the hours, and the expected cost of a week, in floats of the solver."""

    cores: float
    hours: Hours
    cost: float


def newsvendor(pools: Pools, demand: Floats, spare: Floats) -> float:
    """The base in cores if serverless had no limits: one more core of it is worth its price while it is needed in at
    least the share base ÷ serverless of all hours. Spare cores come before either where they cost less."""
    left = demand - (spare if pools.prices.spare < pools.prices.base else 0)
    dearer = min(pools.prices.serverless, pools.prices.lost)
    if dearer <= pools.prices.base:
        return 0.0
    return max(0.0, float(np.quantile(left, float(1 - pools.prices.base / dearer), method="inverted_cdf")))


@alone
def solve(pools: Pools, demand: Floats, spare: Floats, *, cores: float | None = None) -> Solved:
    """The cheapest base with the cheapest hours, or the cheapest hours of a base of `cores`.

    Every hour base + spare used + serverless used + unmet covers the demand; serverless bought covers what is used of
    it. Bought serverless and used spare cores grow by their ramps at most; the first hour of a week may begin anywhere.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix, eye_array, hstack, vstack

    count = len(demand)
    size = count * WEEK
    at = np.arange(size)
    later = at[at % WEEK != 0]
    step = np.arange(len(later))
    grows: Any = coo_matrix(
        (np.r_[np.ones(len(later)), -np.ones(len(later))], (np.r_[step, step], np.r_[later, later - 1])),
        shape=(len(later), size),
    )
    one: Any = eye_array(size)
    nothing, no_step = coo_matrix((size, size)), coo_matrix((len(later), size))
    rows = [  # columns: base, spare, bought, used, unmet
        [coo_matrix(-np.ones((size, 1))), -one, nothing, -one, -one],
        [coo_matrix((size, 1)), nothing, -one, one, nothing],
        [coo_matrix((len(later), 1)), no_step, grows, no_step, no_step],
        [coo_matrix((len(later), 1)), grows, no_step, no_step, no_step],
    ]
    prices = pools.prices
    tie = NEGLIGIBLE * float(min(prices.base, prices.serverless, prices.lost))
    costs = np.concatenate([
        [float(prices.base) * WEEK],
        np.full(size, float(prices.spare) / count + tie),
        np.full(size, float(prices.serverless) / count),
        np.zeros(size),
        np.full(size, float(prices.lost) / count),
    ])  # fmt: skip
    base = (0.0, None) if cores is None else (cores, cores)
    tops = np.concatenate([spare.ravel(), np.full(2 * size, pools.serverless_most), np.full(size, np.inf)])
    bounds = [base, *((0.0, float(top) if np.isfinite(top) else None) for top in tops)]
    limits = np.concatenate([
        -demand.ravel(), np.zeros(size), np.full(len(later), pools.ramp), np.full(len(later), pools.spare_ramp)
    ])  # fmt: skip
    left = vstack([hstack(row) for row in rows]).tocsr()
    found = linprog(costs, A_ub=left, b_ub=limits, bounds=bounds, method="highs", options={"time_limit": SECONDS})
    if found.status != 0 or found.x is None or found.fun is None:
        raise CannotPlan(f"The solver did not finish: {found.message}")
    parts = np.maximum(found.x[1:], 0).reshape(4, count, WEEK)
    return Solved(float(found.x[0]), Hours(*parts), float(found.fun))


def exact(value: float) -> Decimal:
    """A quantity of the solver as a decimal of six places, where money begins."""
    return Decimal(f"{value:.6f}")
