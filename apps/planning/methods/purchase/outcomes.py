"""What purchases would save: over scenarios of their term, and exactly in the hours that are known."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from apps.planning.methods.purchase.scenarios import Floats, outlook, paths
from apps.planning.methods.purchase.terms import MONTH_HOURS, Holding, Outcome, Purchase, Stance

CENT = Decimal("0.01")
_NODES = 400


def foresee(
    demand: Floats,
    holdings: Sequence[Holding],
    bought: Sequence[Purchase],
    *,
    stance: Stance,
    pay: float,
    fall: Decimal,
) -> Outcome:
    """The saving per month of what is bought now, over the months of its term; every purchase counts its own."""
    seen = outlook(demand)
    longest = max(one.offer.term_months for one in bought)
    covers = np.zeros(longest)
    for holding in holdings:
        covers[: holding.months_left] += float(holding.amount)
    shape = np.quantile(seen.shape, (np.arange(_NODES) + 0.5) / _NODES)
    told: list[tuple[float, float]] = []
    for weight, level in paths(seen, longest, stance):
        for chance, falls in _falls(longest, stance):
            told.append((weight * chance, _saved(shape, level * falls, covers, bought, pay)))
    weights, savings = np.array(told).T
    order = np.argsort(savings)
    reached = np.cumsum(weights[order])
    low, high = (float(savings[order][np.searchsorted(reached, share)]) for share in (0.1, 0.9 - 1e-9))
    steady = np.full(longest, seen.level)
    return Outcome(
        expected=_money(float((weights * savings).sum())),
        low=_money(low),
        high=_money(high),
        fall=fall,
        fallen=_money(_saved(shape, steady * (1 - float(fall)), covers, bought, pay)),
    )


def _falls(months: int, stance: Stance) -> list[tuple[float, Floats]]:
    """Every way a fall may come, with its chance: what is left of demand in each month."""
    ahead = np.arange(months)
    stays = (1 - stance.hazard) ** months
    ways = [(stays, np.ones(months))]
    for month in range(months):
        chance = stance.hazard * (1 - stance.hazard) ** month / len(stance.falls)
        ways += [(chance, np.where(ahead >= month, 1 - fall, 1.0)) for fall in stance.falls]
    return ways


def _saved(shape: Floats, level: Floats, covers: Floats, bought: Sequence[Purchase], pay: float) -> float:
    """Money saved in a month, the mean of each purchase's own term."""
    total, below = 0.0, covers.copy()
    for one in bought:
        term = one.offer.term_months
        hours = shape[:, None] * level[None, :term]
        used = np.minimum(np.maximum(hours - below[None, :term], 0), float(one.amount)).mean()
        total += MONTH_HOURS * (float(used) * pay - float(one.offer.ratio * one.amount))
        below[:term] += float(one.amount)
    return total


def _money(amount: float) -> Decimal:
    return Decimal(amount).quantize(CENT)


def known_saving(hours: Sequence[Decimal], held: Decimal, bought: Sequence[Purchase], pay: Decimal) -> Decimal:
    """What purchases would have saved, to the last decimal, had they been held in these hours."""
    amount = sum((one.amount for one in bought), Decimal(0))
    price = sum((one.amount * one.offer.ratio for one in bought), Decimal(0))
    used = sum((min(max(hour - held, Decimal(0)), amount) for hour in hours), Decimal(0))
    return used * pay - price * len(hours)
