"""Changes that never were: how far the methods are off where the truth is known to be nothing.

Placebos in time begin before the change, on the changed series and on its controls; placebos in space are the controls
at the time of the change itself (Abadie, Diamond and Hainmueller 2010). Each error is measured in the spread that the
structural model predicted for it, so that quiet and rough series, short and long histories speak the same language;
by how much that spread is exceeded where nothing happened widens the interval (after Chernozhukov, Wüthrich and Zhu
2021, who count; there are seldom enough to count here, so Student's t is taken).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from apps.learning.calendars import Matrix
from apps.learning.effects.methods import Expected, expect
from apps.learning.effects.panel import WEEK, Panel, Split
from apps.learning.effects.study import LEAST_AFTER, LEAST_BEFORE

MOST_ORIGINS = 6
"""Pretended starts, the latest that the days before leave room for."""
LEAST_SPREAD = 0.0025
"""No sum is foretold better than to a quarter of a percent."""
TRUSTED, FREEDOM = 10, 4
"""The predicted spread counts as so many placebos; and so many degrees of freedom are there without any."""
ALIKE = 0.25
"""Placebos overlap in time and move together: each counts as so many independent ones."""
CLIPPED = 3.0
"""An error beyond so many middle errors tells no more of a method than that."""
POWER = 2.0
"""Methods count by one over their mean square error to this power: the better ones clearly more, none alone."""
COVERED = 0.95


@dataclass(frozen=True)
class Trials:
    """One column per placebo: sums of expected − actual per method, in the predicted `spread` of that sum."""

    names: tuple[str, ...]
    errors: Matrix
    relative: Matrix
    """The same errors in parts of what was expected."""
    is_own: NDArray[np.bool_]
    in_space: NDArray[np.bool_]
    days: int
    """From the pretended start of those in time to their end."""

    def weights(self) -> Matrix:
        """The share of each method: the less its errors were, the more; without placebos all the same."""
        if not self.errors.shape[1]:
            return np.full(len(self.names), 1 / len(self.names))
        size = np.abs(self.errors)
        size = np.minimum(size, CLIPPED * np.median(size, axis=1, keepdims=True))
        weights = np.maximum((size**2).mean(axis=1), 1e-6) ** -POWER
        return np.asarray(weights / weights.sum())

    def typical(self) -> Matrix:
        """Errors in parts of what was expected: those of the changed series itself, of all where it has none."""
        return self.relative[:, self.is_own] if self.is_own.any() else self.relative

    def factor(self, level: float = COVERED) -> float:
        """What the predicted spread is multiplied with to hold the truth so often.

        Student's t, for as many degrees of freedom as there are independent placebos, times the root mean square of
        their errors, with the predicted spread as some placebos more: the fewer there are, the wider.
        """
        errors = self.weights() @ self.errors
        count = ALIKE * len(errors)
        square = (TRUSTED + ALIKE * (errors**2).sum()) / (TRUSTED + count)
        return float(stats.t.ppf((1 + level) / 2, FREEDOM + count) * np.sqrt(square))

    def wider(self, share: float) -> float:
        """How many times wider an interval may be that others will tell of, in that share of cases: a spread that few
        placebos bear out may by chance have been small (the upper bound of a standard deviation by chi-square)."""
        freedom = FREEDOM + ALIKE * self.errors.shape[1]
        return float(max(1.0, np.sqrt(freedom / stats.chi2.ppf(1 - share, freedom))))


def try_all(panel: Panel, *, gap: int, length: int, at_change: tuple[Split, Expected]) -> Trials:
    """The placebos for a change of `length` days, `gap` days after its start; `at_change` is what was expected then."""
    gap, length = _fitting(panel.begin, gap, length)
    times = [(split, expect(panel, split)) for split in _in_time(panel, gap, length)]
    series = np.arange(panel.costs.shape[1]) if len(panel.controls) > 1 else np.zeros(1, dtype=int)
    parts = [_errors(panel, split, expected, series) for split, expected in times]
    parts.append(_errors(panel, *at_change, series[1:]))
    errors, relative = (np.hstack([part[place] for part in parts]) for place in (0, 1))
    is_own = np.concatenate([np.tile(series == 0, len(times)), np.zeros(len(series) - 1, dtype=bool)])
    in_space = np.arange(len(is_own)) >= len(times) * len(series)
    return Trials(at_change[1].names, errors, relative, is_own, in_space, gap + length)


def least_spread(expected: Matrix, spread: Matrix) -> Matrix:
    """The predicted spread, and no less than nobody can foretell."""
    return np.asarray(np.maximum(spread, np.maximum(LEAST_SPREAD * np.abs(expected), 1e-12)))


def _fitting(before: int, gap: int, length: int) -> tuple[int, int]:
    """The gap and the length of placebos: those of the change, or what the days before leave room for."""
    room = before - LEAST_BEFORE
    if room >= gap + LEAST_AFTER:
        return gap, min(length, room - gap)
    return 0, min(length, max(room, 0))


def _in_time(panel: Panel, gap: int, length: int) -> list[Split]:
    """Splits of the days before the change, the latest first; each begins half a window before the next."""
    if length < LEAST_AFTER:
        return []
    origins = range(panel.begin - gap - length, LEAST_BEFORE - 1, -max(WEEK, length // 2))
    splits = [panel.split(origin, gap, length) for origin in origins[:MOST_ORIGINS]]
    return [
        split
        for split in splits
        if len(split.train) >= LEAST_BEFORE * 3 // 4 and split.counted.sum() >= LEAST_AFTER * 5 // 7
    ]


def _errors(panel: Panel, split: Split, expected: Expected, series: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
    sums = expected.by_method[:, series] @ split.counted
    errors = sums - split.counted @ panel.costs[split.ahead][:, series]
    middle = np.median(sums, axis=0)
    spread = least_spread(middle, expected.sum_spread[series])
    return errors / spread, errors / np.maximum(np.abs(middle), 1e-12)
