"""What past decisions were worth: precision and recall, the threshold that reaches a precision, a calibrated curve."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from apps.learning.idle.activity import Matrix
from apps.learning.idle.lessons import Lessons


@dataclass(frozen=True)
class Curve:
    """The logistic curve of the rule's index and the boosting's log odds, added up."""

    constant: float
    index: float
    boosted: float = 0.0

    def __call__(self, index: Matrix, boosted: Matrix) -> Matrix:
        return np.asarray(1 / (1 + np.exp(-(self.constant + self.index * index + self.boosted * boosted))))


@dataclass(frozen=True)
class Backtest:
    """What was said at past decision dates of subjects that were not learned from, against what came.

    `average_precision` is that of what ships, `rule_average_precision` that of the plain rule; `precision` and
    `recall` are those at the thresholds `safe` and `review`, NaN where nothing reached a threshold.
    """

    subjects: int
    dates: int
    decisions: int
    stayed_idle: int
    average_precision: float
    rule_average_precision: float
    precision: Mapping[str, float]
    recall: Mapping[str, float]


def measure(
    real: Lessons, said: Matrix, thresholds: Mapping[str, float], *, average: float, rule_average: float
) -> Backtest:
    """`said` is one probability per row of `real`."""
    hit = {name: (said >= least, real.truth[said >= least]) for name, least in thresholds.items()}
    return Backtest(
        subjects=len(np.unique(real.subject)),
        dates=len(np.unique(real.date)),
        decisions=len(said),
        stayed_idle=int(real.truth.sum()),
        average_precision=average,
        rule_average_precision=rule_average,
        precision={name: float(truth.mean()) if len(truth) else np.nan for name, (_, truth) in hit.items()},
        recall={name: float(truth.sum() / real.truth.sum()) for name, (_, truth) in hit.items()},
    )


def reach(truth: Matrix, said: Matrix, precision: float, *, margin: float = 0.0) -> float:
    """The lowest threshold at which so large a share of what is at or above it was true, had so many more decisions
    been wrong (`margin`); infinite where there is none."""
    order = np.argsort(-said, kind="stable")
    right = np.cumsum(truth[order]) / (np.arange(1, len(said) + 1) + margin)
    ranked = said[order]
    # A threshold cannot part equals.
    is_last = np.append(ranked[1:] != ranked[:-1], True)
    good = np.flatnonzero(is_last & (right >= precision))
    return float(ranked[good[-1]]) if len(good) else np.inf


def calibrate(index: Matrix, boosted: Matrix, truth: Matrix) -> Curve:
    """The curve that turns both scores into a probability (Platt 1999), each weighed by what it adds to the other."""
    fitted = LogisticRegression(C=1e6).fit(np.stack([index, boosted], axis=1), truth)
    return Curve(float(fitted.intercept_[0]), *(float(weight) for weight in fitted.coef_[0]))
