"""Why cost changed between two periods: volume, mix, price, commitments, what is new or gone, and credits.

Cost is made of meters: so much of something (hours of a kind of instance, GiB of storage) at a price. The cost of a
meter is Q × s × p × r: the quantity of all its group (the same service, kind of resource and unit), its share of that,
the price of one before commitments, and the rate that commitments leave of it. What each of the four did to the change
is its Shapley value, the mean of its effect over all orders in which they could have changed (Shapley 1953; Shorrocks
2013), so no order is preferred and the change back is the same with the other sign. docs/why.md goes through an
example.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import chain

from apps.finops.money import NOTHING, UNIT, add_up, less, rounded

USAGE = "usage"
FACTORS = ("volume", "mix", "price", "commitments")
PARTS = (*FACTORS, "new", "gone", "credits", "purchases", "taxes", "unmeasured")
"""What a change is made of, in the order it is told. `credits` are credits, refunds and corrections, `purchases` what
was bought at once or by the month, `unmeasured` usage whose bill tells no quantity."""
_WIDE = Context(prec=100)


@dataclass(frozen=True, order=True)
class Meter:
    """What is bought and measured. `part` is `usage`, or the part of a change that all of its cost belongs to."""

    part: str
    service: str = ""
    region: str = ""
    sku: str = ""
    meter: str = ""
    resource_type: str = ""
    pricing: str = ""
    unit: str = ""

    @property
    def group(self) -> tuple[str, str, str]:
        """Meters whose quantities can be added and replace each other."""
        return self.service, self.resource_type, self.unit


@dataclass(frozen=True)
class Used:
    """What a meter cost in a period, and of how much; `paid` of `undiscounted` is what commitments left to pay.

    `cost`, `paid` and `undiscounted` are amounts; `quantity` is in the meter's unit, zero where the bill tells none.
    """

    cost: Decimal = NOTHING
    quantity: Decimal = NOTHING
    paid: Decimal = NOTHING
    undiscounted: Decimal = NOTHING

    def __bool__(self) -> bool:
        return bool(self.cost or self.quantity)


@dataclass(frozen=True)
class MeterChange:
    """One meter: its cost before and after, and the parts between them; a part that is not named is zero."""

    meter: Meter
    before: Decimal
    after: Decimal
    parts: Mapping[str, Decimal]

    @property
    def change(self) -> Decimal:
        return less(self.after, self.before)


@dataclass(frozen=True)
class CostChange:
    """The meters of a change; before + all parts = after, of each meter and of all together."""

    meters: tuple[MeterChange, ...]

    @property
    def before(self) -> Decimal:
        return add_up([NOTHING, *(one.before for one in self.meters)])

    @property
    def after(self) -> Decimal:
        return add_up([NOTHING, *(one.after for one in self.meters)])

    @property
    def change(self) -> Decimal:
        return less(self.after, self.before)

    @property
    def parts(self) -> dict[str, Decimal]:
        """Every part, in the order of PARTS."""
        return {part: add_up([NOTHING, *(one.parts.get(part, NOTHING) for one in self.meters)]) for part in PARTS}


Period = Mapping[Meter, Used]


def explain_change(before: Period, after: Period, *, days: tuple[int, int] = (1, 1)) -> CostChange:
    """The change between two periods of `days` days, meter by meter; per day where these differ.

    A meter that only one period has is `new` or `gone`. A meter of both is `volume`, `mix`, `price` and `commitments`
    by Shapley values, each rounded half-even to twelve decimals; what rounding leaves goes to the largest of them. A
    meter without a quantity on one side is `unmeasured`.
    """
    lengths = days if days[0] != days[1] else (1, 1)
    sides = [_per_day(side, length) for side, length in zip((before, after), lengths, strict=True)]
    in_both = [
        meter for meter in sorted({*sides[0], *sides[1]}) if all(_is_measured(side.get(meter)) for side in sides)
    ]
    groups = [_group_quantities(side, in_both) for side in sides]
    shared = set(in_both)

    def change(meter: Meter) -> MeterChange:
        old, new = (side.get(meter, Used()) for side in sides)
        if meter.part == USAGE and meter in shared:
            parts = _factor_parts(old, new, *(group[meter.group] for group in groups))
        else:
            parts = {_whole_part(meter, old, new): less(new.cost, old.cost)}
        return MeterChange(meter, old.cost, new.cost, {part: amount for part, amount in parts.items() if amount})

    return CostChange(tuple(change(meter) for meter in sorted({*sides[0], *sides[1]})))


def _per_day(period: Period, days: int) -> dict[Meter, Used]:
    """A period by the day. Costs are rounded as running sums in the order of meters, so that they add up to the
    whole cost by the day."""
    found: dict[Meter, Used] = {}
    running, upto = Fraction(0), NOTHING
    for meter in sorted(meter for meter, used in period.items() if used):
        used = period[meter]
        running += Fraction(used.cost)
        before, upto = upto, rounded(running / days)
        quantity = _WIDE.divide(used.quantity, Decimal(days))
        found[meter] = Used(less(upto, before), quantity, used.paid, used.undiscounted)
    return found


def _is_measured(used: Used | None) -> bool:
    return used is not None and used.quantity > 0


def _group_quantities(side: Period, meters: Iterable[Meter]) -> dict[tuple[str, str, str], Decimal]:
    """The quantity of each group, of the meters that both periods have."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for meter in meters:
        if meter.part == USAGE:
            sums[meter.group] = _WIDE.add(sums.get(meter.group, Decimal(0)), side[meter].quantity)
    return sums


