"""The cheapest purchases for demand that is known afterwards: a linear programme, with the bound it proves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.planning.methods.purchase.scenarios import Floats
from apps.planning.methods.purchase.terms import Offer

CUTS = 40
TIME_LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Hindsight:
    """`bought`: a row per offer, a column per month. `cost` is what these purchases really cost; no purchases cost
    less than `bound`."""

    bought: Floats
    cost: float
    bound: float


def covered(bought: Floats, terms: Sequence[int]) -> Floats:
    """What purchases cover in each month, a row per offer."""
    months = bought.shape[1]
    running = [[row[max(0, month - term + 1) : month + 1].sum() for month in range(months)]
               for row, term in zip(bought, terms, strict=True)]  # fmt: skip
    return np.array(running, dtype=float).reshape(len(terms), months)


def cost(demand: Floats, bought: Floats, offers: Sequence[Offer]) -> float:
    """What demand costs, in on-demand prices: commitments, and whatever they do not cover. `demand` has a row per
    month; a commitment that outlives the last month is counted to its end there."""
    runs = covered(bought, [one.term_months for one in offers])
    price = (runs * np.array([float(one.ratio) for one in offers])[:, None]).sum() * demand.shape[1]
    return float(price + np.maximum(demand - runs.sum(axis=0)[:, None], 0).sum())


def best(demand: Floats, offers: Sequence[Offer]) -> Hindsight:
    """The optimum: a month's cost of uncovered hours is convex in what covers it, so tangents bound it from below."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    months, hours = demand.shape
    kinds = len(offers)
    limits = np.quantile(demand, np.linspace(0, 1, CUTS), axis=1)  # cuts × months
    above = (demand[None] >= limits[..., None]).sum(axis=2)
    missing = np.maximum(demand[None] - limits[..., None], 0).sum(axis=2)
    rows, columns, values = [], [], []
    for month in range(months):
        at = month * CUTS + np.arange(CUTS)
        rows.append(at)
        columns.append(np.full(CUTS, kinds * months + month))
        values.append(np.full(CUTS, -1.0))
        for place, offer in enumerate(offers):
            for since in range(max(0, month - offer.term_months + 1), month + 1):
                rows.append(at)
                columns.append(np.full(CUTS, place * months + since))
                values.append(-above[:, month].astype(float))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    matrix = coo_matrix(entries, shape=(months * CUTS, (kinds + 1) * months))
    prices = [
        float(one.ratio) * hours * min(one.term_months, months - month) for one in offers for month in range(months)
    ]
    solved = linprog(  # type: ignore[call-overload]  # the stubs forbid sparse matrices
        np.concatenate([prices, np.ones(months)]),
        A_ub=matrix.tocsr(),
        b_ub=-(missing + above * limits).T.ravel(),
        bounds=(0, None),
        method="highs",
        options={"time_limit": TIME_LIMIT_SECONDS},
    )
    if solved.x is None:
        nothing = np.zeros((kinds, months))
        return Hindsight(nothing, cost(demand, nothing, offers), 0.0)
    bought = solved.x[: kinds * months].reshape(kinds, months)
    return Hindsight(bought, cost(demand, bought, offers), float(solved.fun))
