"""What the purchase planner is told and what it answers: offers, holdings, stance and purchases."""

from dataclasses import dataclass, field
from decimal import Decimal

MONTH_HOURS = 720
"""A month of the planner: 30 days. Windows are counted back from the newest hour."""
LEAST_HOURS = 28 * 24
"""Less history than four weeks withholds the plan: a weekly season was not seen four times."""


@dataclass(frozen=True)
class Offer:
    """A commitment that can be bought: `ratio` is its price ÷ the on-demand price of what it covers.

    `kind` is `reserved` (bound to an instance family) or `savings_plan` (covers all families of a region).
    """

    name: str
    kind: str
    term_months: int
    ratio: Decimal


@dataclass(frozen=True)
class Holding:
    """A commitment that is held: on-demand price per hour of what it covers, and the months it still runs."""

    amount: Decimal
    months_left: int


@dataclass(frozen=True)
class Stance:
    """How careful to buy; the defaults were chosen on worlds that no goal is scored on.

    Every month demand falls for good with probability `hazard`, by one of `falls`; a share `pace` of what would pay is
    bought each month, so that no single month decides a year; `drift` is a further change of demand per month that a
    person expects (-0.02 is 2 % less every month).
    """

    hazard: float = 0.06
    falls: tuple[float, ...] = (0.3, 0.6, 0.85)
    pace: float = 0.4
    drift: float = 0.0


@dataclass(frozen=True)
class Purchase:
    """A step of the ladder: buy `amount` (on-demand price per hour of what it covers) in month `month` (0 is now)."""

    month: int
    offer: Offer
    amount: Decimal


@dataclass(frozen=True)
class Outcome:
    """What purchases save per month over their term: expected, from the 10th to the 90th percentile of scenarios, and
    when demand falls by `fall` at once. Money per 30 days."""

    expected: Decimal
    low: Decimal
    high: Decimal
    fall: Decimal
    fallen: Decimal


@dataclass(frozen=True)
class Ladder:
    """What to buy: `purchases` now and in the months after if demand stays; `withheld` says why there is none."""

    purchases: tuple[Purchase, ...] = ()
    outcome: Outcome | None = None
    withheld: str = ""
    binds: tuple[str, ...] = field(default=())

    @property
    def now(self) -> tuple[Purchase, ...]:
        return tuple(one for one in self.purchases if one.month == 0)
