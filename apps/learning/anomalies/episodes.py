"""Days that were flagged, as episodes; and how many of what was to be found they found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.anomalies.injecting import Event

MERGED_DAYS = 7
"""Flags of a series at most so many days apart are one alert."""
LATE, REVERSAL = 3, 10
"""An alert counts up to three days after an event; what turns back within ten days after one is not counted."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Episodes:
    """Alerts in order of series and day: `first` and `last` are the first and the last place that was flagged."""

    series: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.series)


def episodes(flags: Flags) -> Episodes:
    """Flagged days × series, those of a series within a week together."""
    series, day = np.nonzero(flags.T)
    if not len(day):
        none = np.empty(0, dtype=np.int64)
        return Episodes(none, none, none)
    begins = np.r_[True, (np.diff(series) != 0) | (np.diff(day) > MERGED_DAYS)]
    ends = np.r_[begins[1:], True]
    return Episodes(series[begins], day[begins], day[ends])


@dataclass(frozen=True)
class Found:
    """Of events in some series-days: how many were found (`hits`), missed, and how many alerts were false.

    `delays` has for each kind the days from the beginning of an event until it was flagged, in order.
    """

    hits: int
    misses: int
    false_alerts: int
    series_days: int
    delays: dict[str, list[int]]

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(1, 2 * self.hits + self.misses + self.false_alerts)

    @property
    def false_per_thousand(self) -> float:
        """False alerts in a thousand series-days."""
        return 1000 * self.false_alerts / max(1, self.series_days)

    def delay(self, kind: str) -> float:
        """The median days until events of a kind were found."""
        return float(np.median(self.delays[kind])) if self.delays.get(kind) else float("nan")


def match(flags: Flags, events: list[Event], *, first: int, ignored: list[Event] | None = None) -> Found:
    """Hold flags from place `first` on against what was there to find; `ignored` events count neither way."""
    seen = flags.copy()
    seen[:first] = False
    alerts = episodes(seen)
    of_series: dict[int, list[tuple[int, Event]]] = {}
    for number, event in enumerate(events):
        of_series.setdefault(event.series, []).append((number, event))
    quiet: dict[int, list[Event]] = {}
    for event in ignored or []:
        quiet.setdefault(event.series, []).append(event)
    found: dict[int, int] = {}
    false_alerts = 0
    for series, begin, end in zip(*(part.tolist() for part in (alerts.series, alerts.first, alerts.last)), strict=True):
        days = np.flatnonzero(seen[begin : end + 1, series]) + begin
        is_true = any(one.first - 2 <= begin <= one.last + 14 for one in quiet.get(series, ()))
        for number, event in of_series.get(series, ()):
            here = days[(days >= event.first) & (days <= event.last + LATE)]
            if len(here) and event.first >= first:
                found.setdefault(number, int(here[0]) - event.first)
            is_true |= len(here) > 0 or event.first <= begin <= event.last + LATE + REVERSAL
        false_alerts += not is_true
    due = [number for number, event in enumerate(events) if event.first >= first]
    delays: dict[str, list[int]] = {}
    for number, delay in sorted(found.items()):
        delays.setdefault(events[number].kind, []).append(delay)
    known = flags[first:].size
    return Found(len(found), len(due) - len(found), false_alerts, known, {k: sorted(v) for k, v in delays.items()})
