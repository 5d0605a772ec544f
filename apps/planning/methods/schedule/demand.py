"""What students in class need: quantile regressions of cores on students, the best of them by the days held out.

Three are tried: cores in proportion to students; the same with a level of its own for each part of the day; and
boosted trees that never fall with more students. None of them has seen more students than the largest hour so far:
beyond it cores grow in proportion.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.schedule.pattern import TooLittleHistory, conformal, pinball
from apps.planning.methods.schedule.problem import Floats, Ints

LEAST_CLASS_HOURS = 12
"""So many hours with students are needed before anything is learned of them."""
LEAST_DAYS = 6
PARTS_OF_DAY = 4
HELD_OUT = 0.3
MOST_HOURS = 60 * 24
SEED = 20261127
Learned = Callable[[Floats, Ints], Floats]


@dataclass(frozen=True)
class Demand:
    """Cores by students in class and hour of the day. `pinball` is the loss of the days held out, by model;
    `without_students` that of the quantile of the hour of the day, which knows of no timetable."""

    model: str
    pinball: dict[str, float]
    without_students: float
    most_students: float
    margin: float
    _learned: Learned

    def cores(self, students: Floats, clock: Ints) -> Floats:
        """What so many students need at so many hours of the day."""
        inside = np.minimum(students, self.most_students)
        beyond = np.maximum(students / max(self.most_students, 1.0), 1.0)
        found: Floats = np.maximum(self._learned(inside, clock), 0.0) * self.margin * beyond
        return found


@alone
def learn(students: Floats, clock: Ints, days: Ints, cores: Floats, quantile: float) -> Demand:
    """Learn from hours: students in class, hour of the day, day (any growing number), cores (NaN: not known)."""
    known = ~np.isnan(cores)
    students, cores = students[known][-MOST_HOURS:], cores[known][-MOST_HOURS:]
    clock, days = clock[known][-MOST_HOURS:], days[known][-MOST_HOURS:]
    listed = np.unique(days)
    if len(listed) < LEAST_DAYS or (students > 0).sum() < LEAST_CLASS_HOURS:
        raise TooLittleHistory(
            f"{int((students > 0).sum())} hours with students on {len(listed)} days are known; "
            f"{LEAST_CLASS_HOURS} hours and {LEAST_DAYS} days are needed"
        )
    held = days >= listed[-max(2, int(len(listed) * HELD_OUT))]
    losses, margins = {}, {}
    for name, fit in MODELS.items():
        said = fit(students[~held], clock[~held], cores[~held], quantile)(students[held], clock[held])
        losses[name] = pinball(cores[held], said, quantile)
        margins[name] = max(1.0, conformal(cores[held] / np.maximum(said, 1e-9), quantile))
    best = min(losses, key=lambda name: losses[name])
    by_hour = _of_the_hour(clock[~held], cores[~held], quantile)
    return Demand(
        model=best,
        pinball=losses,
        without_students=pinball(cores[held], by_hour[clock[held]], quantile),
        most_students=float(students.max()),
        margin=margins[best],
        _learned=MODELS[best](students, clock, cores, quantile),
    )


def _of_the_hour(clock: Ints, cores: Floats, quantile: float) -> Floats:
    overall = float(np.quantile(cores, quantile))
    found: Floats = np.full(24, overall)
    for hour in np.unique(clock):
        found[hour] = np.quantile(cores[clock == hour], quantile)
    return found


def _proportional(students: Floats, clock: Ints, cores: Floats, quantile: float) -> Learned:
    return _linear(students, np.zeros_like(clock), cores, quantile, 1)


def _by_part_of_day(students: Floats, clock: Ints, cores: Floats, quantile: float) -> Learned:
    return _linear(students, clock * PARTS_OF_DAY // 24, cores, quantile, PARTS_OF_DAY)


def _linear(students: Floats, parts: Ints, cores: Floats, quantile: float, count: int) -> Learned:
    """A level for each part plus cores per student, never less than none: the linear program of quantile regression."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, eye, hstack

    scale = max(float(students.max()), 1.0)
    rows = np.arange(len(cores))
    levels = csr_matrix((np.ones(len(cores)), (rows, parts)), shape=(len(cores), count))
    unit = eye(len(cores), format="csr")
    held: Any = hstack([levels, csr_matrix(students[:, None] / scale), unit, -unit]).tocsr()
    costs = np.concatenate([np.zeros(count + 1), np.full(len(cores), quantile), np.full(len(cores), 1 - quantile)])
    solved: Any = linprog(costs, A_eq=held, b_eq=cores, bounds=(0, None), method="highs")
    level, slope = solved.x[:count], float(solved.x[count]) / scale
    top = float(level.max())
    told = np.bincount(parts, minlength=count) > 0

    def said(students: Floats, clock: Ints) -> Floats:
        part = clock * count // 24
        return np.where(told, level, top)[part] + slope * students

    return said


def _boosted(students: Floats, clock: Ints, cores: Floats, quantile: float) -> Learned:
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor(
        loss="quantile", quantile=quantile, max_iter=60, max_leaf_nodes=8, min_samples_leaf=10, learning_rate=0.15,
        monotonic_cst=[1, 0], random_state=SEED, early_stopping=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trees.fit(np.column_stack([students, clock]), cores)

    def said(students: Floats, clock: Ints) -> Floats:
        found: Floats = trees.predict(np.column_stack([students, clock]))
        return found

    return said


MODELS: dict[str, Callable[[Floats, Ints, Floats, float], Learned]] = {
    "students": _proportional,
    "students and part of day": _by_part_of_day,
    "boosted trees": _boosted,
}
