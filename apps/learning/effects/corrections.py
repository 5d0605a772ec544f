"""What changed a cost beside the initiative: prices, volume, and costs that only moved elsewhere."""

from dataclasses import dataclass

import numpy as np

from apps.learning.calendars import Matrix
from apps.learning.effects.study import EffectError


@dataclass(frozen=True)
class Normalised:
    """Day by day: `cost` = the cost as billed + `moved` + `price` + `volume`, each the money its correction added."""

    cost: Matrix
    moved: Matrix
    price: Matrix
    volume: Matrix


def normalise(
    cost: Matrix,
    *,
    before: int,
    price: Matrix | None = None,
    volume: Matrix | None = None,
    moved: Matrix | None = None,
) -> Normalised:
    """The cost as it would have been at the prices and the volume of the first `before` days, with what moved away.

    Parameters
    ----------
    cost
        What was billed per day.
    price
        The price per unit (or an index of prices) of each day: cost = quantity × price, and the price is held at its
        mean before, weighed by quantity. A cheaper list price is no saving of engineers.
    volume
        What the cost is in proportion to (requests, students); held at its mean before. Give it here only where cost is
        truly in proportion; otherwise it belongs to the drivers of the study, which learn how far it is.
    moved
        What of the day's cost went to another service or team since the start: it is still paid, and so added again.

    Unknown is passed on: a day with an unknown or zero price or volume has an unknown cost (NaN).
    """
    billed = np.asarray(cost, dtype=float)
    if not 0 < before <= len(billed):
        raise EffectError(f"{before} days before the start are not among the {len(billed)} days")
    added = np.zeros(len(billed)) if moved is None else _aligned("moved", moved, billed)
    with_moved = billed + added
    at_price = with_moved if price is None else _held(with_moved, _aligned("price", price, billed), before, weigh=True)
    at_volume = at_price if volume is None else _held(at_price, _aligned("volume", volume, billed), before, weigh=False)
    return Normalised(cost=at_volume, moved=added, price=at_price - with_moved, volume=at_volume - at_price)


def _held(cost: Matrix, factor: Matrix, before: int, *, weigh: bool) -> Matrix:
    """The cost at the factor's mean of the days before; of a price, the mean weighed by quantity = cost ÷ price."""
    per_unit = np.divide(cost, factor, out=np.full(len(cost), np.nan), where=factor != 0)
    known = ~np.isnan(per_unit[:before])
    if not known.any():
        raise EffectError("no day before the start tells what to hold it at")
    units = per_unit[:before][known].sum()
    usual = cost[:before][known].sum() / units if weigh and units else factor[:before][known].mean()
    return np.asarray(per_unit * usual)


def _aligned(name: str, values: Matrix, cost: Matrix) -> Matrix:
    values = np.asarray(values, dtype=float)
    if values.shape != cost.shape:
        raise EffectError(f"{name} must have one value for each of the {len(cost)} days")
    return values
