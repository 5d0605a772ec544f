"""What online services used, hour by hour, and what people chose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
HOURS = 24
FEWEST_DAYS = 7
"""A week has to be seen before a bound can know a weekday from a weekend."""
FEWEST_OBSERVED = 0.8
"""Of the hours of those days, at least so many."""
SATURDAY = 5


@dataclass(frozen=True)
class Choices:
    """What people choose; every share is one of the cluster's CPU capacity.

    `theta` is how full the cluster may be, online and batch together. In the evening peak, and `drain_hours` before it,
    batch may hold `guard_share` at most; its quota rises and falls by at most `ramp_share` an hour. `breach_target`
    is the share of samples in which online use may exceed its bound. `evening` names the first and the last
    hour of the peak; without it, it is where the history has it.
    """

    theta: float = 0.65
    guard_share: float = 0.10
    drain_hours: int = 1
    ramp_share: float = 0.25
    breach_target: float = 0.005
    evening: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("theta", 0.05, 1.0),
            ("guard_share", 0.0, 1.0),
            ("drain_hours", 0, 12),
            ("ramp_share", 0.01, 1.0),
            ("breach_target", 0.0001, 0.2),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: it must lie between {low} and {high}.")
        if self.evening and not 0 <= self.evening[0] <= self.evening[1] < HOURS:
            raise ValueError(f"evening is {self.evening}: give its first and last hour, 0 to 23, in that order.")


@dataclass(frozen=True)
class History:
    """Online use in cores: days x 24 hours x samples of an hour, NaN where nobody looked; hours are of local time.

    `capacity` is in cores, by hour of the days. `free` tells the days that are no working days, for the history and
    for the week ahead of it; without it, Saturdays and Sundays.
    """

    first_day: date
    use: Matrix
    capacity: Matrix
    free: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if self.use.ndim != 3 or self.use.shape[1] != HOURS or self.capacity.shape != self.use.shape[:2]:
            raise ValueError(
                f"use has the shape {self.use.shape} and capacity {self.capacity.shape}: they must be"
                " days x 24 x samples and days x 24."
            )
        if (self.use < 0).any():
            raise ValueError("some use is negative.")

    @property
    def days(self) -> int:
        return len(self.use)

    def is_free(self, day: int) -> bool:
        return self.free[day] if day < len(self.free) else self.day(day).weekday() >= SATURDAY

    def day(self, number: int) -> date:
        return self.first_day + timedelta(days=number)

    def peaks(self) -> Matrix:
        """The highest sample of every hour; NaN where there is none."""
        return np.where(np.isnan(self.use).all(axis=2), np.nan, np.nanmax(np.nan_to_num(self.use, nan=-1.0), axis=2))

    def up_to(self, day: int) -> "History":
        return History(self.first_day, self.use[:day], self.capacity[:day], self.free)

    def thin(self) -> str:
        """Why no bound can be told from this history; empty when it can."""
        if self.days < FEWEST_DAYS:
            return f"{self.days} whole days of use are known, at least {FEWEST_DAYS} are needed."
        observed = 1 - float(np.isnan(self.use).all(axis=2).mean())
        if observed < FEWEST_OBSERVED:
            return f"{observed:.0%} of the hours were observed, at least {FEWEST_OBSERVED:.0%} are needed."
        if not np.nanmax(self.use) > 0:
            return "no online use was seen."
        if not (np.isfinite(self.capacity[-1]).all() and (self.capacity[-1] > 0).all()):
            return "the capacity of the last day is not known for every hour."
        return ""


def evening_of(history: History, choices: Choices, width: int = 4) -> tuple[int, int]:
    """The first and the last hour of the evening peak: as chosen, or the busiest hours from 16 to midnight."""
    if choices.evening:
        return choices.evening
    mean = np.nanmean(np.where(np.isnan(history.peaks()).all(axis=0), 0.0, history.peaks()), axis=0)
    starts: Sequence[int] = range(16, HOURS - width + 1)
    first = max(starts, key=lambda hour: float(mean[hour : hour + width].sum()))
    return first, first + width - 1


def theta_of_slo(slowdown: float, *, most: float = 0.9) -> float:
    """How full a cluster may be when requests may take `slowdown` times as long as on an empty one.

    Processor sharing takes 1 / (1 - theta) times as long on average, whatever the distribution of the work; more than
    `most` is never advised. 2.86 times gives the 65 % that hold by default.
    """
    if slowdown <= 1:
        raise ValueError(f"slowdown is {slowdown}: it must be above 1; nothing runs faster on a busy cluster.")
    return min(most, 1 - 1 / slowdown)
