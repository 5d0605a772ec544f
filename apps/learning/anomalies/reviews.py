"""What people said of anomalies, as a detector learns from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Review:
    """What people said of the days `first` to `last` (places) of a series: whether they were an anomaly to them.

    None: neither, as of something planned; nothing is learned from these days.
    """

    series: int
    first: int
    last: int
    is_anomaly: bool | None
