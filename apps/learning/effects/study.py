"""What is stated before a change starts, and what is told of it afterwards."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np

from apps.learning.calendars import Calendar, Days, Matrix, consecutive

Grade = Literal["A", "B", "C"]
Verdict = Literal["saved", "not shown", "cost more"]

LEAST_BEFORE, LEAST_AFTER = 28, 7
"""Days with a known cost: four of each weekday before the start, one of each after."""


class EffectError(ValueError):
    """An effect cannot be measured; the sentence says what is missing."""


class TooShort(EffectError):
    """There are fewer days than an effect can be measured from: `needed` days, of which there are `found`."""

    def __init__(self, needed: int, found: int, where: str) -> None:
        super().__init__(f"an effect needs {needed} days with a known cost {where}; there are {found}")
        self.needed, self.found = needed, found


class NothingSpent(EffectError):
    """Nothing was spent before the change: there is nothing it could have saved."""


@dataclass(frozen=True)
class Study:
    """A change, the cost it is about, and what else is known; a day whose cost is not known is NaN, never zero.

    Parameters
    ----------
    days
        Days one after another without a gap, before and after the start; days from `end` on are not looked at.
    cost
        The cost of each day, in one currency.
    start, end
        The first day of the change, and the day after the last that is measured; where `days` end sooner, so far.
    drivers
        What moves the cost and is not moved by the change (requests, students), known on every day.
    controls
        The daily cost of what the change does not touch; each in any currency.
    transition_days
        So many days from the start are not measured: the change is being rolled out.
    calendar
        Holidays and seasons.
    """

    days: Days
    cost: Matrix
    start: date
    end: date
    drivers: dict[str, Matrix] = field(default_factory=dict)
    controls: dict[str, Matrix] = field(default_factory=dict)
    transition_days: int = 0
    calendar: Calendar = field(default_factory=Calendar)

    def __post_init__(self) -> None:
        count = len(consecutive(self.days))
        for name, values in {"cost": self.cost, **self.drivers, **self.controls}.items():
            if np.shape(values) != (count,):
                raise EffectError(f"{name} must have one value for each of the {count} days")
            if np.isinf(values).any():
                raise EffectError(f"{name} has a day without end")
        for name, values in self.drivers.items():
            if np.isnan(values).any():
                raise EffectError(f"the driver {name} must be known on every day")
        if not self.transition_days >= 0:
            raise EffectError("the days of transition cannot be less than none")


@dataclass(frozen=True)
class MethodResult:
    """What one method says: `weight` is its share in the result, `error` how far placebos were off, in percent.

    The error is the root mean square of the placebos on the changed series itself, of all where it has none; None
    where there are no placebos at all.
    """

    name: str
    saving: float
    weight: float
    error: float | None


@dataclass(frozen=True)
class Placebos:
    """Pretended changes that changed nothing, and how far the method was off for them.

    `in_time` began before the change, `in_space` at the same time elsewhere. `own` of those in time are of the changed
    series itself. `spread` is the error, in percent of the expected cost, that 95 % of these stay within (of all where
    there are none, None without any); `days` are those from the start of each in time to its
    end, `factor` what the predicted spread is multiplied with for the interval.
    """

    in_time: int
    in_space: int
    own: int
    spread: float | None
    days: int
    factor: float


@dataclass(frozen=True)
class Counterfactual:
    """Day by day what the cost would have been without the change, between `lower` and `upper` on 95 % of days."""

    days: Days
    expected: Matrix
    lower: Matrix
    upper: Matrix
    actual: Matrix
    counted: Matrix
    """1 on days that are measured, 0 on those of the transition and those whose cost is not known."""


@dataclass(frozen=True)
class Effect:
    """What was saved: counterfactual − actual over the measured days, in the currency of the study; positive is saved.

    `lower` and `upper` hold the truth 95 times of 100. `percent` (and its bounds) are of what would have been spent.
    `reasons` are codes that say why the grade is not better: see `apps.learning.effects.grading`.
    """

    saving: float
    lower: float
    upper: float
    percent: float
    percent_lower: float
    percent_upper: float
    expected: float
    actual: float
    days_measured: int
    days_missing: int
    methods: tuple[MethodResult, ...]
    placebos: Placebos
    grade: Grade
    reasons: tuple[str, ...]
    counterfactual: Counterfactual
    controls_left_out: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if self.lower > 0:
            return "saved"
        return "cost more" if self.upper < 0 else "not shown"


@dataclass(frozen=True)
class Monthly:
    """The saving of one calendar month (what is measured of it): `month` is its first day."""

    month: date
    effect: Effect
