"""Re-checking plans against raw inputs: shares no code with what made them, adds everything up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.planning.methods.purchase.memory import Instance, Tier, Tiering
from apps.planning.methods.purchase.mix import Bought
from apps.planning.methods.purchase.terms import Holding, Ladder, Offer

MONTH = 30 * 24


@dataclass(frozen=True)
class Check:
    """One thing that must hold; `told` says with which numbers."""

    name: str
    holds: bool
    told: str = ""


def check_ladder(
    hours: Sequence[Decimal],
    holdings: Sequence[Holding],
    offers: Sequence[Offer],
    ladder: Ladder,
    *,
    step: Decimal,
    known: Decimal,
    pace: Decimal,
    pay: Decimal = Decimal(1),
) -> list[Check]:
    """`hours` is the demand of each known hour, oldest first; `known` what the plan says its purchases of this month
    would have saved in the last 30 days."""
    recent = list(hours)[-MONTH:]
    held = sum(own.amount for own in holdings if own.months_left > 0) + Decimal(0)
    now = [one for one in ladder.purchases if one.month == 0]
    added = sum(one.amount for one in now)
    price = sum(one.amount * one.offer.ratio for one in now)
    spent = sum(hour * pay if hour < held + added else (held + added) * pay for hour in recent)
    before = sum(hour * pay if hour < held else held * pay for hour in recent)
    saved = spent - before - price * len(recent)
    most = sum(((hour - held) * pay for hour in recent if hour > held), Decimal(0))
    return [
        Check("on sale", all(one.offer in offers for one in ladder.purchases)),
        Check("whole steps", all(one.amount > 0 and one.amount % step == 0 for one in ladder.purchases)),
        Check("below the highest hour", not now or held + added <= max(recent, default=Decimal(0)), f"{held + added}"),
        Check("re-added saving", saved == known, f"{saved} = {known}"),
        Check("no more than it costs", known <= most and _within(ladder, most, len(recent)), f"{known} <= {most}"),
        Check("pays at its margin", all(_pays(list(hours)[-3 * MONTH :], held, ladder, pay)), ""),
        Check(
            "no more than its share", added <= pace * max([hour - held for hour in recent if hour > held], default=0)
        ),
    ]


def _within(ladder: Ladder, most: Decimal, hours: int) -> bool:
    """The expected saving of a month is no more than what the month costs above what is held."""
    return ladder.outcome is None or not hours or ladder.outcome.expected * hours <= most * MONTH


def _pays(recent: Sequence[Decimal], held: Decimal, ladder: Ladder, pay: Decimal) -> list[bool]:
    """Whether the topmost unit of each purchase was used often enough in the last 90 days."""
    top, told = held, []
    for one in ladder.purchases:
        if one.month == 0:
            top += one.amount
            told.append(sum(hour >= top for hour in recent) * pay >= one.offer.ratio * len(recent))
    return told


def check_division(demand: Sequence[Decimal], ways: Sequence[Bought], committed_cost: Decimal) -> list[Check]:
    """Every hour is bought once, and commitments cost what they cost whether used or not."""
    whole = sum(demand)
    told = sum(one.on_demand for one in ways)
    commitment = [one.cost for one in ways if one.way == "commitment"]
    return [
        Check("every hour is bought once", told == whole, f"{told} = {whole}"),
        Check("commitments are paid whole", commitment == [committed_cost * len(demand)]),
        Check("nothing negative", all(one.on_demand >= 0 and one.cost >= 0 for one in ways)),
    ]


def check_tiering(instances: Sequence[Instance], tiers: Sequence[Tier], tiering: Tiering) -> list[Check]:
    """Each instance has one place, within latency, throughput and what there is of the tier."""
    placed = [one.instance.name for one in tiering.places] + [name for name, _ in tiering.unplaced]
    taken = {tier.name: Decimal(0) for tier in tiers}
    for one in tiering.places:
        taken[one.tier.name] = taken.get(one.tier.name, Decimal(0)) + one.instance.gib
    return [
        Check("each instance once", sorted(placed) == sorted(one.name for one in instances)),
        Check("latency", all(one.tier.latency_microseconds <= one.instance.most_latency_microseconds
                             for one in tiering.places)),
        Check("throughput", all(one.tier.mib_per_second * one.instance.gib >= one.instance.mib_per_second
                                for one in tiering.places)),
        Check("capacity", all(tier.capacity_gib is None or taken[tier.name] <= tier.capacity_gib for tier in tiers)),
        Check("re-added cost", all(one.cost == one.tier.price * one.instance.gib for one in tiering.places)),
    ]  # fmt: skip
