"""Forecasts of one currency: learn every level, make the levels add up, round once."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.finops.money import add_up
from apps.insights.history import LEVELS, History
from apps.insights.landings import Period, last_day, periods
from apps.insights.models import Forecast
from apps.learning.calendars import Calendar, Matrix
from apps.learning.hierarchy import reconcile, rounded_to_add_up

if TYPE_CHECKING:
    from apps.learning.forecaster import Forecaster

HORIZON = 92
"""Ninety days and two: the longest quarter, so that every quarter's landing can be told from its first day."""
DECIMALS = 6
LEVELS_OF_CONFIDENCE = (0.80, 0.95)
SEED = 20261127
_UNIT = Decimal(1).scaleb(-DECIMALS)


@dataclass
class Learned:
    """All series of one currency side by side: the total first, then the keys of each level."""

    history: History
    places: list[tuple[str, str]]
    forecaster: "Forecaster"
    means: dict[tuple[str, str], list[Decimal]] = field(default_factory=dict)

    def place(self, level: str, key: str) -> int:
        return self.places.index((level, key))


def forecast(history: History, calendar: Calendar) -> list[Forecast]:
    """The forecasts of every series of one currency, not yet saved; raises TooShort below three weeks."""
    from apps.learning.forecaster import Forecaster  # two seconds that only learning needs to wait for

    levels = ("total", *LEVELS)
    places = [(level, key) for level in levels for key in history.keys(level)]
    costs = np.hstack([history.matrix(level) for level in levels])
    fitted = Forecaster(calendar, horizon=HORIZON, random_state=SEED).fit(np.array(history.days), costs)
    learned = Learned(history, places, fitted)
    learned.means = _adding_up(learned)
    bounds = [_bounds_of_days(fitted, level) for level in LEVELS_OF_CONFIDENCE]
    landings = [_landing(learned, period) for period in periods(history.end)]
    coverage = [fitted.intervals_.covered(level) for level in LEVELS_OF_CONFIDENCE]
    return [
        _row(learned, place, bounds, [one[place] for one in landings], [float(share[place]) for share in coverage])
        for place in range(len(places))
    ]


def _adding_up(learned: Learned) -> dict[tuple[str, str], list[Decimal]]:
    """The mean of every day and series; the parts of each level add up to exactly the total."""
    fitted, places = learned.forecaster, learned.places
    spread = np.abs(np.nan_to_num(fitted.intervals_.errors_)).mean(axis=(0, 1))
    columns = {level: [place for place, (of, _) in enumerate(places) if of == level] for level in LEVELS}
    agreed, parts = reconcile(
        fitted.forecast_[:, 0],
        {level: fitted.forecast_[:, chosen] for level, chosen in columns.items()},
        {level: spread[chosen] for level, chosen in columns.items()},
        float(spread[0]),
    )
    totals = [_exact(cost) for cost in agreed]
    means: dict[tuple[str, str], list[Decimal]] = {places[0]: totals}
    for level, chosen in columns.items():
        rounded = [
            rounded_to_add_up(list(day), total, decimals=DECIMALS)
            for day, total in zip(parts[level], totals, strict=True)
        ]
        means |= {places[place]: [day[number] for day in rounded] for number, place in enumerate(chosen)}
    return means


def _bounds_of_days(fitted: "Forecaster", level: float) -> tuple[Matrix, Matrix]:
    lower, upper = fitted.intervals_.days(HORIZON, level)
    return np.asarray(lower), np.asarray(upper)


def _landing(learned: Learned, period: Period) -> list[dict[str, Any]]:
    """Where a period lands, for every series: exact so far, plus the forecast of its other days."""
    history, fitted = learned.history, learned.forecaster
    ahead = min((period.end - history.end).days, HORIZON)
    bounds = [fitted.intervals_.total(0, ahead, level) for level in LEVELS_OF_CONFIDENCE]
    rows = []
    for place, (level, key) in enumerate(learned.places):
        so_far = history.so_far(level, key, period.start, history.end)
        mean = add_up([so_far, *learned.means[level, key][:ahead]])
        edges = [add_up([mean, _exact(edge[place])]) for pair in bounds for edge in pair]
        told = {"period": period.name, "kind": period.kind, "last_day": last_day(period).isoformat()}
        names = ("mean", "low_80", "high_80", "low_95", "high_95")
        amounts = {name: _text(amount) for name, amount in zip(names, (mean, *edges), strict=True)}
        rows.append(told | {"so_far": _text(so_far)} | amounts)
    return rows


def _row(
    learned: Learned,
    place: int,
    bounds: list[tuple[Matrix, Matrix]],
    landings: list[dict[str, Any]],
    coverage: list[float],
) -> Forecast:
    level, key = learned.places[place]
    fitted, scores = learned.forecaster, learned.forecaster.scores_
    means = learned.means[level, key]
    edges = [[_exact(value) for value in edge[:, place]] for pair in bounds for edge in pair]
    days = [
        [_text(mean), *(_text(add_up([mean, edge[number]])) for edge in edges)] for number, mean in enumerate(means)
    ]
    return Forecast(
        level=level, key=key, currency=learned.history.currency, is_naive=bool(fitted.is_naive_[place]), days=days,
        landings=landings, origins=scores.origins, total_days=scores.total_days,
        backtest_first_day=learned.history.start + timedelta(days=fitted.backtest_ends_[0]),
        mase=_number(scores.mase[place]), naive_mase=_number(scores.naive_mase[place]),
        total_error=_number(scores.total_error[place]), naive_total_error=_number(scores.naive_total_error[place]),
        coverage_80=_number(coverage[0]), coverage_95=_number(coverage[1]),
    )  # fmt: skip


def _exact(amount: float) -> Decimal:
    """A learner's number as money, rounded once."""
    return Decimal(float(amount)).quantize(_UNIT, rounding=ROUND_HALF_EVEN)


def _text(amount: Decimal) -> str:
    return f"{amount.quantize(_UNIT, rounding=ROUND_HALF_EVEN):f}"


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
