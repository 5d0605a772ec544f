"""What is known of a fleet hour by hour, and above which floor a signal counts as work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Hours = NDArray[np.datetime64]

FLOORS: Mapping[str, float] = MappingProxyType(
    {
        "cpu_peak": 5.0,  # percent of what is provided (limit, request or size), the highest of the hour
        "gpu": 5.0,  # percent busy, mean of the hour
        "network": 5.0,  # KB/s, both directions, mean of the hour
        "disk": 50.0,  # KB/s, read and written, mean of the hour
        "requests": 1.0,  # answered in the hour
        "connections": 1.0,  # open at once, the most in the hour
        "attached": 1.0,  # 1 where something uses it: a mounted volume, a bound address, a backend, a covered hour
    }
)
"""An hour is active when one signal reaches its floor. Those without one (`cpu_mean`, `memory`) are only looked at."""


@dataclass(frozen=True)
class Activity:
    """Hours × subjects of each signal that is known of at least one subject.

    hours
        Consecutive hours, oldest first, `datetime64[h]` in UTC. The decision is made at the end of the last one.
    subjects
        The name of each column.
    signals
        Name -> hours × subjects. NaN is "not known" (not scraped, not there yet, no such signal), never "nothing".
    """

    hours: Hours
    subjects: tuple[str, ...]
    signals: Mapping[str, Matrix]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hours", np.asarray(self.hours, dtype="datetime64[h]"))
        if (np.diff(self.hours).astype(int) != 1).any():
            raise ValueError("hours must follow each other without a gap; put NaN where nothing is known")
        for name, values in self.signals.items():
            if values.shape != self.shape:
                raise ValueError(f"signal {name} is {values.shape}, not hours x subjects {self.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.hours), len(self.subjects)

    @property
    def days(self) -> int:
        """Whole days of history."""
        return len(self.hours) // 24

    def until(self, end: int) -> Self:
        """What was known before the hour with the index `end`."""
        return type(self)(self.hours[:end], self.subjects, {name: part[:end] for name, part in self.signals.items()})

    def since(self, begin: int) -> Self:
        """Without the hours before the index `begin`."""
        return type(self)(
            self.hours[begin:], self.subjects, {name: part[begin:] for name, part in self.signals.items()}
        )

    def of(self, columns: NDArray[np.int64] | Sequence[int]) -> Self:
        """Only the subjects with these indices, in this order."""
        kept = tuple(self.subjects[column] for column in columns)
        return type(self)(self.hours, kept, {name: part[:, columns] for name, part in self.signals.items()})

    def loudness(self, floors: Mapping[str, float] = FLOORS) -> Matrix:
        """How loud each hour was: the highest signal in parts of its floor, 1 is active; NaN where none is known."""
        loudest = np.full(self.shape, np.nan)
        for name, floor in floors.items():
            if name in self.signals:
                loudest = np.fmax(loudest, self.signals[name] / floor)
        return loudest
