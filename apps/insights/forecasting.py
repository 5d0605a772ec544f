"""Forecasts of one currency: learn every level, make the levels add up, round once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.calendars.periods import Period
from apps.finops.money import add_up
from apps.insights.beyond import Beyond, agreed
from apps.insights.history import HORIZON, LEVELS, History
from apps.insights.landed import DECIMALS, EXACT, UNIT, landings, periods, text, texts
from apps.insights.landing import Ahead
from apps.insights.models import Forecast
from apps.insights.planned.effects import Effect, effects, with_them, without
from apps.learning.calendars import Calendar, Matrix
from apps.learning.hierarchy import reconcile, rounded_to_add_up

if TYPE_CHECKING:
    from apps.learning.forecaster import Forecaster

LEVELS_OF_CONFIDENCE = (0.80, 0.95)
SEED = 20261127


@dataclass
class Learned:
    """All series of one currency side by side: the total first, then the keys of each level."""

    history: History
    places: list[tuple[str, str]]
    forecaster: "Forecaster"
    effects: list[Effect]
    means: dict[tuple[str, str], list[Decimal]] = field(default_factory=dict)
    beyond: Beyond = field(default_factory=dict)

    @cached_property
    def ahead(self) -> tuple[Matrix, Matrix, list[Matrix]]:
        return with_them(self.forecaster.forecast_, self.effects, start=self.history.end)

    @property
    def said(self) -> Matrix:
        """The forecast with what is known ahead, not yet adding up."""
        return self.ahead[0]

    @property
    def widths(self) -> Matrix:
        """By how much wider than learned the intervals of days are."""
        return self.ahead[1]

    @property
    def added(self) -> list[Matrix]:
        """What each known change adds to it."""
        return self.ahead[2]

    @cached_property
    def place(self) -> dict[tuple[str, str], int]:
        return {named: place for place, named in enumerate(self.places)}

    def of(self, level: str) -> list[int]:
        """The places of a level."""
        return [self.place[level, key] for key in self.history.keys(level)]


def forecast(history: History, calendar: Calendar) -> list[Forecast]:
    """The forecasts of every series of one currency, not yet saved; raises TooShort below three weeks."""
    from apps.learning.forecaster import Forecaster  # two seconds that only learning needs to wait for

    places = [(level, key) for level in history.levels for key in history.keys(level)]
    costs = np.hstack([history.matrix(level) for level in history.levels])
    known = effects(history.known, [_sum_of(history, *named) for named in places])
    costs = without(costs, known, start=history.start)
    fitted = Forecaster(calendar, horizon=HORIZON, random_state=SEED).fit(np.array(history.days), costs)
    learned = Learned(history, places, fitted, known)
    learned.means = _adding_up(learned)
    learned.beyond = agreed(history, learned.means)
    bounds = [_bounds_of_days(learned, level) for level in LEVELS_OF_CONFIDENCE]
    sums = bounds_of_sums(fitted, learned.widths)
    added = {period.grain: _known(learned, period) for period in periods(history)}
    coverage = [fitted.intervals_.covered(level) for level in LEVELS_OF_CONFIDENCE]
    return [
        _row(
            learned, place, bounds, sums, {grain: text(_exact(known[place])) for grain, known in added.items()},
            [float(share[place]) for share in coverage],
        )
        for place in range(len(places))
    ]  # fmt: skip


def _adding_up(learned: Learned) -> dict[tuple[str, str], list[Decimal]]:
    """The mean of every day and series: the parts of each level add up to exactly the total, and the teams of each part
    of the organisation, as they stand on the day, to exactly that."""
    agreed = _agreed(learned)
    totals = [_exact(cost) for cost in agreed[:, 0]]
    means: dict[tuple[str, str], list[Decimal]] = {learned.places[0]: totals}
    for level in LEVELS:
        chosen = learned.of(level)
        rounded = [
            rounded_to_add_up(list(day[chosen]), total, decimals=DECIMALS)
            for day, total in zip(agreed, totals, strict=True)
        ]
        means |= {learned.places[place]: [day[number] for day in rounded] for number, place in enumerate(chosen)}
    history = learned.history
    for level in history.standing.levels:
        for key in history.keys(level):
            means[level, key] = [
                add_up(means["team", team][(span.start - history.end).days + number] for team in teams)
                for span in history.standing.spans
                for teams in [span.members[level].get(key, ())]
                for number in range((span.end - span.start).days)
            ]
    return means


def _agreed(learned: Learned) -> Matrix:
    """Days ahead × series, adding up but for rounding."""
    fitted, history, place = learned.forecaster, learned.history, learned.place
    spread = np.abs(np.nan_to_num(fitted.intervals_.errors_)).mean(axis=(0, 1))
    divided = [(0, learned.of(level)) for level in LEVELS]
    parts = []
    for span in history.standing.spans:
        said = learned.said[(span.start - history.end).days : (span.end - history.end).days].copy()
        sums = []
        for level in history.standing.levels:
            for key in history.keys(level):
                here = [place["team", team] for team in span.members[level].get(key, ())]
                learned_from = [place["team", team] for team in history.standing.now(level, key)]
                # Who comes or goes later brings or takes the own forecast.
                if here != learned_from:
                    moved = said[:, here].sum(axis=1) - said[:, learned_from].sum(axis=1)
                    said[:, place[level, key]] += moved
                sums.append((place[level, key], here))
        parts.append(reconcile(said, spread, [*divided, *sums]))
    return np.concatenate(parts)


def _bounds_of_days(learned: Learned, level: float) -> tuple[Matrix, Matrix]:
    lower, upper = learned.forecaster.intervals_.days(HORIZON, level)
    return lower * learned.widths, upper * learned.widths


def bounds_of_sums(fitted: "Forecaster", widths: Matrix) -> list[Matrix]:
    """Of the first one, two, … days ahead together: what to add to the sum of their means, days × series: low 80,
    high 80, low 95, high 95. `widths` is by how much wider than learned the intervals of days are."""
    wider = np.cumsum(widths, axis=0) / np.arange(1, len(widths) + 1)[:, None]
    found = []
    for level in LEVELS_OF_CONFIDENCE:
        pairs = [fitted.intervals_.total(0, count, level) for count in range(1, len(widths) + 1)]
        found += [np.stack(edge) * wider for edge in zip(*pairs, strict=True)]
    return found


def _known(learned: Learned, period: Period) -> Matrix:
    """What changes known ahead add to a period, by series."""
    ahead = (period.end - learned.history.end).days
    known: Matrix = np.sum([one[:ahead].sum(axis=0) for one in learned.added], axis=0) + np.zeros(len(learned.places))
    return known


def _row(
    learned: Learned,
    place: int,
    bounds: list[tuple[Matrix, Matrix]],
    sums: list[Matrix],
    known: Mapping[str, str],
    coverage: list[float],
) -> Forecast:
    level, key = learned.places[place]
    fitted, scores = learned.forecaster, learned.forecaster.scores_
    history, means, beyond = learned.history, learned.means[level, key], learned.beyond.get((level, key), {})
    bounds_of_first = [_four(one[number, place] for one in sums) for number in range(len(means))]
    ahead = Ahead(history.end, means, bounds_of_first, beyond)
    edges = [[_exact(value) for value in edge[:, place]] for pair in bounds for edge in pair]
    days = [[text(mean), *(text(add_up([mean, edge[number]])) for edge in edges)] for number, mean in enumerate(means)]
    return Forecast(
        level=level, key=key, currency=history.currency, is_naive=bool(fitted.is_naive_[place]),
        first_day=history.end, days=days,
        sums=[[text(edge) for edge in day] for day in ahead.sums], beyond=texts(beyond),
        landings=landings(history, level, key, ahead, known), origins=scores.origins, total_days=scores.total_days,
        backtest_first_day=history.start + timedelta(days=fitted.backtest_ends_[0]),
        mase=_number(scores.mase[place]), naive_mase=_number(scores.naive_mase[place]),
        total_error=_number(scores.total_error[place]), naive_total_error=_number(scores.naive_total_error[place]),
        coverage_80=_number(coverage[0]), coverage_95=_number(coverage[1]),
        events=list(_events(learned, place)),
        teams=history.standing.teams(level, key) if level in history.standing.levels else [],
    )  # fmt: skip


def _sum_of(history: History, level: str, key: str) -> tuple[str, tuple[str, ...]]:
    """A series as the sum of keys of a level that costs are charged by."""
    return ("team", history.standing.now(level, key)) if level in history.standing.levels else (level, (key,))


def _events(learned: Learned, place: int) -> Iterator[dict[str, Any]]:
    """The changes that are known ahead of a series; `per_day` is what they add on average from their day on."""
    for effect, added in zip(learned.effects, learned.added, strict=True):
        known = effect.known
        after = added[max(0, (known.first_day - learned.history.end).days) :, place]
        if after.any() or (known.per_day is None and known.percent is None and place == 0):
            named = {name: getattr(known, name) for name in ("kind", "team", "service", "note", "ref")}
            percent = "" if known.percent is None else f"{known.percent:f}"
            told = {"first_day": known.first_day.isoformat(), "percent": percent}
            yield named | told | {"per_day": text(_exact(after.mean()))}


def _exact(amount: float) -> Decimal:
    """A learner's number as money, rounded once."""
    return Decimal(float(amount)).quantize(UNIT, context=EXACT)


def _four(edges: Iterable[float]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    low_80, high_80, low_95, high_95 = (_exact(edge) for edge in edges)
    return low_80, high_80, low_95, high_95


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
