"""What past decision dates teach: what could be seen then of each subject, beside what came after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from apps.learning.idle.activity import Activity, Flags, Matrix
from apps.learning.idle.evidence import ENOUGH_DAYS, IDLE_SHARE, MEMORY_DAYS
from apps.learning.idle.features import Daily, Features, idle_index, is_enough, look_back, stays_idle

LOUDER = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""The fleet also teaches as if it were so many times as loud: who never rests, a tenth as loud, may do."""
MOST_DATES = 8
MOST_SUBJECTS = 1_000
"""Of more subjects so many are drawn to learn from: the rest would not teach more."""
FEWEST_SUBJECTS = 60
FEWEST_OF_EACH = 12
"""So many subjects must have stayed idle, and as many not, before anything is learned."""
FEWEST_DAYS_APART = 14
"""So far apart the first and the last date must be: decisions of one week share its accidents."""


@dataclass(frozen=True)
class Lessons:
    """One row per past decision: features, idle index, truth (1 stayed idle), subject, date, and whether it was made of
    the fleet as it is, not as if it were louder or quieter."""

    rows: Features
    index: Matrix
    truth: Matrix
    subject: NDArray[np.int64]
    date: NDArray[np.int64]
    is_real: Flags

    def of(self, which: Flags) -> Self:
        """Some of the rows."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @property
    def is_enough(self) -> bool:
        """Whether there is anything to learn: enough subjects that stayed idle, enough that did not, enough time."""
        if not len(self.date) or np.ptp(self.date) < FEWEST_DAYS_APART:
            return False
        stayed = np.unique(self.subject[self.is_real & (self.truth == 1)])
        worked = np.unique(self.subject[self.is_real & (self.truth == 0)])
        enough = min(len(stayed), len(worked)) >= FEWEST_OF_EACH
        return enough and len(np.unique(self.subject[self.is_real])) >= FEWEST_SUBJECTS


def past_dates(days: int, horizon: int) -> list[int]:
    """Decision dates whose truth is known after so many days of history, as days before them; at most eight."""
    if days - horizon < ENOUGH_DAYS:
        return []
    return sorted({round(date) for date in np.linspace(ENOUGH_DAYS, days - horizon, MOST_DATES)})


def drawn(subjects: int, random_state: int = 0) -> NDArray[np.int64]:
    """The subjects of so many that are learned from, in order."""
    columns = np.arange(subjects)
    if subjects > MOST_SUBJECTS:
        columns = np.sort(np.random.default_rng(random_state).choice(columns, MOST_SUBJECTS, replace=False))
    return columns


def teach(
    activity: Activity,
    dates: Sequence[int],
    horizon: int,
    *,
    floors: Mapping[str, float],
    memory_days: int = MEMORY_DAYS,
    random_state: int = 0,
) -> Lessons | None:
    """The lessons of these decision dates; None where there is no date."""
    if not dates:
        return None
    loudness = activity.of(drawn(len(activity.subjects), random_state)).loudness(floors)
    told = []
    for times in LOUDER:
        daily = Daily.from_loudness(loudness, times=times)
        told += [_decide(daily, date, horizon, memory_days=memory_days, is_real=times == 1) for date in dates]
    return Lessons.together(told)


def _decide(daily: Daily, date: int, horizon: int, *, memory_days: int, is_real: bool) -> Lessons:
    past = daily.part(max(0, date - memory_days), date)
    truth = stays_idle(daily, date, horizon, most=IDLE_SHARE)
    usable = ~np.isnan(truth) & is_enough(past)
    count = int(usable.sum())
    return Lessons(
        look_back(past, horizon)[usable],
        idle_index(past)[usable],
        truth[usable],
        np.flatnonzero(usable),
        np.full(count, date),
        np.full(count, is_real),
    )
