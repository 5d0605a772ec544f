"""What the pools are planned from, and what a plan of them says."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WEEK = 168
HOURS_PER_MONTH = Decimal(730)
LEAST_WEEKS = 2
"""One week is planned from and another judges the plan."""


class CannotPlan(ValueError):
    """Why there is no plan; a sentence a person can act on."""


@dataclass(frozen=True)
class Prices:
    """Per core-hour, in one currency. `lost` is what an hour of a core that is missing is worth."""

    base: Decimal
    spare: Decimal
    serverless: Decimal
    lost: Decimal


@dataclass(frozen=True)
class Pools:
    """A cluster's past and its pools.

    `demand` and `spare` are weeks × 168 hours of cores, oldest first: what online work needed, and what stood spare on
    GPU nodes. A node of the base gives `cores_per_node` and `nodes` of them stand now. Serverless grows by `ramp`
    cores an hour at most, spare cores are used by `spare_ramp` more an hour at most, and serverless has
    `serverless_most` cores.
    """

    demand: Floats
    spare: Floats
    cores_per_node: float
    nodes: int
    prices: Prices
    ramp: float
    spare_ramp: float
    serverless_most: float

    def __post_init__(self) -> None:
        if self.demand.ndim != 2 or self.demand.shape[1] != WEEK or self.demand.shape != self.spare.shape:
            raise CannotPlan("Demand and spare must be whole weeks of 168 hours, as many of one as of the other.")
        if len(self.demand) < LEAST_WEEKS:
            raise CannotPlan(f"{len(self.demand)} whole week(s) are known; a plan needs at least {LEAST_WEEKS}.")
        numbers = (self.demand, self.spare, np.array([self.ramp, self.spare_ramp, self.serverless_most]))
        if any(not np.isfinite(one).all() or (one < 0).any() for one in numbers):
            raise CannotPlan("Demand, spare cores and limits must be known and not negative.")
        if not self.demand.any():
            raise CannotPlan("Nothing was asked for in these weeks.")
        if not (np.isfinite(self.cores_per_node) and self.cores_per_node > 0) or self.nodes < 0:
            raise CannotPlan("A node must have cores, and their number must not be negative.")
        if min(self.prices.base, self.prices.serverless, self.prices.lost) <= 0 or self.prices.spare < 0:
            raise CannotPlan("Prices must be known and above zero; only spare cores may cost nothing.")


@dataclass(frozen=True)
class Hours:
    """Cores by hour in each scenario or week: taken of spare, bought of serverless, of that used, and unmet."""

    spare: Floats
    bought: Floats
    used: Floats
    unmet: Floats


@dataclass(frozen=True)
class Outcome:
    """What a base of so many nodes would have cost a week, and how much demand it left unmet, in the past weeks."""

    name: str
    nodes: int
    cost_per_week: Decimal
    burst_core_hours: Decimal
    spare_core_hours: Decimal
    unmet_core_hours: Decimal
    unmet_share: float


@dataclass(frozen=True)
class Plan:
    """How many nodes to keep, what every hour of the week then takes from where, and what it saves.

    `curve` is (nodes, expected cost a week with the value of lost demand), `flat` the least and most nodes that cost
    within a hundredth of the best. `replayed` tells this plan in the past weeks, beside others. `saving_per_month`
    is what fewer nodes cost less, less the serverless and spare cores bought instead and the value of demand they leave
    unmet; `binds` says what keeps it.
    """

    nodes: int
    newsvendor_cores: float
    scenarios: Floats
    spare: Floats
    hours: Hours
    curve: tuple[tuple[int, Decimal], ...]
    flat: tuple[int, int]
    replayed: tuple[Outcome, ...]
    walked: Outcome | None
    saving_per_month: Decimal
    binds: tuple[str, ...]
    gap: float
