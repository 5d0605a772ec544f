"""Where an anomaly belongs: of many series that moved together, the few places that explain it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.insights.anomalies.cells import LEVELS, Cells, Series
from apps.learning.anomalies.describing import Alert
from apps.learning.calendars import Matrix

TOGETHER_DAYS = 3
"""Alerts that begin at most so many days apart may have one cause."""
WEEK, WEEKS_BEFORE = 7, 3
EXPLAINED = 0.35
"""An alert is explained by another when less than this part of its move is left without it."""
AS_GOOD = 0.03
"""So much worse an explanation may be and still be preferred for naming a smaller place."""


@dataclass(frozen=True)
class Move:
    """What moved on some days: by cell what was expected, from the same weekdays before, and what came instead."""

    expected: Matrix
    actual: Matrix

    @property
    def change(self) -> Matrix:
        return self.actual - self.expected


def move_of(cells: Cells, first: int, days: range) -> Move:
    """The cells on some days of what began at place `first`, beside the same weekdays of the weeks before it."""
    expected, actual = np.zeros(len(cells.keys)), np.zeros(len(cells.keys))
    for day in days:
        latest = first - 1 - (first - 1 - day) % WEEK
        weeks = list(range(latest, -1, -WEEK))[:WEEKS_BEFORE]
        actual += cells.amounts[day]
        expected += np.median(cells.amounts[weeks], axis=0) if weeks else 0.0
    return Move(expected, actual)


def where_they_belong(cells: Cells, alerts: list[Alert]) -> list[Alert]:
    """One alert per cause: of those that began together in one direction, the ones that explain the others."""
    kept: list[Alert] = []
    for way in (True, False):
        group: list[Alert] = []
        for alert in sorted((one for one in alerts if one.is_upward == way), key=_order):
            if group and alert.first - group[-1].first > TOGETHER_DAYS:
                kept += _explaining(cells, group)
                group = []
            group.append(alert)
        kept += _explaining(cells, group) if group else []
    return sorted(kept, key=_order)


def _explaining(cells: Cells, group: list[Alert]) -> list[Alert]:
    """The best explanation first, then the best of what it leaves unexplained, until nothing is left."""
    begin = max(one.first for one in group)
    end = min(max(begin, min(one.last for one in group)), begin + WEEK - 1)
    move = move_of(cells, min(one.first for one in group), range(begin, end + 1))
    left, chosen, waiting = move.change.copy(), list[Alert](), list(group)
    while waiting:
        scores = [_score(left, move.expected, cells.series[one.series].members) for one in waiting]
        good = [one for one, score in zip(waiting, scores, strict=True) if score >= max(scores) - AS_GOOD]
        pick = min(good, key=lambda one: _width(cells.series[one.series]))
        chosen.append(pick)
        left[cells.series[pick.series].members] = 0
        waiting = [one for one in waiting if one is not pick and _is_left(left, move, cells.series[one.series])]
    return chosen


def _score(left: Matrix, expected: Matrix, members: NDArray[np.int64]) -> float:
    """How much of what is left is explained by all members having moved by one share, and nothing else."""
    whole = np.abs(left).sum()
    if not whole:
        return 0.0
    usual = expected[members].sum()
    said = expected[members] * (left[members].sum() / usual) if usual > 0 else left[members]
    missed = np.abs(left[members] - said).sum() + whole - np.abs(left[members]).sum()
    return float(1 - missed / whole)


def _is_left(left: Matrix, move: Move, one: Series) -> bool:
    before = abs(move.change[one.members].sum())
    return bool(abs(left[one.members].sum()) > EXPLAINED * before)


def _width(one: Series) -> tuple[int, int]:
    """Smaller places first; of the same place the one that names it closest."""
    return len(one.members), -list(LEVELS).index(one.level)


def _order(one: Alert) -> tuple[int, int]:
    return one.first, one.series
