"""How demand may go on: the shape of its hours, its level, its trend and the falls nobody announces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.planning.methods.purchase.terms import MONTH_HOURS, Stance

Floats = NDArray[np.float64]

NORMAL_FIFTHS = (-1.28, -0.52, 0.0, 0.52, 1.28)
"""The middle of each fifth of a normal distribution."""
PRIOR_SCATTER, PRIOR_MONTHS = 0.03, 6
"""What scatter from month to month is believed before months are seen, and how many months that belief is worth."""
TREND_KEPT, GROWTH_KEPT = 0.5, 0.15
"""How much of a past trend is believed to go on, down and up: growth is bought when it has come."""
WEEK_HOURS = 168
SHAPE_MONTHS, TREND_MONTHS, SCATTER_MONTHS = 3, 6, 11
MOST_LAG, MOST_SCATTER = 4, 0.12
_MOST_CHANGE = 0.3
_TINY = 1e-9


@dataclass(frozen=True)
class Outlook:
    """`shape`: sorted hours ÷ their month's mean; `level`: the newest month's mean, or the middle
    one of three where that is lower; `trend` and `scatter`: change of
    the logarithm of the level per month and its spread."""

    shape: Floats
    level: float
    trend: float
    scatter: float


def outlook(demand: Floats) -> Outlook:
    """What the past says; `demand` is hourly, oldest first, at least a week."""
    step = MONTH_HOURS if len(demand) >= 2 * MONTH_HOURS else WEEK_HOURS
    windows = demand[len(demand) % step :].reshape(-1, step)
    means = np.maximum(windows.mean(axis=1), _TINY)
    logs = np.log(means)
    changes = np.diff(logs)[-SCATTER_MONTHS:]
    middle = float(np.median(changes[-TREND_MONTHS:])) if len(changes) else 0.0
    per_month = MONTH_HOURS / step
    kept = max(1, round(SHAPE_MONTHS * per_month))
    recent = windows[-kept:] / means[-kept:, None]
    level = float(demand[-MONTH_HOURS:].mean())
    if step == MONTH_HOURS:
        level = min(level, float(np.median(means[-SHAPE_MONTHS:])))  # one high month is a campaign until it lasts
    trend = middle if step == MONTH_HOURS else 0.0  # a few weeks tell no trend that a year could follow
    return Outlook(np.sort(recent, axis=None), max(level, _TINY), trend, _scatter(logs, middle, per_month))


def _scatter(logs: Floats, middle: float, per_month: float) -> float:
    """The spread of changes per month: the least over several lags, because noise that goes back is no drift."""
    told = []
    for lag in range(1, MOST_LAG + 1):
        surprise = np.minimum(
            np.abs(logs[lag:] - logs[:-lag] - lag * middle)[-SCATTER_MONTHS:], _MOST_CHANGE * lag**0.5
        )
        if len(surprise) > 1 or lag == 1:
            seen = min(len(logs) - 1, SCATTER_MONTHS)
            spread = float((surprise**2).mean()) / lag * per_month if len(surprise) else 0.0
            told.append((PRIOR_SCATTER**2 * PRIOR_MONTHS + spread * seen) / (PRIOR_MONTHS + seen))
    return float(min(min(told) ** 0.5, MOST_SCATTER))


def paths(seen: Outlook, months: int, stance: Stance) -> list[tuple[float, Floats]]:
    """Levels of the coming months before any fall, each with its probability."""
    ahead = np.arange(1, months + 1)
    drift = seen.trend * (TREND_KEPT if seen.trend < 0 else GROWTH_KEPT) + stance.drift
    return [
        (1 / len(NORMAL_FIFTHS), seen.level * np.exp(drift * ahead + place * seen.scatter * np.sqrt(ahead)))
        for place in NORMAL_FIFTHS
    ]


def used_share(shape: Floats, limits: Floats) -> Floats:
    """The share of hours that use the last unit below each limit, in multiples of the mean."""
    return 1 - np.searchsorted(shape, limits * (1 - _TINY), side="left") / len(shape)


def expected_use(seen: Outlook, limits: Floats, stance: Stance) -> Floats:
    """How often demand exceeds each limit in each coming month; `limits` has a column per month.

    A fall once happened stays; in which month it happens is drawn from the hazard.
    """
    months = limits.shape[1]
    stays = (1 - stance.hazard) ** np.arange(1, months + 1)
    share = np.zeros(limits.shape)
    for weight, level in paths(seen, months, stance):
        use = stays * used_share(seen.shape, limits / level)
        for fall in stance.falls:
            use += (1 - stays) / len(stance.falls) * used_share(seen.shape, limits / (level * (1 - fall)))
        share += weight * use
    return share
