"""Where money is spent that could be saved, and what several would save of the same: that is saved once.

From the narrowest place to the widest, and in one place the most money first, each counts with what it promises beyond
what already counts within its place. So of several in one place the largest counts, and of a whole cluster and the
workloads in it whichever saves more: the whole, or its parts together. Where only a price falls it does so last, for
the part of the cost that the others leave.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from apps.finops.money import add_up, less, rounded

ZERO = Decimal(0)
Place = tuple[str, ...]
"""Where money is spent, from the widest name to the narrowest: what is in a place is part of it."""


def in_cluster(cluster: str, team: str = "", namespace: str = "", workload: str = "") -> Place:
    """All nodes of a cluster, a team's part of a namespace in it, or of a workload."""
    named = (cluster, team, namespace, workload)
    return named[: 1 + max((at for at, name in enumerate(named) if name), default=0)]


def of_resource(resource: str, team: str, cluster: str = "") -> Place:
    """A team's part of a billed resource: of a node in its cluster, of others where no cluster is."""
    return cluster, team, "", resource


class Stake(NamedTuple):
    """A part of what a finding saves, and the place where that is spent now. Where only the price of it falls,
    `cost_per_month` is what is spent there at that price: the less of it is left, the less is saved."""

    place: Place
    saving_per_month: Decimal
    cost_per_month: Decimal | None = None


def written(stake: Stake) -> list[Any]:
    """A stake as JSON."""
    place, *amounts = stake
    return [list(place), *(None if amount is None else f"{amount:f}" for amount in amounts)]


def read_stake(told: list[Any]) -> Stake:
    """The stake of its JSON."""
    place, saving, cost = told
    return Stake(tuple(place), Decimal(saving), None if cost is None else Decimal(cost))


class Claim(NamedTuple):
    """A part of what somebody promises to save, and where, as of a `Stake`; money of two currencies is never of the
    same place."""

    number: int
    place: Place
    saving: Decimal
    cost: Decimal | None


class Twice(NamedTuple):
    """What others promise of what one promises, and who promises most of it."""

    amount: Decimal
    other: int


def claims_of(number: int, currency: str, stakes: Iterable[Stake]) -> list[Claim]:
    """What one of this number promises, by place: of one place, as of two workloads of one name, it is one claim."""
    found: dict[tuple[Place, Decimal | None], list[Decimal]] = defaultdict(list)
    for stake in stakes:
        found[(currency, *stake.place), stake.cost_per_month].append(stake.saving_per_month)
    claims = (Claim(number, place, add_up(savings), cost) for (place, cost), savings in found.items())
    return [claim for claim in claims if claim.saving > 0]


def promised_twice(claims: Iterable[Claim], *, settled: Iterable[Claim] = ()) -> dict[int, Twice]:
    """By number, what others promise of the same. What is `settled` is promised before all else: of the rest counts
    what goes beyond it, and in the very places of it nothing."""
    spoken = _Spoken()
    for claim in sorted(settled, key=_turn):
        spoken.settle(claim)
    found: dict[int, Twice] = {}
    for claim in sorted(claims, key=_turn):
        counts, other = spoken.take(claim)
        if other is not None:
            before = found.get(claim.number, Twice(ZERO, other))
            found[claim.number] = Twice(add_up([before.amount, less(claim.saving, counts)]), before.other)
    return found


def _turn(claim: Claim) -> tuple[bool, int, Decimal, int]:
    return claim.cost is not None, -len(claim.place), claim.saving.copy_negate(), claim.number


class _Spoken:
    """What counts so far within every place, and who counts most there."""

    def __init__(self) -> None:
        self._sums: dict[Place, Decimal] = defaultdict(Decimal)
        self._most: dict[Place, tuple[Decimal, int]] = {}
        self._settled: dict[Place, Decimal] = {}
        """Of what was settled in a place, what nothing that counts within it makes up yet."""

    def settle(self, claim: Claim) -> None:
        """Let a claim count that is promised elsewhere."""
        if claim.cost is None:
            beyond = self._beyond(claim)
            self._count(claim, beyond, claim.place)
            self._settled[claim.place] = add_up([self._settled.get(claim.place, ZERO), beyond])

    def take(self, claim: Claim) -> tuple[Decimal, int | None]:
        """What of a claim counts, and, where that is not all of it, who counts most of what does not."""
        if claim.cost is not None:
            return self._left(claim, claim.cost)
        amount = ZERO if claim.place in self._settled else self._beyond(claim)
        other = self._most[claim.place][1] if amount < claim.saving else None
        place = claim.place
        for wider in (claim.place[:length] for length in range(len(claim.place), 0, -1)):
            if known := min(amount, self._settled.get(wider, ZERO)):
                self._count(claim, amount, place, until=wider)
                self._settled[wider] = less(self._settled[wider], known)
                amount, place, other = less(amount, known), wider, other or self._most[wider][1]
        self._count(claim, amount, place)
        return amount, other

    def _beyond(self, claim: Claim) -> Decimal:
        return max(ZERO, less(claim.saving, self._sums[claim.place]))

    def _left(self, claim: Claim, cost: Decimal) -> tuple[Decimal, int | None]:
        """What a lower price saves of the cost that others leave."""
        saved = min(self._sums[claim.place], cost)
        if not saved:
            return claim.saving, None
        return rounded(Fraction(claim.saving) * (1 - Fraction(saved) / Fraction(cost))), self._most[claim.place][1]

    def _count(self, claim: Claim, amount: Decimal, place: Place, until: Place = ()) -> None:
        """Add an amount from a place up to a wider one, which is left out."""
        for length in range(len(place), len(until), -1) if amount else ():
            around = place[:length]
            self._sums[around] = add_up([self._sums[around], amount])
            if amount > self._most.get(around, (ZERO, 0))[0]:
                self._most[around] = amount, claim.number
