"""What is seen of a subject: when it last worked, how long it was silent, which signals are under their floor."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.learning.idle.activity import FLOORS, Activity, Hours, Matrix

MEMORY_DAYS = 45
ENOUGH_DAYS = 14
"""With fewer known days nothing is said of a subject."""
ENOUGH_COVERAGE = 0.8
"""Nor where more than a fifth of the hours since it was first seen is unknown."""
IDLE_SHARE = 0.01
"""At most so large a share of the hours is active where a subject is idle; the truth asks the same."""
SILENT_DAYS = 7
"""And it was last active so long ago."""


class Verdict(StrEnum):
    """What to do; what is unknown is kept, too."""

    SAFE = "safe"
    REVIEW = "review"
    KEEP = "keep"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Evidence:
    """One value per subject, of the hours of the memory (the last 45 days or what there is).

    last_active
        The newest active hour, `datetime64[h]`; NaT where none is known.
    silent_hours
        Hours since then; since the subject was first seen, where it never was active.
    longest_silence_hours
        The longest stretch without a known active hour.
    active_hours, known_hours
        Hours with a signal at its floor; hours with any signal known.
    active_share
        Active ÷ known hours; NaN where none is known.
    coverage
        Known hours ÷ hours since the subject was first seen; 0 where it never was.
    peaks
        Signal -> the highest value of the memory; NaN where the signal is unknown.
    under
        Per subject the signals that are known and stayed under their floor.
    over
        Per subject the signals that reached their floor at least once.
    """

    last_active: Hours
    silent_hours: NDArray[np.int64]
    longest_silence_hours: NDArray[np.int64]
    active_hours: NDArray[np.int64]
    known_hours: NDArray[np.int64]
    active_share: Matrix
    coverage: Matrix
    peaks: Mapping[str, Matrix]
    under: tuple[tuple[str, ...], ...]
    over: tuple[tuple[str, ...], ...]

    @property
    def is_enough(self) -> NDArray[np.bool_]:
        """Where so much is known that something may be said."""
        return (self.known_hours >= 24 * ENOUGH_DAYS) & (self.coverage >= ENOUGH_COVERAGE)


def look(activity: Activity, *, floors: Mapping[str, float] = FLOORS, memory_days: int = MEMORY_DAYS) -> Evidence:
    """The evidence at the end of the last hour."""
    part = activity.since(max(0, len(activity.hours) - 24 * memory_days))
    loud = part.loudness(floors)
    known, active = ~np.isnan(loud), np.nan_to_num(loud) >= 1
    length = len(loud)
    place = np.arange(length)[:, None]
    first = np.where(known.any(axis=0), known.argmax(axis=0), length)
    last = np.where(active, place, -1).max(axis=0, initial=-1)
    # A silence begins after the active hour before it, or where the subject was first seen.
    before = np.maximum(np.maximum.accumulate(np.where(active, place, -1), axis=0), first - 1)
    silences = np.where(place >= first, place - before, 0)
    known_hours, active_hours = known.sum(axis=0), active.sum(axis=0)
    peaks = {name: _peak(values) for name, values in part.signals.items()}
    reached = {name: peaks[name] >= floor for name, floor in floors.items() if name in peaks}
    missed = {name: peaks[name] < floor for name, floor in floors.items() if name in peaks}
    return Evidence(
        last_active=np.where(last >= 0, part.hours[np.maximum(last, 0)], np.datetime64("NaT", "h")),
        silent_hours=np.where(first < length, length - 1 - np.maximum(last, first - 1), 0),
        longest_silence_hours=silences.max(axis=0, initial=0),
        active_hours=active_hours,
        known_hours=known_hours,
        active_share=np.where(known_hours > 0, active_hours / np.maximum(known_hours, 1), np.nan),
        coverage=known_hours / np.maximum(length - first, 1),
        peaks=peaks,
        under=_names(missed, part.shape[1]),
        over=_names(reached, part.shape[1]),
    )


def idle_by_rule(evidence: Evidence) -> NDArray[np.bool_]:
    """The plain rule: enough is known, at most 1 % of hours were active, the last of them a week ago or more."""
    rare = np.nan_to_num(evidence.active_share, nan=1.0) <= IDLE_SHARE
    return evidence.is_enough & rare & (evidence.silent_hours >= 24 * SILENT_DAYS)


def _peak(values: Matrix) -> Matrix:
    highest = np.fmax.reduce(values, axis=0, initial=-np.inf)
    return np.where(np.isneginf(highest), np.nan, highest)


def _names(which: Mapping[str, NDArray[np.bool_]], count: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(name for name, flags in which.items() if flags[column]) for column in range(count))
