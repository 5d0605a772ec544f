"""Steps that a history already holds, as they are seen from both sides: neither to be learned as usual, nor false."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.anomalies.injecting import STEP_SEEN, Event, labels
from apps.learning.anomalies.usual import Usual, trailing_median

SIDE_DAYS = 14
NEAR = 5
LEAST_SPREADS, LEAST_CHANGE, CLEAR_CHANGE = 4.0, 0.08, 0.14
"""What is smaller is no step; up to the clear change it may be found or not."""


@dataclass(frozen=True)
class Natural:
    """Steps to be found (`events`), and smaller ones that may be found or not (`ignored`)."""

    events: list[Event]
    ignored: list[Event]

    def labels(self, shape: tuple[int, int]) -> NDArray[np.int8]:
        """As of injected events; of those ignored nothing is learned."""
        found = labels(shape, self.events)
        unsure = labels(shape, self.ignored)
        return np.where((found == 0) & (unsure != 0), np.int8(-1), found)


def steps_in_hindsight(known: Usual) -> Natural:
    """The days on which the two weeks from then on have another level than the two weeks before."""
    rest, days = known.rest, len(known.rest)
    if days <= SIDE_DAYS:
        return Natural([], [])
    after = np.full_like(rest, np.nan)
    after[1:] = trailing_median(rest[::-1], SIDE_DAYS)[::-1][:-1]
    change = np.nan_to_num(after - trailing_median(rest, SIDE_DAYS))
    size = np.abs(change) / (known.spread * np.float32(np.sqrt(2 * 1.57 / SIDE_DAYS)))
    likely = (size > LEAST_SPREADS) & (np.abs(change) > LEAST_CHANGE)
    events: list[Event] = []
    ignored: list[Event] = []
    for place, series in zip(*(part.tolist() for part in np.nonzero(likely)), strict=True):
        if size[place, series] < size[max(0, place - NEAR) : place + NEAR + 1, series].max():
            continue
        step = Event(series, place, min(place + STEP_SEEN, days) - 1, "step")
        (events if abs(change[place, series]) >= CLEAR_CHANGE else ignored).append(step)
    return Natural(events, ignored)
