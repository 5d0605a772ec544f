"""Rules that turn past days into the request of the next: peaks and percentiles with a memory, and those of others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.planning.methods.rightsizing.usage import Array, Usage

WINDOWS = (3, 7, 14, 28)
"""Days over which the highest is remembered whole."""
WEEKDAY = (1, 2, 7, 8, 14)
"""The days before that resemble the next: yesterday and the day before, and the same days of the weeks before."""
PEAK, P99, P95 = 0.0, 0.01, 0.05


@dataclass(frozen=True)
class Rule:
    """A summary of a day (its samples but the highest `left_out`) and how long it is remembered."""

    left_out: float
    memory: str

    @property
    def name(self) -> str:
        return f"{ {PEAK: 'peak', P99: 'p99', P95: 'p95'}[self.left_out] } {self.memory}"


FIRST_RULES = (Rule(P99, "3 days"), Rule(PEAK, "7 days"))
"""What is followed until a workload has been replayed long enough to choose by: the first that the samples are fine
enough for. A peak of hours is a sample among 24, that of five minutes often a moment's."""


def remembered(days: Array, half_life: float) -> dict[str, Array]:
    """By memory: what is remembered before each day, and before the day after the last, of one summary per day."""
    told = {f"{window} days": windowed(days, window) for window in WINDOWS}
    told["half-life"] = decaying(days, half_life)
    told["weekday"] = resembling(days)
    return told


def windowed(days: Array, window: int) -> Array:
    """The highest of the last days."""
    told = np.full((len(days) + 1, days.shape[1]), np.nan, dtype=days.dtype)
    for before in range(1, window + 1):
        told[before:] = np.fmax(told[before:], days[: max(0, len(days) + 1 - before)])
    return told


def decaying(days: Array, half_life: float) -> Array:
    """The highest so far, halved every `half_life` days."""
    told = np.full((len(days) + 1, days.shape[1]), np.nan, dtype=days.dtype)
    for day, seen in enumerate(days):
        told[day + 1] = np.fmax(seen, told[day] * np.float32(0.5 ** (1 / half_life)))
    return told


def resembling(days: Array) -> Array:
    """The highest of the days that resemble the next."""
    told = np.full((len(days) + 1, days.shape[1]), np.nan, dtype=days.dtype)
    for before in WEEKDAY:
        told[before:] = np.fmax(told[before:], days[: max(0, len(days) + 1 - before)])
    return told


def krr(usage: Usage) -> Array:
    """KRR's simple strategy: the 95th percentile of all samples of 14 days; at least 10 millicores."""
    return np.fmax(trailing_percentile(usage, 95, 14), 0.01)


def krr_memory(usage: Usage) -> Array:
    """KRR's simple strategy for memory: the highest of 14 days and 15 %; at least 100 MiB."""
    return np.fmax(windowed(usage.upper(PEAK), 14) * 1.15, 100 / 1024)


def autopilot(usage: Usage) -> Array:
    """Autopilot's moving window with its peak statistic: the highest of 7 days and a margin of 15 %."""
    return windowed(usage.upper(PEAK), 7) * 1.15


def autopilot_percentile(usage: Usage) -> Array:
    """Autopilot's moving window for serving jobs: the 95th percentile with a half-life of 12 hours and 15 %."""
    return histogram_percentile(usage, 0.95, half_life_hours=12) * 1.15


def vpa(usage: Usage) -> Array:
    """VPA's target: p90 of a histogram that halves every 24 hours, and 15 %; at least 25 millicores."""
    return np.fmax(histogram_percentile(usage, 0.90, half_life_hours=24) * 1.15, 0.025)


def vpa_memory(usage: Usage) -> Array:
    """VPA's target for memory: the 90th percentile of daily peaks of 8 days and 15 %; at least 250 MiB."""
    peaks = Usage(usage.upper(PEAK)[:, None, :])
    return np.fmax(trailing_percentile(peaks, 90, 8) * 1.15, 250 / 1024)


OTHERS: dict[str, Callable[[Usage], Array]] = {
    "KRR simple": krr,
    "VPA": vpa,
    "Autopilot window": autopilot,
    "Autopilot p95": autopilot_percentile,
}
OTHERS_MEMORY: dict[str, Callable[[Usage], Array]] = {"KRR simple": krr_memory, "VPA": vpa_memory}
"""Those that tell a request for memory as well."""


def trailing_percentile(usage: Usage, percent: float, window: int) -> Array:
    """A percentile of all samples of the last days, unknown ones aside."""
    told = np.full((usage.days + 1, usage.count), np.nan)
    for day in range(1, usage.days + 1):
        falling = np.sort(usage.samples[max(0, day - window) : day].reshape(-1, usage.count), axis=0)
        known = (~np.isnan(falling)).sum(axis=0)
        place = np.clip(np.ceil(known * percent / 100).astype(int) - 1, 0, None)
        told[day] = np.take_along_axis(falling, place[None], axis=0)[0]
    return told


def histogram_percentile(usage: Usage, share: float, *, half_life_hours: float) -> Array:
    """A percentile of a histogram whose counts halve with time; buckets grow by 5 % from 10 millicores, as VPA's do."""
    slots = usage.samples.shape[1]
    starts = 0.01 * (1.05 ** np.arange(177) - 1) / 0.05
    weights = 0.5 ** ((slots - 1 - np.arange(slots)) * 24 / slots / half_life_hours)
    counts = np.zeros((usage.count, len(starts)))
    told = np.full((usage.days + 1, usage.count), np.nan)
    column = np.arange(usage.count) * len(starts)
    for day, samples in enumerate(usage.samples):
        known = ~np.isnan(samples)
        bucket = np.searchsorted(starts, np.nan_to_num(samples), side="right") - 1
        flat = np.bincount((bucket + column)[known], np.broadcast_to(weights[:, None], known.shape)[known], counts.size)
        counts = counts * 0.5 ** (24 / half_life_hours) + flat.reshape(counts.shape)
        total = counts.sum(axis=1)
        at = (np.cumsum(counts, axis=1) >= share * total[:, None] * (1 - 1e-9)).argmax(axis=1)
        told[day + 1] = np.where(total > 0, starts[np.minimum(at + 1, len(starts) - 1)], np.nan)
    return told
