"""Forecasts that add up: every whole to its parts, on every day."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal

import numpy as np

from apps.learning.calendars import Matrix

Sums = Sequence[tuple[int, Sequence[int]]]
"""A whole and its parts, as the places of their series."""
LEAST_SPREAD = 1e-9
"""Nobody is surer than this part of the least sure: somebody has to take up the difference."""
_EXACT = Context(prec=60)


def reconcile(said: Matrix, spread: Matrix, sums: Sums) -> Matrix:
    """Forecasts adjusted as little as possible so that every whole is the sum of its parts.

    The least squares weighted by variance (MinT with a diagonal, Wickramasuriya et al. 2019): what disagrees is spread
    over all it concerns, those that err most moved most. A part may belong to several wholes (a team to the total and
    to its cost centre), a whole be part of another or not; each whole is named once per division.

    Parameters
    ----------
    said
        Days ahead × series.
    spread
        Of each series: the standard deviation, or mean size, of its errors.
    """
    held = np.zeros((len(sums), said.shape[1]))
    for row, (whole, parts) in enumerate(sums):
        held[row, list(parts)] = 1
        held[row, whole] -= 1
    weighted = held * _variance(spread)
    # Rows are measured in their own size, as a large total and a tiny team stand side by side.
    size = np.sqrt((weighted * held).sum(axis=1))
    inner = (weighted @ held.T) / np.outer(size, size)
    short = (held @ said.T) / size[:, None]
    return np.asarray(said - (weighted / size[:, None]).T.dot(np.linalg.lstsq(inner, short, rcond=1e-13)[0]).T)


def _variance(spread: Matrix) -> Matrix:
    """Squared, in those of the largest, never quite nothing."""
    known = np.nan_to_num(spread)
    largest = float(known.max(initial=0))
    relative = known / largest if largest > 0 else np.ones_like(known)
    return np.asarray(np.maximum(relative, LEAST_SPREAD) ** 2)


def rounded_to_add_up(parts: Sequence[float], total: Decimal, *, decimals: int) -> list[Decimal]:
    """Parts rounded once to `decimals` so that they add up to exactly `total`, no part off by a whole last place.

    The largest remainders are rounded up. `parts` add up to `total` but for rounding.
    """
    unit = Decimal(1).scaleb(-decimals)
    exact = [Decimal(part) for part in parts]
    floors = [part.quantize(unit, rounding=ROUND_FLOOR, context=_EXACT) for part in exact]
    missing = total
    for floor in floors:
        missing = _EXACT.subtract(missing, floor)
    steps = int((missing / unit).to_integral_value())
    order = sorted(range(len(parts)), key=lambda place: (floors[place] - exact[place], place))
    base, extra = divmod(steps, max(len(parts), 1))
    for rank, place in enumerate(order):
        floors[place] = _EXACT.add(floors[place], unit * (base + (1 if rank < extra else 0)))
    return floors
