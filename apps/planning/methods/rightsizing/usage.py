"""What workloads used, as days x samples x workloads, and what a day comes to: its peak and its upper percentiles."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Usage:
    """Samples of whole days, one column per workload; NaN where nothing is known.

    `samples` is days x samples of a day x workloads, in cores or GiB, of the busiest replica: one request serves all
    replicas, so the busiest decides. Unknown days may stand before, between and after the known ones.
    """

    samples: Array

    @property
    def days(self) -> int:
        return int(self.samples.shape[0])

    @property
    def count(self) -> int:
        return int(self.samples.shape[2])

    @property
    def known(self) -> Array:
        """How many samples of each day (row) and workload (column) are known."""
        known: Array = (~np.isnan(self.samples)).sum(axis=1)
        return known

    @property
    def history(self) -> Array:
        """How many days with samples each workload has seen before each day, and before the day after the last."""
        return np.vstack([np.zeros((1, self.count), int), np.cumsum(self.known > 0, axis=0)])

    def upper(self, share: float) -> Array:
        """By day and workload: the highest sample after the given share of the day's samples is left out."""
        if share == 0:
            peaks: Array = np.fmax.reduce(self.samples, axis=1)
            return peaks
        known = self.known
        place = np.minimum((known * share).astype(int), np.maximum(known - 1, 0))
        falling = -np.sort(-self.samples, axis=1)  # unknown ones last
        return np.take_along_axis(falling, place[:, None, :], axis=1)[:, 0]

    def of(self, workloads: Array) -> "Usage":
        """The same of some workloads."""
        return Usage(self.samples[:, :, workloads])


def in_days(series: Array, a_day: int) -> Usage:
    """Samples in a row (rows) of workloads (columns) as days; an unfinished last day is filled with unknown."""
    missing = -len(series) % a_day
    filled = np.concatenate([series, np.full((missing, series.shape[1]), np.nan, dtype=series.dtype)])
    return Usage(filled.reshape(-1, a_day, series.shape[1]))
