"""What each hour is bought from, above the commitments: spot for what may be interrupted, serverless, on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

ONE = Decimal(1)


@dataclass(frozen=True)
class Spot:
    """`ratio`: spot ÷ on-demand price. Of instance-hours `interruption_rate` are interrupted, each loses `lost_hours`
    of work; a share `availability` of what is asked for can be had."""

    ratio: Decimal
    interruption_rate: Decimal
    lost_hours: Decimal
    availability: Decimal = ONE


@dataclass(frozen=True)
class Serverless:
    """`ratio`: price of a used core-hour ÷ on-demand price of a provided one; it has no idle cores."""

    ratio: Decimal


@dataclass(frozen=True)
class Generation:
    """Another instance generation: `price_ratio` per core-hour, `work_ratio` of a core, both ÷ today's."""

    name: str
    price_ratio: Decimal
    work_ratio: Decimal

    @property
    def cost_of_work(self) -> Decimal:
        return self.price_ratio / self.work_ratio


@dataclass(frozen=True)
class Market:
    """What is for sale besides commitments; `packing` is the used share of on-demand cores that come and go."""

    spot: Spot | None = None
    serverless: Serverless | None = None
    packing: Decimal = ONE

    @property
    def is_serverless_cheaper(self) -> bool:
        return self.serverless is not None and self.serverless.ratio * self.packing < ONE

    @property
    def flexible(self) -> Decimal:
        """The price of an hour bought when needed, in on-demand prices of what is provided today."""
        return self.serverless.ratio * self.packing if self.serverless and self.is_serverless_cheaper else ONE

    @property
    def interruptible(self) -> Decimal | None:
        """What an interruptible hour costs on spot: work lost is done again, what cannot be had is bought elsewhere."""
        if self.spot is None:
            return None
        again = ONE + self.spot.interruption_rate * self.spot.lost_hours
        return self.spot.availability * self.spot.ratio * again + (ONE - self.spot.availability) * self.flexible


@dataclass(frozen=True)
class Bought:
    """Hours of one way to buy: their on-demand price and what they cost."""

    way: str
    on_demand: Decimal
    cost: Decimal


def break_even(ratio: Decimal, flexible: Decimal = ONE) -> Decimal:
    """The share of hours a commitment must be used so as to cost no more than hours bought when needed."""
    return ratio / flexible


def spot_part(demand: Sequence[Decimal], share: Decimal, market: Market, cheapest_commitment: Decimal) -> list[Decimal]:
    """What each hour takes from spot before any commitment is counted: nothing where a commitment is cheaper."""
    price = market.interruptible
    if price is None or price >= min(market.flexible, cheapest_commitment):
        return [Decimal(0)] * len(demand)
    return [hour * share for hour in demand]


def divide(
    demand: Sequence[Decimal],
    committed: Decimal,
    committed_cost: Decimal,
    *,
    share: Decimal,
    market: Market,
    cheapest_commitment: Decimal = ONE,
) -> list[Bought]:
    """Where the hours of demand go, cheapest first; what a way covers adds up to the demand exactly.

    `committed` per hour costs `committed_cost` per hour, used or not; `share` of every hour may be interrupted.
    """
    first = spot_part(demand, share, market, cheapest_commitment)
    spot_price, flexible = market.interruptible, market.flexible
    on_commitment = on_spot = on_flexible = Decimal(0)
    for hour, early in zip(demand, first, strict=True):
        covered = min(hour - early, committed)
        rest = hour - early - covered
        late = min(rest, hour * share - early) if spot_price is not None and spot_price < flexible else Decimal(0)
        on_commitment += covered
        on_spot += early + late
        on_flexible += rest - late
    told = [Bought("commitment", on_commitment, committed_cost * len(demand))]
    if spot_price is not None:
        told.append(Bought("spot", on_spot, on_spot * spot_price))
    way = "serverless" if market.is_serverless_cheaper else "on_demand"
    return [*told, Bought(way, on_flexible, on_flexible * flexible)]


@dataclass(frozen=True)
class Move:
    """Moving to another generation: what it saves of hours no commitment of the old one covers."""

    generation: Generation
    cost: Decimal
    saving: Decimal


def best_move(uncovered: Decimal, generations: Sequence[Generation]) -> Move | None:
    """The generation that does the same work for least; None where none is cheaper than today's."""
    cheaper = [one for one in generations if one.cost_of_work < ONE]
    if not cheaper or uncovered <= 0:
        return None
    chosen = min(cheaper, key=lambda one: (one.cost_of_work, one.name))
    cost = uncovered * chosen.price_ratio / chosen.work_ratio
    return Move(chosen, cost, uncovered - cost)
