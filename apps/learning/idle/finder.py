"""The probability that a subject stays idle: a boosting and a plain rule, learned from the fleet's own past."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold

from apps.learning.idle.activity import FLOORS, Activity, Flags, Matrix
from apps.learning.idle.backtest import Backtest, Curve, calibrate, measure, reach
from apps.learning.idle.evidence import MEMORY_DAYS, Verdict
from apps.learning.idle.features import FEATURES, Daily, idle_index, is_enough, look_back
from apps.learning.idle.lessons import Lessons, past_dates, teach
from apps.learning.threads import alone

__all__ = ["Backtest", "IdleFinder"]

FOLDS = 5
MARGIN = {"safe": 0.3, "review": 0.0}
"""Thresholds are chosen as if so many more subjects had been wrong: a precision that was just reached is not kept, and
nobody looks again at what is safe."""
LOWEST = {"safe": 0.8, "review": 0.5}
"""Below this nobody is called so, however precise the past was: where all is clear nothing need be risked."""
PRIOR = Curve(-8.8, 2.0)
"""Where nothing can be learned: never active in 14, 21, 28, 45 known days is believed by .93, .96, .98, .99, as public
traces of virtual machines have it."""


class IdleFinder(ClassifierMixin, BaseEstimator):
    """Who stays idle for the next days: at most 1 % of hours active. Where the boosting is no better the rule ships.

    Parameters
    ----------
    horizon_days
        The days ahead that are asked about.
    safe_precision, review_precision
        Of those that are called `safe` (and `review` or better) so many stayed idle, on past dates.
    floors
        Signal -> the value from which on an hour is active.
    memory_days
        So much of the past is looked at.
    random_state
        Of the boosting, the folds, and the draw where there are very many subjects.
    """

    def __init__(
        self,
        horizon_days: int = 30,
        safe_precision: float = 0.95,
        review_precision: float = 0.90,
        floors: Mapping[str, float] = FLOORS,
        memory_days: int = MEMORY_DAYS,
        random_state: int = 0,
    ) -> None:
        self.horizon_days = horizon_days
        self.safe_precision = safe_precision
        self.review_precision = review_precision
        self.floors = floors
        self.memory_days = memory_days
        self.random_state = random_state

    def fit(self, X: Activity, y: None = None) -> Self:
        """Learn from the decisions that could have been made at past dates, whose truth is known by the end of `X`.

        Sets `way_` (`model`, `rule` or `prior`), `thresholds_`, `backtest_`.
        """
        dates = past_dates(X.days, self.horizon_days)
        return self.learn(teach(X, dates, self.horizon_days, floors=self.floors, memory_days=self.memory_days,
                                random_state=self.random_state))  # fmt: skip

    @alone
    def learn(self, lessons: Lessons | None) -> Self:
        """From these lessons, whichever fleet they are of."""
        self.classes_ = np.array([False, True])
        self.boosting_: HistGradientBoostingClassifier | None = None
        self.way_, self.curve_ = "prior", PRIOR
        self.backtest_: Backtest | None = None
        self.thresholds_ = {"safe": self.safe_precision, "review": self.review_precision}
        if lessons is None or not lessons.is_enough:
            return self
        real = lessons.of(lessons.is_real)
        boosted = self._cross_validated(lessons)
        nothing = np.zeros_like(boosted)
        alone = calibrate(real.index, nothing, real.truth)
        if alone.index <= 0:
            return self  # who was idle worked more than the others: such a past is no teacher
        both = calibrate(real.index, boosted, real.truth)
        if both.index < 0:  # no weight may be negative, or activity would raise the probability
            both = calibrate(nothing, boosted, real.truth)
        model, rule = (_precision(real, curve(real.index, boosted)) for curve in (both, alone))
        is_model = model > rule and both.boosted > 0
        self.way_, self.curve_ = ("model", both) if is_model else ("rule", alone)
        self.boosting_ = self._boost(lessons) if is_model else None
        said = self.curve_(real.index, boosted)
        dates = len(said) / len(np.unique(real.subject))
        self.thresholds_ = {
            name: max(LOWEST[name], reach(real.truth, said, least, margin=dates * MARGIN[name]))
            for name, least in self.thresholds_.items()
        }
        self.backtest_ = measure(real, said, self.thresholds_, average=model if is_model else rule, rule_average=rule)
        return self

    @alone
    def predict_proba(self, X: Activity) -> Matrix:
        """Subjects × (does not, stays idle); NaN where too little is known of a subject."""
        past = Daily.of(X.since(max(0, len(X.hours) - 24 * self.memory_days)), self.floors)
        if not past.days:  # not one whole day is known yet
            return np.full((past.active.shape[1], 2), np.nan)
        rows = look_back(past, self.horizon_days)
        boosted = self.boosting_.decision_function(rows) if self.boosting_ else np.zeros(len(rows))
        stays = np.where(is_enough(past), self.curve_(idle_index(past), boosted), np.nan)
        return np.stack([1 - stays, stays], axis=1)

    def predict(self, X: Activity) -> Flags:
        """Who is safe to stop."""
        return np.asarray(self.verdicts(X) == Verdict.SAFE)

    def verdicts(self, X: Activity) -> NDArray[np.str_]:
        """One `Verdict` per subject."""
        return self.verdicts_of(self.predict_proba(X)[:, 1])

    def verdicts_of(self, stays: Matrix) -> NDArray[np.str_]:
        """The verdict of each probability to stay idle."""
        known = np.nan_to_num(stays, nan=-1.0)
        cases = [np.isnan(stays), known >= self.thresholds_["safe"], known >= self.thresholds_["review"]]
        return np.select(cases, [Verdict.UNKNOWN, Verdict.SAFE, Verdict.REVIEW], Verdict.KEEP)

    def _boost(self, lessons: Lessons) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=60, max_leaf_nodes=6, min_samples_leaf=40, l2_regularization=5.0,
            max_features=0.3, monotonic_cst=list(FEATURES.values()), early_stopping=False,
            random_state=self.random_state,
        ).fit(lessons.rows, lessons.truth)  # fmt: skip

    def _cross_validated(self, lessons: Lessons) -> Matrix:
        """The log odds of the real decisions by what was learned from other subjects."""
        said = np.zeros(len(lessons.truth))
        folds = GroupKFold(FOLDS, shuffle=True, random_state=self.random_state)
        for learned, tested in folds.split(lessons.rows, groups=lessons.subject):
            others = np.zeros(len(said), dtype=bool)
            others[learned] = True
            said[tested] = self._boost(lessons.of(others)).decision_function(lessons.rows[tested])
        return said[lessons.is_real]


def _precision(real: Lessons, said: Matrix) -> float:
    return float(average_precision_score(real.truth, said))
