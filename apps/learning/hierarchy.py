"""Forecasts that add up: the parts of every division to the same total."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Context, Decimal

import numpy as np

from apps.learning.calendars import Matrix

_EXACT = Context(prec=60)


def reconcile(
    total: Matrix, parts: Mapping[str, Matrix], spreads: Mapping[str, Matrix], total_spread: float
) -> tuple[Matrix, dict[str, Matrix]]:
    """The forecast of a total, and of its parts by team, by service, …, adjusted so that each division adds up to it.

    The least squares weighted by variance (MinT with a diagonal, Wickramasuriya et al. 2019) for divisions that share
    nothing but their total: the total becomes the mean of all that is said of it, weighted by how sure each is; what
    a division is short of it is spread over its parts by their variance.

    Parameters
    ----------
    total, total_spread
        Days ahead, and the spread (standard deviation, or mean size of errors) of one.
    parts, spreads
        By division: days ahead × parts, and the spread of each part.
    """
    variances = {name: _variance(spread) for name, spread in spreads.items()}
    said = [(total, 1 / float(_variance(np.array([total_spread]))[0]))]
    said += [(parts[name].sum(axis=1), 1 / float(variances[name].sum())) for name in parts]
    agreed = sum(weight * sums for sums, weight in said) / sum(weight for _, weight in said)
    return np.asarray(agreed), {
        name: part + np.outer(agreed - part.sum(axis=1), variances[name] / variances[name].sum())
        for name, part in parts.items()
    }


def _variance(spread: Matrix) -> Matrix:
    """Squared, never quite nothing: somebody has to take up the difference."""
    return np.asarray(np.maximum(np.nan_to_num(spread), 1e-9 * max(float(np.nanmax(spread, initial=0)), 1e-9)) ** 2)


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