def _whole_part(meter: Meter, old: Used, new: Used) -> str:
    if meter.part != USAGE:
        return meter.part
    return "new" if not old else "gone" if not new else "unmeasured"


def _factor_parts(old: Used, new: Used, group_old: Decimal, group_new: Decimal) -> dict[str, Decimal]:
    """The Shapley values of volume, mix, price and commitments, rounded; they add up to the change exactly."""
    rates = [_rate(used) for used in (old, new)]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        known = [Decimal(1), Decimal(1)]
    sides = [
        (group, _WIDE.divide(used.quantity, group), _price(used, rate), rate)
        for used, group, rate in zip((old, new), (group_old, group_new), known, strict=True)
    ]
    exact = dict(zip(FACTORS, _shapley(*sides), strict=True))
    parts = {name: value.quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_WIDE) for name, value in exact.items()}
    left = less(less(new.cost, old.cost), add_up(parts.values()))
    if left:
        largest = max(FACTORS, key=lambda name: abs(exact[name]))
        parts[largest] = add_up([parts[largest], left])
    return parts


def _rate(used: Used) -> Decimal | None:
    """What commitments leave to pay of one; None where the bill does not tell what would have been paid."""
    if used.undiscounted <= 0 or used.paid < 0 or (used.cost and not used.paid):
        return None
    return _WIDE.divide(used.paid, used.undiscounted)


def _price(used: Used, rate: Decimal) -> Decimal:
    """What one unit costs before commitments; of what they cover whole it is what it would have cost."""
    if rate:
        return _WIDE.divide(used.cost, _WIDE.multiply(used.quantity, rate))
    return _WIDE.divide(used.undiscounted, used.quantity)


Factors = tuple[Decimal, Decimal, Decimal, Decimal]


def _shapley(old: Factors, new: Factors) -> list[Decimal]:
    """The Shapley value of each of four factors in the change of their product.

    Of the others x, y, z, orders in which none or all of them have changed before weigh 1/4, each with one or two of
    them 1/12. Terms of opposite orders are added in pairs, so that swapping the sides changes nothing but the sign.
    """
    found = []
    for place in range(len(old)):
        rest = [(old[other], new[other]) for other in range(len(old)) if other != place]
        ends = _WIDE.add(_product(x for x, _ in rest), _product(x for _, x in rest))
        between = _sum(
            _WIDE.add(_product(_mixed(rest, one, 1)), _product(_mixed(rest, one, 0))) for one in range(len(rest))
        )
        weighed = _WIDE.divide(_WIDE.add(_WIDE.multiply(Decimal(3), ends), between), Decimal(12))
        found.append(_WIDE.multiply(_WIDE.subtract(new[place], old[place]), weighed))
    return found


def _mixed(rest: list[tuple[Decimal, Decimal]], one: int, side: int) -> Iterable[Decimal]:
    """One factor of a side, the others of the opposite one; the odd one last, so that both orders multiply alike."""
    others = (pair[1 - side] for place, pair in enumerate(rest) if place != one)
    return chain(others, [rest[one][side]])


def _product(factors: Iterable[Decimal]) -> Decimal:
    product = Decimal(1)
    for factor in factors:
        product = _WIDE.multiply(product, factor)
    return product


def _sum(values: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _WIDE.add(total, value)
    return total
