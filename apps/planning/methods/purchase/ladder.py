"""Buying in a ladder: every month a share of what pays over its whole term, with demand that may drift or fall."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

import numpy as np

from apps.planning.methods.purchase.outcomes import foresee
from apps.planning.methods.purchase.scenarios import Floats, expected_use, outlook
from apps.planning.methods.purchase.terms import (
    LEAST_HOURS,
    MONTH_HOURS,
    Holding,
    Ladder,
    Offer,
    Purchase,
    Stance,
)  # fmt: skip

LEVELS = 60
HIGHEST = 0.7
"""Levels above this quantile of hours are used too rarely for any discount on sale."""
STEP = Decimal("0.01")
LADDER_MONTHS = 12


def held(holdings: Sequence[Holding], months: int) -> Floats:
    """What holdings cover in each coming month."""
    covers = np.zeros(months)
    for holding in holdings:
        covers[: holding.months_left] += float(holding.amount)
    return covers


def amounts(demand: Floats, covers: Floats, offers: Sequence[Offer], stance: Stance, pay: float = 1.0) -> list[float]:
    """How much of each offer to buy this month, in the unit of `demand`.

    A level is bought from the offer that saves most a month there, if any saves: expected use times what an hour costs
    otherwise (`pay`, in on-demand prices), less the ratio. `covers` reaches as far as the longest term.
    """
    seen = outlook(demand)
    quantiles = np.quantile(seen.shape, np.linspace(0, HIGHEST, LEVELS))
    below = np.linspace(0, quantiles[0], LEVELS, endpoint=False)  # a flat demand falls to levels it never had
    grid = seen.level * np.concatenate([below, quantiles])
    above = np.maximum(grid - covers[0], 0)
    limits = covers[None, :] + above[:, None]
    use = expected_use(seen, limits, stance)
    saves = np.array([use[:, : one.term_months].mean(axis=1) * pay - float(one.ratio) for one in offers])
    best = saves.argmax(axis=0)
    pays = (saves.max(axis=0) >= 0) & (above > 0)
    if not pays.any():
        return [0.0] * len(offers)
    top = int(np.flatnonzero(pays).max())
    widths = np.diff(np.concatenate([[0.0], above[: top + 1]]))
    return [stance.pace * float(widths[best[: top + 1] == place].sum()) for place in range(len(offers))]


def plan(
    demand: Floats,
    holdings: Sequence[Holding],
    offers: Sequence[Offer],
    *,
    stance: Stance | None = None,
    pay: float = 1.0,
    fall: Decimal = Decimal("0.3"),
    step: Decimal = STEP,
) -> Ladder:
    """The ladder for one pool of demand: on-demand price of each past hour, oldest first, whatever covered it.

    Purchases are whole multiples of `step`, rounded down. Later months assume that demand stays as it is.
    """
    stance = stance or Stance()
    if withheld := _withheld(demand, offers):
        return Ladder(withheld=withheld)
    longest = max(one.term_months for one in offers)
    covers = held(holdings, longest + LADDER_MONTHS)
    known, bought = demand, []
    for month in range(LADDER_MONTHS):
        told = amounts(known, covers[month : month + longest], offers, stance, pay)
        for offer, amount in zip(offers, told, strict=True):
            whole = (Decimal(amount) / step).to_integral_value(ROUND_DOWN) * step
            if whole > 0:
                bought.append(Purchase(month, offer, whole))
                covers[month : month + offer.term_months] += float(whole)
        known = np.concatenate([known, known[-MONTH_HOURS:]])
    now = [one for one in bought if one.month == 0]
    outcome = foresee(demand, holdings, now, stance=stance, pay=pay, fall=fall) if now else None
    return Ladder(tuple(bought), outcome, binds=_binds(demand, held(holdings, longest), offers, bought))


def _withheld(demand: Floats, offers: Sequence[Offer]) -> str:
    if len(demand) < LEAST_HOURS:
        return f"{len(demand) // 24} days of hourly demand are known; a ladder needs {LEAST_HOURS // 24}."
    if not np.isfinite(demand).all() or (demand < 0).any():
        return "Some hours of demand are unknown or negative; see the corrections in the bill."
    if not offers:
        return "No commitment is on sale: the price table holds no reserved instance and no savings plan."
    if not demand[-MONTH_HOURS:].any():
        return "Nothing was used in the last 30 days."
    return ""


def _binds(demand: Floats, covers: Floats, offers: Sequence[Offer], bought: Sequence[Purchase]) -> tuple[str, ...]:
    """What keeps the plan from buying more: `held`, `break_even` or `pace`."""
    if not bought:
        cheapest = min(float(one.ratio) for one in offers)
        floor = float(np.quantile(demand[-MONTH_HOURS:], max(0.0, 1 - cheapest)))
        return ("held",) if covers[0] >= floor else ("break_even",)
    return ("pace", "break_even")
