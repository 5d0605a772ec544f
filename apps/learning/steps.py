"""The day a series stepped to another level."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WEEKDAYS_FROM = 21
"""From so many days on the pattern of the week is told apart from a step."""
LEAST = 16.0
"""How much better than chance a step must fit (the F statistic), for its day has been looked for."""


def first_day_of_step(series: Floats, *, weekday: int = 0) -> int | None:
    """The place of the first day after which the level is another; None where no step stands out.

    Every day is tried as the first by least squares: a level before and one after, beside the pattern of the week
    (`weekday` of the first day) where there are days enough to know it.
    """
    days = len(series)
    if days < 4 or np.ptp(series) == 0:
        return None
    place = np.arange(days)
    plain = np.ones((days, 1))
    if days >= WEEKDAYS_FROM:
        plain = ((place + weekday) % 7)[:, None] == np.arange(7)
    basis = np.linalg.qr(plain.astype(float))[0]
    steps = (place[:, None] >= np.arange(1, days)).astype(float)
    left = series - basis @ (basis.T @ series)
    apart = steps - basis @ (basis.T @ steps)
    size = np.square(apart).sum(axis=0)
    explained = np.divide(np.square(apart.T @ left), size, out=np.zeros(days - 1), where=size > 1e-9)
    best = int(np.argmax(explained))
    rest = max(float(left @ left) - explained[best], 1e-12 * float(series @ series))
    free = max(days - basis.shape[1] - 1, 1)
    return best + 1 if explained[best] / rest * free >= LEAST else None
