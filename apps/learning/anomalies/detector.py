"""The detector of anomalies in many daily series: a classifier that learned from injected ones, or a fixed rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier

from apps.learning.anomalies.episodes import Found, match
from apps.learning.anomalies.hindsight import Natural, steps_in_hindsight
from apps.learning.anomalies.injecting import Event, injected, labels
from apps.learning.anomalies.reviews import Review
from apps.learning.anomalies.signals import Signals, signals
from apps.learning.anomalies.usual import WARM_UP, Single, Usual, judged_from, usual
from apps.learning.calendars import Calendar, Days, Matrix, consecutive
from apps.learning.threads import alone

FEWEST_DAYS = 56
"""With less history there is too little to inject into: the rule is what ships."""
FEWEST_SERIES_DAYS = 2_000
TRAINED_FROM = WARM_UP + 7
MOST_SERIES = 600
"""So many series teach; more would say the same."""
FEWEST_TAUGHT = 240
"""Fewer series are injected into several times over."""
EVERY = 100
CHANCE = 0.6
RULE_SPREADS, RULE_CHANGE = 5.0, 0.15
"""The rule: a day is flagged that is five spreads and fifteen percent off its usual."""
MOST_FALSE, FEWEST_FALSE, WORTH = (0.25, 1.0), 5, 0.03
"""False alerts per thousand series-days, or in all where these are few: the threshold is the best of those that keep to
the first, unless that costs more of F1 than it is worth; of those that keep to the second then, or of all."""
THRESHOLDS = np.r_[0.5, 0.6, np.arange(0.7, 0.9, 0.05), np.arange(0.9, 0.99, 0.02), 0.99]
SLACK = 0.01
"""So much of F1 is given for a lower threshold: it flags earlier."""
REVIEW_WEIGHT = 25
"""One reviewed day counts as much as so many injected ones."""
CAUTION, MOST_CAUTION = 0.7, 2.1
"""By how much the log-odds a series has to reach rise with each false alarm; a true one lowers them half as much."""


@dataclass(frozen=True)
class Backtest:
    """How the classifier and the rule did on anomalies injected into the series they had not learned from."""

    model: Found
    rule: Found


class AnomalyDetector(BaseEstimator):
    """Flags the days on which a series departs from what is usual of it; no day is judged by a later one.

    Two classifiers learn from half of the series each and judge the other half, so that nothing a series went through
    is learned by heart as usual of it.

    Parameters
    ----------
    calendar
        Holidays and named seasons that are usual.
    random_state
        Of the injections, and of which series teach.
    """

    def __init__(self, calendar: Calendar | None = None, random_state: int = 0, max_iter: int = 150) -> None:
        self.calendar = calendar
        self.random_state = random_state
        self.max_iter = max_iter

    @alone
    def fit(self, X: Days, y: Matrix, reviews: Sequence[Review] = ()) -> Self:
        """`X` consecutive days, `y` days × series; NaN before a series begins, 0 where there was nothing.

        Sets `is_rule_`, `threshold_`, and `backtest_` (None where history is too short to try anything).
        """
        days, y = consecutive(X), np.asarray(y, dtype=float)
        self.series_ = y.shape[1]
        self.caution_ = _caution(reviews, self.series_)
        self.backtest_: Backtest | None = None
        self.is_rule_, self.threshold_, self.folds_ = True, 1.0, np.zeros(self.series_, dtype=int)
        known = int((~np.isnan(y)).sum(axis=0).max(initial=0))
        if known < FEWEST_DAYS or (~np.isnan(y)).sum() < FEWEST_SERIES_DAYS or self.series_ < 2:
            return self
        self._learn(days, y, reviews)
        return self

    def _learn(self, days: Days, y: Matrix, reviews: Sequence[Review]) -> None:
        drawn = np.random.default_rng(self.random_state)
        self.folds_ = drawn.permutation(np.arange(self.series_) % 2)
        lessons = [self._lesson(days, y, fold, drawn) for fold in (0, 1)]
        extra = _reviewed(days, self._usual(days, y), reviews)
        self.models_ = [self._fit(lesson, extra) for lesson in lessons]
        tried = [(lessons[1 - fold], self.models_[fold]) for fold in (0, 1)]
        said = [_matrix(lesson.signals, lesson.shape, _odds(model, lesson.signals.X)) for lesson, model in tried]
        taught = [lesson for lesson, _ in tried]
        found = {limit: _pooled(taught, [part >= limit for part in said]) for limit in THRESHOLDS}
        rule = _pooled(taught, [rule_flags(lesson.usual) for lesson in taught])
        self.threshold_ = _threshold(found)
        self.backtest_ = Backtest(found[self.threshold_], rule)
        self.is_rule_ = self.backtest_.model.f1 <= rule.f1

    def _usual(self, days: Days, y: Matrix) -> Usual:
        return usual(days, y, self.calendar or Calendar())

    def _lesson(self, days: Days, y: Matrix, fold: int, drawn: np.random.Generator) -> "Lesson":
        chosen = np.flatnonzero(self.folds_ == fold)
        if len(chosen) > MOST_SERIES // 2:
            chosen = np.sort(drawn.choice(chosen, MOST_SERIES // 2, replace=False))
        chosen = np.tile(chosen, max(1, -(-FEWEST_TAUGHT // 2 // len(chosen))))
        own = y[:, chosen]
        natural = steps_in_hindsight(self._usual(days, own))
        changed, events = injected(own, first=TRAINED_FROM, chance=CHANCE, every=EVERY, drawn=drawn)
        known = self._usual(days, changed)
        return Lesson(known, signals(days, known, first=TRAINED_FROM), events, natural)

    def _fit(self, lesson: "Lesson", extra: tuple[Single, Matrix]) -> HistGradientBoostingClassifier:
        said = labels(lesson.shape, lesson.events)
        natural = lesson.natural.labels(lesson.shape)
        said = np.where(said == 0, natural, said)[lesson.signals.day, lesson.signals.series]
        kept = said >= 0
        X, y = extra
        return HistGradientBoostingClassifier(
            max_iter=self.max_iter, learning_rate=0.1, max_leaf_nodes=24, min_samples_leaf=40, l2_regularization=1.0,
            early_stopping=False, random_state=self.random_state,
        ).fit(np.vstack([lesson.signals.X[kept], X]), np.r_[said[kept], y])  # fmt: skip

    @alone
    def judge(self, X: Days, y: Matrix, *, first: int = WARM_UP) -> tuple[Usual, NDArray[np.bool_]]:
        """What is usual on every day of the series of `fit`, and the days from place `first` on that are flagged."""
        days = consecutive(X)
        known = self._usual(days, np.asarray(y, dtype=float))
        if self.is_rule_:
            flags = rule_flags(known)
            flags[:first] = False
            return known, flags & (np.nan_to_num(np.abs(known.rest - known.level) / known.spread) > self._rule_limit())
        seen = signals(days, known, first=first)
        odds = np.empty(len(seen.day))
        for fold in (0, 1):
            of_fold = self.folds_[seen.series] == fold
            if of_fold.any():
                odds[of_fold] = _odds(self.models_[1 - fold], seen.X[of_fold])
        return known, _matrix(seen, known.rest.shape, odds) >= self._limits()

    def predict(self, X: Days, y: Matrix) -> NDArray[np.bool_]:
        """Days × series: which are flagged."""
        return self.judge(X, y)[1]

    def _limits(self) -> Matrix:
        """The probability each series has to reach."""
        return np.asarray(1 / (1 + np.exp(-(np.log(self.threshold_ / (1 - self.threshold_)) + self.caution_))))

    def _rule_limit(self) -> Matrix:
        """How many spreads off each series has to be for the rule."""
        return np.asarray(RULE_SPREADS * np.exp(np.maximum(self.caution_, 0) / 2))


@dataclass(frozen=True)
class Lesson:
    """Series with injected anomalies: `natural` are the steps hindsight sees in them without these."""

    usual: Usual
    signals: Signals
    events: list[Event]
    natural: Natural

    @property
    def shape(self) -> tuple[int, int]:
        return self.usual.rest.shape[0], self.usual.rest.shape[1]


def rule_flags(known: Usual) -> NDArray[np.bool_]:
    """The days the fixed rule flags; those of the first weeks are not judged."""
    off = np.nan_to_num(np.abs(known.rest - known.level))
    flags = (off > RULE_SPREADS * known.spread) & (off > RULE_CHANGE)
    return np.asarray(flags & (np.arange(len(off))[:, None] >= judged_from(known.rest)))


def _threshold(found: Mapping[float, Found]) -> float:
    """The lowest threshold that is nearly the best of those that keep false alerts rare."""
    highest = max(one.f1 for one in found.values())
    kept = dict(found)
    for most in MOST_FALSE:
        quiet = {
            limit: one
            for limit, one in found.items()
            if one.false_per_thousand <= most or one.false_alerts <= FEWEST_FALSE
        }
        if quiet and max(one.f1 for one in quiet.values()) >= highest - WORTH:
            kept = quiet
            break
    best = max(one.f1 for one in kept.values())
    return float(min(limit for limit, one in kept.items() if one.f1 >= best - SLACK))


def _odds(model: HistGradientBoostingClassifier, X: Single) -> Matrix:
    return np.asarray(model.predict_proba(X)[:, 1]) if len(X) else np.empty(0)


def _matrix(seen: Signals, shape: tuple[int, ...], odds: Matrix) -> Single:
    found = np.zeros(shape, dtype=np.float32)
    found[seen.day, seen.series] = odds
    return found


def _pooled(lessons: list[Lesson], flags: list[NDArray[np.bool_]]) -> Found:
    parts = [
        match(flag, lesson.events + lesson.natural.events, first=TRAINED_FROM, ignored=lesson.natural.ignored)
        for lesson, flag in zip(lessons, flags, strict=True)
    ]
    delays: dict[str, list[int]] = {}
    for part in parts:
        for kind, days in part.delays.items():
            delays.setdefault(kind, []).extend(days)
    hits, misses, false_alerts, series_days = (
        sum(getattr(part, name) for part in parts) for name in ("hits", "misses", "false_alerts", "series_days")
    )
    return Found(hits, misses, false_alerts, series_days, {kind: sorted(days) for kind, days in delays.items()})


def _caution(reviews: Sequence[Review], series: int) -> Matrix:
    found = np.zeros(series)
    for review in reviews:
        if review.is_anomaly is not None:
            found[review.series] += -CAUTION / 2 if review.is_anomaly else CAUTION
    return np.clip(found, -MOST_CAUTION / 2, MOST_CAUTION)


def _reviewed(days: Days, known: Usual, reviews: Sequence[Review]) -> tuple[Single, Matrix]:
    """Features and label of the days people judged, each as many times over as it counts: weights would make the
    boosting ten times slower."""
    said = np.full(known.rest.shape, -1, dtype=np.int8)
    for review in reviews:
        if review.is_anomaly is not None:
            said[review.first : review.last + 1, review.series] = review.is_anomaly
    seen = signals(days, known)
    label = said[seen.day, seen.series]
    kept = label >= 0
    return np.repeat(seen.X[kept], REVIEW_WEIGHT, axis=0), np.repeat(label[kept], REVIEW_WEIGHT)
