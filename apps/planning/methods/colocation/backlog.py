"""Batch work fitted into quotas: as much as can be done before its deadlines, and as early as can be."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.colocation.history import Matrix

SECONDS = 10.0
EARLY = 1e-4
"""What an hour of waiting costs beside a core-hour placed: of equal plans the one that waits least."""


class CannotFit(ValueError):
    """The solver did not finish."""


@dataclass(frozen=True)
class Fitted:
    """`placed` by the hour the work came (rows) and how many hours later it runs (columns), in cores; `most` is what no
    fit can exceed, by the solver's own bound."""

    placed: Matrix
    most: float

    @property
    def by_arrival(self) -> Matrix:
        told: Matrix = self.placed.sum(axis=1)
        return told

    @property
    def by_hour(self) -> Matrix:
        """What runs in each hour."""
        hours = len(self.placed)
        told = np.zeros(hours)
        for wait in range(self.placed.shape[1]):
            told[wait:] += self.placed[: hours - wait, wait]
        return told


@alone
def fit(work: Matrix, quota: Matrix, wait: int) -> Fitted:
    """Core-hours of batch `work` by the hour it comes, at most `wait` hours later, within `quota` cores of each hour.

    A linear programme over pairs of coming and running; it places as much as can be, and of that as early as can be.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    hours = len(work)
    came, later = (part.ravel() for part in np.meshgrid(np.arange(hours), np.arange(wait + 1), indexing="ij"))
    inside = came + later < hours
    came, later = came[inside], later[inside]
    columns = np.arange(len(came))
    rows: Any = coo_matrix(
        (np.ones(2 * len(came)), (np.concatenate([came, hours + came + later]), np.concatenate([columns, columns])))
    ).tocsr()
    costs: Any = -1.0 + EARLY * later / max(wait, 1)
    found = linprog(
        costs, A_ub=rows, b_ub=np.concatenate([work, quota]), bounds=(0, None),
        method="highs", options={"time_limit": SECONDS},
    )  # fmt: skip
    if found.status != 0 or found.x is None or found.fun is None:
        raise CannotFit(f"The solver did not finish: {found.message}")
    placed = np.zeros((hours, wait + 1))
    placed[came, later] = np.maximum(found.x, 0)
    return Fitted(placed, -float(found.fun) / (1 - EARLY))
