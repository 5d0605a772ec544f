"""Why cost changed between two periods: price, efficiency, volume and mix, to the last decimal.

Every subject (team, service, namespace) has in each period a cost C, a driver quantity Q (requests, orders), and a
resource quantity R (GPU-seconds, or what list prices would have charged). Cost is then C = Q × (R ÷ Q) × (C ÷ R): how
many units, how much each takes, what that is paid. The effects change one of these after the other, in the order
volume, mix, efficiency, price, each at the earlier values of those that follow (as Laspeyres weighs): docs/units.md has
an example.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction

from apps.finops.money import NOTHING, add_up, less, rounded

EFFECTS = ("volume", "mix", "efficiency", "price")


@dataclass(frozen=True)
class Measured:
    """What a subject cost in a period, how many units of the driver it had, and how much of the resource it took."""

    cost: Decimal = NOTHING
    quantity: Decimal = NOTHING
    resource: Decimal = NOTHING


@dataclass(frozen=True)
class Change:
    """The cost of two periods and the four effects between them: before + volume + mix + efficiency + price = after."""

    before: Decimal = NOTHING
    volume: Decimal = NOTHING
    mix: Decimal = NOTHING
    efficiency: Decimal = NOTHING
    price: Decimal = NOTHING
    after: Decimal = NOTHING

    @property
    def total(self) -> Decimal:
        return less(self.after, self.before)


def split_change(before: Mapping[str, Measured], after: Mapping[str, Measured]) -> dict[str, Change]:
    """The change of each subject, split into four effects that add up to it exactly.

    Of a subject with C0, Q0, R0 before and C1, Q1, R1 after, and the sums of all quantities S0 and S1,

    * at old price: A = C0 × R1 ÷ R0, what its resources would have cost at the price before; C1 where R0 is zero;
    * at old use: B = C0 × Q1 ÷ Q0, what its units would have cost as they did before; where Q0 is zero, A, or C0 if Q1
      is zero too;
    * volume V = C0 × (S1 − S0) ÷ S0, had it grown as all did; B − C0 where S0 is zero;
    * mix = B − C0 − V, efficiency = A − B, price = C1 − A.

    A, B and V are rounded half-even to twelve decimals. What rounding V leaves is in the mix, what rounding B leaves is
    in the efficiency, what rounding A leaves is in the price: each effect is a difference, so nothing is lost.
    """
    volumes = [sum((Fraction(one.quantity) for one in period.values()), Fraction(0)) for period in (before, after)]
    nothing = Measured()
    return {
        subject: _change(before.get(subject, nothing), after.get(subject, nothing), *volumes)
        for subject in sorted({*before, *after})
    }


def _change(old: Measured, new: Measured, volume_before: Fraction, volume_after: Fraction) -> Change:
    at_old_price = _scaled(old.cost, new.resource, old.resource)
    if at_old_price is None:
        at_old_price = new.cost
    at_old_use = _scaled(old.cost, new.quantity, old.quantity)
    if at_old_use is None:
        at_old_use = at_old_price if new.quantity else old.cost
    grown = less(at_old_use, old.cost)
    volume = rounded(Fraction(old.cost) * (volume_after - volume_before) / volume_before) if volume_before else grown
    return Change(
        before=old.cost,
        volume=volume,
        mix=less(grown, volume),
        efficiency=less(at_old_price, at_old_use),
        price=less(new.cost, at_old_price),
        after=new.cost,
    )


def _scaled(cost: Decimal, times: Decimal, per: Decimal) -> Decimal | None:
    return rounded(Fraction(cost) * Fraction(times) / Fraction(per)) if per else None


def total_change(changes: Iterable[Change]) -> Change:
    """The changes of all subjects in one, effect by effect."""
    listed = list(changes)
    return Change(
        **{one.name: add_up([NOTHING, *(getattr(change, one.name) for change in listed)]) for one in fields(Change)}
    )
