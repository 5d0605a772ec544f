"""Anomalies put into a history where there are none: what a detector learns from, and is tried on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.calendars import Matrix

KINDS = ("spike", "step", "drift", "drop")
CHANCES = (0.35, 0.30, 0.20, 0.15)
"""How often each kind is injected."""
STEP_SEEN = 14
"""A step counts as found in its first two weeks."""


@dataclass(frozen=True)
class Event:
    """An anomaly of a series: from place `first` to `last` it can be found; a step or drift goes on after it."""

    series: int
    first: int
    last: int
    kind: str

    @property
    def is_lasting(self) -> bool:
        return self.kind in ("step", "drift")


def inject(amounts: Matrix, first: int, kind: str, drawn: np.random.Generator) -> tuple[Matrix, int]:
    """A series with an anomaly from place `first` on, and the last place it can be found at.

    Spikes last 1 to 3 days at +30 to +400 %, steps stay at +15 to +150 %, drifts reach +30 to +150 % in 10 to 20 days,
    drops last 2 to 7 days at -40 to -100 %.
    """
    factor = np.ones(len(amounts))
    if kind == "spike":
        count = int(drawn.integers(1, 4))
        factor[first : first + count] += drawn.uniform(0.3, 4.0)
    elif kind == "step":
        count = STEP_SEEN
        factor[first:] += drawn.uniform(0.15, 1.5)
    elif kind == "drift":
        count = int(drawn.integers(10, 21))
        grown = np.minimum(1.0, np.arange(1, len(amounts) - first + 1) / count)
        factor[first:] += drawn.uniform(0.3, 1.5) * grown
    else:
        count = int(drawn.integers(2, 8))
        factor[first : first + count] -= drawn.uniform(0.4, 1.0)
    return amounts * factor, min(first + count, len(amounts)) - 1


def injected(
    y: Matrix, *, first: int, chance: float, every: int, drawn: np.random.Generator
) -> tuple[Matrix, list[Event]]:
    """Days × series with at most one anomaly per series and `every` days from place `first` on, by `chance`."""
    found, events = y.copy(), []
    for series in range(y.shape[1]):
        begun = int(np.isnan(y[:, series]).argmin())
        for begin in range(max(first, begun + first), len(y), every):
            length = min(every, len(y) - begin)
            place = begin + int(drawn.integers(0, max(1, length - 1)))
            kind = str(drawn.choice(KINDS, p=CHANCES))
            if drawn.random() < chance * length / every:
                found[:, series], last = inject(found[:, series], place, kind, drawn)
                events.append(Event(series, place, last, kind))
    return found, events


AFTERMATH = 12
"""So many days after an event say neither that it can be found nor that it cannot."""


def labels(shape: tuple[int, int], events: list[Event]) -> NDArray[np.int8]:
    """Days × series: 1 where an event is to be found, -1 in its aftermath, which says neither, 0 elsewhere."""
    found = np.zeros(shape, dtype=np.int8)
    for event in events:
        after = slice(event.last + 1, event.last + 1 + AFTERMATH)
        part = found[after, event.series]
        part[part == 0] = -1
        begin = event.first + (2 if event.kind == "drift" else 0)
        found[begin : event.last + 1, event.series] = 1
        found[event.first : begin, event.series] = -1
    return found
