"""Four ways to say what a cost would have been: by drivers, by differences, by a synthetic control, by its structure.

All speak of every series of a panel: the changed one by its controls, and each control by the others, as if it had been
changed. Sources: IPMVP option C (EVO 2022); Card and Krueger (1994), in ratios, as costs differ in size; Abadie,
Diamond and Hainmueller (2010) with the intercept of Doudchenko and Imbens (2016) and the ridge of Ben-Michael, Feller
and Rothstein (2021); the structural time series of `apps.learning.effects.structural`.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from apps.learning.calendars import Matrix
from apps.learning.effects import structural
from apps.learning.effects.panel import Panel, Split
from apps.learning.effects.shifts import levelled

REGRESSION, DIFFERENCES, SYNTHETIC, STRUCTURAL = (
    "regression", "difference_in_differences", "synthetic_control", "structural",
)  # fmt: skip
PSEUDO_DAYS = 2
"""Days of no difference that every weekday is given beside its own."""
SUM_TO_ONE = 1e3
RIDGES = (np.inf, 3.0, 0.3)
"""Penalties of the correction to synthetic weights, in days times the variance of a control; infinite is none."""


@dataclass(frozen=True)
class Expected:
    """`by_method` is methods × series × days ahead; spreads are those the structural model predicts."""

    names: tuple[str, ...]
    by_method: Matrix
    spread: Matrix
    sum_spread: Matrix


def expect(panel: Panel, split: Split) -> Expected:
    """What every method expects of every series on the days ahead."""
    panel = _levelled(panel, split)
    scaled = structural.Scaled.at(panel, split)
    found = structural.expect(scaled, split)
    by_name = {
        REGRESSION: structural.expect(scaled, split, levels=(structural.STILL,), believed=(0.0,)).expected,
        STRUCTURAL: found.expected,
    }
    if panel.controls:
        by_name |= _by_controls(panel, split)
    return Expected(tuple(by_name), np.stack(list(by_name.values())), found.spread, found.sum_spread)


@dataclass(frozen=True)
class _Relative:
    """Every series as deviations from its mean, in units of its size: the pattern of the week, and the `rest`."""

    mean: Matrix
    size: Matrix
    week: Matrix
    rest: Matrix


def _relative(panel: Panel, split: Split) -> _Relative:
    mean, sd = panel.costs[split.train].mean(axis=0), panel.costs[split.train].std(axis=0)
    size = np.maximum(np.abs(mean), sd)
    size = np.where(size > 0, size, 1.0)
    relative = (panel.costs - mean) / size
    week = panel.calendar @ _weekly(panel, split, relative)
    return _Relative(mean, size, week, relative - week)


def _levelled(panel: Panel, split: Split) -> Panel:
    told = _relative(panel, split)
    return replace(panel, costs=levelled(panel.costs, told.rest, told.size, split.train))


def _by_controls(panel: Panel, split: Split) -> dict[str, Matrix]:
    """Both methods that compare with others, in relative deviations from each series' mean, the week taken out."""
    told = _relative(panel, split)
    series = panel.costs.shape[1]
    differences, synthetic = np.zeros((2, series, len(split.ahead)))
    for one in range(series):
        others = np.array([other for other in range(1, series) if other != one])
        if len(others):
            before, after = told.rest[np.ix_(split.train, others)], told.rest[np.ix_(split.ahead, others)]
            differences[one] = after.mean(axis=1)
            synthetic[one] = after @ _synthetic_weights(before, told.rest[split.train, one])
    size, base = told.size[:, None], told.mean[:, None] + told.size[:, None] * told.week[split.ahead].T
    return {DIFFERENCES: base + size * differences, SYNTHETIC: base + size * synthetic}


def _weekly(panel: Panel, split: Split, relative: Matrix) -> Matrix:
    """Coefficients of the calendar, drawn towards none."""
    columns = panel.calendar[split.train]
    gram = columns.T @ columns + PSEUDO_DAYS * np.eye(columns.shape[1])
    return np.asarray(np.linalg.solve(gram, columns.T @ relative[split.train]))


def _synthetic_weights(controls: Matrix, rest: Matrix) -> Matrix:
    """Weights of controls: none negative, in sum one, with a ridge correction if that told the last third better."""
    cut = len(rest) * 2 // 3
    errors = [
        np.square(rest[cut:] - controls[cut:] @ _weights(controls[:cut], rest[:cut], ridge)).sum() for ridge in RIDGES
    ]
    return _weights(controls, rest, RIDGES[int(np.argmin(errors))])


def _weights(controls: Matrix, rest: Matrix, ridge: float) -> Matrix:
    days, count = controls.shape
    small = 0.1 * np.sqrt(days * max(float(controls.var(axis=0).mean()), 1e-12))
    heavy = SUM_TO_ONE * max(small, 1e-9)
    weights, _ = nnls(
        np.vstack([controls, np.full((1, count), heavy), small * np.eye(count)]),
        np.r_[rest, heavy, np.zeros(count)],
    )
    weights /= weights.sum()
    if np.isinf(ridge):
        return np.asarray(weights)
    penalty = ridge * days * max(float(controls.var(axis=0).mean()), 1e-12)
    return np.asarray(
        weights
        + np.linalg.solve(controls.T @ controls + penalty * np.eye(count), controls.T @ (rest - controls @ weights))
    )
