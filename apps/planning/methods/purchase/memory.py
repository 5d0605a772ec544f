"""Which tier holds the memory of each instance: the cheapest that keeps its throughput and its latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

TIME_LIMIT_SECONDS = 10.0


@dataclass(frozen=True)
class Tier:
    """A kind of memory: `price` per GiB and month, `mib_per_second` per GiB, latency of a read in microseconds, and the
    GiB that can be had of it (None: any)."""

    name: str
    price: Decimal
    mib_per_second: Decimal
    latency_microseconds: Decimal
    capacity_gib: Decimal | None = None


@dataclass(frozen=True)
class Instance:
    """What holds data: size, the throughput it needs, the latency it bears and the tier it is on today."""

    name: str
    gib: Decimal
    mib_per_second: Decimal
    most_latency_microseconds: Decimal
    tier: str = ""


@dataclass(frozen=True)
class Place:
    """Where an instance belongs: `cost` per month there; `before` is None where today's tier is unknown."""

    instance: Instance
    tier: Tier
    cost: Decimal
    before: Decimal | None

    @property
    def saving(self) -> Decimal | None:
        return None if self.before is None else self.before - self.cost


@dataclass(frozen=True)
class Tiering:
    """`places` of all instances that fit somewhere, `unplaced` with why not; `bound`: no placement costs less."""

    places: tuple[Place, ...]
    unplaced: tuple[tuple[str, str], ...]
    bound: float
    is_optimal: bool


def refused(instance: Instance, tier: Tier) -> str:
    """Why a tier cannot hold an instance: `latency` or `throughput`; empty where it can."""
    if tier.latency_microseconds > instance.most_latency_microseconds:
        return "latency"
    if tier.mib_per_second * instance.gib < instance.mib_per_second:
        return "throughput"
    return ""


def assign(instances: Sequence[Instance], tiers: Sequence[Tier]) -> Tiering:
    """The cheapest placement, exact where no tier is short, by integer programming where one is."""
    fits = [[tier for tier in tiers if not refused(one, tier)] for one in instances]
    unplaced = tuple((one.name, _why(one, tiers)) for one, own in zip(instances, fits, strict=True) if not own)
    placed = [(one, own) for one, own in zip(instances, fits, strict=True) if own]
    free = [min(own, key=lambda tier: (tier.price, tier.latency_microseconds, tier.name)) for _, own in placed]
    bound = float(sum(tier.price * one.gib for (one, _), tier in zip(placed, free, strict=True)))
    if _within(placed, free, tiers):
        return Tiering(_places(placed, free, tiers), unplaced, bound, is_optimal=True)
    chosen, bound, optimal = _solve(placed, tiers)
    if chosen is None:
        short = tuple((one.name, "capacity") for one, _ in placed)
        return Tiering((), unplaced + short, bound, is_optimal=False)
    return Tiering(_places(placed, chosen, tiers), unplaced, bound, optimal)


Fits = list[tuple[Instance, list[Tier]]]


def _why(instance: Instance, tiers: Sequence[Tier]) -> str:
    reasons = {refused(instance, tier) for tier in tiers}
    return "latency" if reasons == {"latency"} else "throughput"


def _within(placed: Fits, chosen: Sequence[Tier], tiers: Sequence[Tier]) -> bool:
    return all(
        tier.capacity_gib is None
        or sum((one.gib for (one, _), own in zip(placed, chosen, strict=True) if own is tier), Decimal(0))
        <= tier.capacity_gib
        for tier in tiers
    )


def _places(placed: Fits, chosen: Sequence[Tier], tiers: Sequence[Tier]) -> tuple[Place, ...]:
    named = {tier.name: tier for tier in tiers}
    return tuple(
        Place(one, tier, tier.price * one.gib, named[one.tier].price * one.gib if one.tier in named else None)
        for (one, _), tier in zip(placed, chosen, strict=True)
    )


def _solve(placed: Fits, tiers: Sequence[Tier]) -> tuple[list[Tier] | None, float, bool]:
    from scipy.optimize import Bounds, LinearConstraint, milp

    pairs = [(place, tier) for place, (_, own) in enumerate(placed) for tier in own]
    prices = np.array([float(tier.price * placed[place][0].gib) for place, tier in pairs])
    once = np.array([[float(own == place) for own, _ in pairs] for place in range(len(placed))])
    short = [tier for tier in tiers if tier.capacity_gib is not None]
    taken = np.array([[float(placed[own][0].gib) * (tier is one) for own, tier in pairs] for one in short])
    room = [float(tier.capacity_gib or 0) for tier in short]
    solved = milp(
        prices,
        constraints=[LinearConstraint(once, 1, 1), LinearConstraint(taken, -np.inf, room)],
        integrality=np.ones(len(pairs), dtype=int),
        bounds=Bounds(0, 1),
        options={"time_limit": TIME_LIMIT_SECONDS},
    )
    bound = float(solved.mip_dual_bound or 0.0) if solved.mip_dual_bound is not None else 0.0
    if solved.x is None:
        return None, bound, False
    chosen: dict[int, Tier] = {place: tier for (place, tier), is_in in zip(pairs, solved.x, strict=True) if is_in > 0.5}
    return [chosen[place] for place in range(len(placed))], bound, solved.status == 0
