"""The Numenta Anomaly Benchmark, scored as its authors do (Lavin and Ahmad 2015), and a small detector for it.

Files of five-minute readings are not daily spend: the product's detector does not apply. What is measured here is how far
the same parts carry (what is usual by the time of day, how far the last readings are from it, in ranks of what was).
"""

import bisect
import csv
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest

FALSE_COSTS, PROBATION, PROBATION_ROWS = 0.11, 0.15, 5000


@dataclass(frozen=True)
class Reading:
    """One file: its values, the minute each was read at, and the windows (first row, last row) of its anomalies."""

    name: str
    values: np.ndarray
    minutes: np.ndarray
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        """So many first rows are not scored."""
        return int(PROBATION * min(len(self.values), PROBATION_ROWS))


def read(folder: Path) -> list[Reading]:
    """Every file that has labels."""
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    found = []
    for name, windows in sorted(labels.items()):
        path = folder / "data" / name
        if path.exists():
            rows = list(csv.DictReader(path.open()))
            times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
            minutes = np.array([(time - times[0]).total_seconds() / 60 for time in times])
            edges = [[datetime.fromisoformat(edge) for edge in window] for window in windows]
            places = [
                (
                    next(row for row, time in enumerate(times) if time >= first),
                    max(row for row, time in enumerate(times) if time <= last),
                )
                for first, last in edges
            ]
            found.append(Reading(name, np.array([float(row["value"]) for row in rows]), minutes, places))
    return found


def _sigmoid(position: np.ndarray | float) -> np.ndarray:
    """1 long before the end of a window, 0 at it, -1 long after."""
    far = np.asarray(position, dtype=float)
    return np.where(far > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(far, 3))) - 1)


def rewards(one: Reading) -> tuple[np.ndarray, np.ndarray]:
    """By row: the window it is in (-1: none), and what flagging it is worth."""
    rows = np.arange(len(one.values))
    within = np.full(len(rows), -1)
    worth = np.full(len(rows), -FALSE_COSTS)
    for first, last in one.windows:
        width = last - first + 1
        after = rows > last
        worth[after] = FALSE_COSTS * _sigmoid((rows[after] - last) / max(width - 1, 1))
    for number, (first, last) in enumerate(one.windows):
        width = last - first + 1
        inside = slice(first, last + 1)
        within[inside] = number
        worth[inside] = _sigmoid(-(last - rows[inside] + 1) / width) / _sigmoid(-1.0)
    return within, worth


def standard_score(files: list[Reading], scores: list[np.ndarray]) -> tuple[float, float]:
    """The score of the standard profile (0: nothing is flagged, 100: all is perfect), and the one threshold for all
    files that gives it: as in the benchmark, the best there is."""
    told = [rewards(one) for one in files]
    count = sum(len(one.windows) for one in files)
    rows = [
        (score[row], number, row)
        for number, (one, score) in enumerate(zip(files, scores, strict=True))
        for row in np.flatnonzero(score > 0).tolist()
        if row >= one.probation
    ]
    reached, earliest, best = -float(count), dict[tuple[int, int], int](), (0.0, np.inf)
    for score, number, row in sorted(rows, reverse=True):  # the threshold sinks; of a window its first flag counts
        within, worth = told[number]
        window = (number, int(within[row]))
        if window[1] < 0:
            reached += worth[row]
        elif window not in earliest:
            reached += 1 + worth[row]
            earliest[window] = row
        elif row < earliest[window]:
            reached += worth[row] - worth[earliest[window]]
            earliest[window] = row
        best = max(best, (100 * (reached + count) / (2 * count), float(score)))
    return best


DAY_MINUTES, BEFORE, QUIET_ROWS, LEVEL_ROWS = 1440, (*range(1, 12), 14), 300, 2000


def ours(one: Reading) -> np.ndarray:
    """How far a reading is from its usual by the time of day, and from the level of the last week: each in ranks of what was."""
    begin = one.probation // 2
    both = [ranks(np.abs(part), begin) for part in (_off_its_time(one), one.values - _level(one.values))]
    return first_of_many(np.sqrt(np.mean(np.square(both), axis=0)))


def _off_its_time(one: Reading) -> np.ndarray:
    """A reading less the median of those at the same time on earlier days; 0 on the first day."""
    step = np.median(np.diff(one.minutes))
    day = round(DAY_MINUTES / step)
    before = np.full((len(BEFORE), len(one.values)), np.nan)
    for place, count in enumerate(BEFORE):
        if count * day < len(one.values):
            before[place, count * day :] = one.values[: -count * day]
    off = np.zeros(len(one.values))
    off[day:] = one.values[day:] - np.nanmedian(before[:, day:], axis=0)
    return off


def _level(values: np.ndarray) -> np.ndarray:
    """The mean of the rows before each one, at most a week of five minutes."""
    sums = np.r_[0, np.cumsum(values)]
    end = np.maximum(np.arange(len(values)), 1)
    begin = np.maximum(0, end - LEVEL_ROWS)
    return (sums[end] - sums[begin]) / (end - begin)


def ranks(far: np.ndarray, begin: int) -> np.ndarray:
    """From row `begin` on: the logarithm of how seldom anything was as far before, and for records how much farther."""
    found, past = np.zeros(len(far)), []
    for row, here in enumerate(far.tolist()):
        if row >= begin and past:
            above = len(past) - bisect.bisect_left(past, here)
            found[row] = -np.log10((above + 1) / (len(past) + 1))
            if not above:
                found[row] += min(3.0, np.log2(max(here, 1e-9) / past[-1])) if past[-1] > 0 else 3.0
        bisect.insort(past, here)
    return found


def first_of_many(score: np.ndarray) -> np.ndarray:
    """The scores that are higher than all of a day before them: what goes on is one alert."""
    found, highest = np.zeros(len(score)), deque[int]()
    for row, here in enumerate(score.tolist()):
        while highest and highest[0] < row - QUIET_ROWS:
            highest.popleft()
        if not highest or here > score[highest[0]]:
            found[row] = here
        while highest and score[highest[-1]] <= here:
            highest.pop()
        highest.append(row)
    return found


def windowed_gaussian(one: Reading) -> np.ndarray:
    """The benchmark's own simple one: deviations of a moving window."""
    level = _level(one.values)
    spread = np.sqrt(np.maximum(_level(np.square(one.values)) - np.square(level), 1e-9))
    return np.abs(one.values - level) / spread


def isolation_forest(one: Reading) -> np.ndarray:
    """An IsolationForest that learned from the first rows: value, change, and the mean of an hour."""
    hour = np.convolve(one.values, np.ones(12) / 12)[: len(one.values)]
    rows = np.stack([one.values, np.diff(one.values, prepend=one.values[0]), hour], axis=1)
    return first_of_many(1 + -IsolationForest(random_state=0).fit(rows[: one.probation]).score_samples(rows))


DETECTORS: dict[str, Callable[[Reading], np.ndarray]] = {
    "ours": ours, "IsolationForest": isolation_forest, "windowed Gauss": windowed_gaussian,
}  # fmt: skip
