"""The effect of a change, how small an effect could be seen, and whether it lasts."""

from dataclasses import replace
from datetime import date

import numpy as np
from scipy import stats

from apps.learning.calendars import Matrix
from apps.learning.effects import grading
from apps.learning.effects.methods import Expected, expect
from apps.learning.effects.panel import Panel, Split
from apps.learning.effects.placebos import COVERED, Trials, least_spread, try_all
from apps.learning.effects.study import (
    LEAST_AFTER,
    LEAST_BEFORE,
    Counterfactual,
    Effect,
    MethodResult,
    Monthly,
    Placebos,
    Study,
    TooShort,
)
from apps.learning.threads import alone


@alone
def measure(study: Study) -> Effect:
    """The saving of a change over the days from its start (and transition) to its end.

    Raises
    ------
    TooShort
        Fewer than 28 days with a known cost before the start, or 7 after it.
    NothingSpent
        There was no cost before.
    """
    panel = Panel.of(study)
    return _told(panel, *_looked_at(panel))


@alone
def detectable(study: Study, *, days_after: int, power: float = 0.8) -> float:
    """The smallest effect, in percent of the cost, that would be shown with probability `power` in `days_after` days.

    `study` is as known before the start: what it holds of days from `start` on is not looked at, nor is `end`. The
    interval to come may be wider than what was tried until now: it is taken as wide as in `power` of all cases.
    """
    days = np.asarray(study.days, dtype="datetime64[D]")
    begin = int(np.clip((np.datetime64(study.start) - days[0]).astype(int), 0, len(days)))
    measured = max(days_after, LEAST_AFTER)
    needed = LEAST_BEFORE + study.transition_days + measured
    known = int((~np.isnan(np.asarray(study.cost, dtype=float)[:begin])).sum())
    if known < needed:
        raise TooShort(needed, known, f"before the start to tell what {measured} days could show")
    # The last days before the start stand for those after it: nothing was changed on them.
    start = days[begin - measured - study.transition_days]
    panel = Panel.of(replace(study, start=start.astype(date), end=(days[begin - 1] + 1).astype(date)))
    split, expected, trials = _looked_at(panel)
    total = float(trials.weights() @ (expected.by_method[:, 0] @ split.counted))
    spread = float(least_spread(np.array(total), expected.sum_spread[0]))
    factor = trials.factor() * trials.wider(power)
    normal = stats.norm.ppf((1 + COVERED) / 2)
    return 100 * spread * factor * (1 + stats.norm.ppf(power) / normal) / abs(total)


def persistence(study: Study, months: int | None = None) -> tuple[Monthly, ...]:
    """The saving of each calendar month after the start (the first `months` of them), all seen from the days before.

    The further a month is from the start, the wider its interval: nobody knows what the cost would have become. Months
    of which fewer than seven days are known are left out.
    """
    first = np.datetime64(study.start) + study.transition_days
    month, last = first.astype("datetime64[M]"), (np.datetime64(study.end) - 1).astype("datetime64[M]")
    told: list[Monthly] = []
    while month <= last and (months is None or len(told) < months):
        begin = max(month.astype("datetime64[D]"), first)
        end = min((month + 1).astype("datetime64[D]"), np.datetime64(study.end))
        waited = int((begin - np.datetime64(study.start)).astype(int))
        try:
            effect = measure(replace(study, end=end.astype(date), transition_days=waited))
        except TooShort as short:
            if short.needed != LEAST_AFTER:
                raise
        else:
            told.append(Monthly(month.astype("datetime64[D]").astype(date), effect))
        month += 1
    return tuple(told)


def _looked_at(panel: Panel) -> tuple[Split, Expected, Trials]:
    """What is expected from the start on, and the placebos for it."""
    length = len(panel.days) - panel.begin - panel.gap
    split = panel.split(panel.begin, panel.gap, length)
    expected = expect(panel, split)
    return split, expected, try_all(panel, gap=panel.gap, length=length, at_change=(split, expected))


def _told(panel: Panel, split: Split, expected: Expected, trials: Trials) -> Effect:
    weights, factor = trials.weights(), trials.factor()
    actual = float(split.counted @ panel.costs[split.ahead, 0])
    sums = expected.by_method[:, 0] @ split.counted
    total = float(weights @ sums)
    half = factor * float(least_spread(np.array(total), expected.sum_spread[0]))
    percent = 100 / abs(total) if total else float("nan")
    saving, window = total - actual, len(split.ahead) - panel.gap
    methods = _by_method(expected.names, sums - actual, weights, trials)
    placebos = _counted(trials, weights, factor)
    reasons = grading.reasons(panel=panel, split=split, methods=methods, placebos=placebos, total=total, half=half)
    return Effect(
        saving=saving,
        lower=saving - half,
        upper=saving + half,
        percent=percent * saving,
        percent_lower=percent * (saving - half),
        percent_upper=percent * (saving + half),
        expected=total,
        actual=actual,
        days_measured=int(split.counted.sum()),
        days_missing=int(window - split.counted.sum()),
        methods=methods,
        placebos=placebos,
        grade=grading.grade(reasons),
        reasons=reasons,
        counterfactual=_daily(panel, split, expected, weights, factor),
        controls_left_out=panel.left_out,
    )


def _by_method(names: tuple[str, ...], savings: Matrix, weights: Matrix, trials: Trials) -> tuple[MethodResult, ...]:
    off = trials.typical()
    errors = 100 * np.sqrt((off**2).mean(axis=1)) if off.size else [None] * len(names)
    return tuple(
        MethodResult(name, float(saving), float(weight), None if error is None else float(error))
        for name, saving, weight, error in zip(names, savings, weights, errors, strict=True)
    )


def _counted(trials: Trials, weights: Matrix, factor: float) -> Placebos:
    off = trials.typical()
    return Placebos(
        in_time=int((~trials.in_space).sum()),
        in_space=int(trials.in_space.sum()),
        own=int(trials.is_own.sum()),
        spread=float(100 * np.quantile(np.abs(weights @ off), COVERED)) if off.size else None,
        days=trials.days,
        factor=factor,
    )


def _daily(panel: Panel, split: Split, expected: Expected, weights: Matrix, factor: float) -> Counterfactual:
    daily = weights @ expected.by_method[:, 0]
    half = factor * expected.spread[0]
    actual = np.where(panel.known, panel.costs[:, 0], np.nan)[split.ahead]
    return Counterfactual(panel.days[split.ahead], daily, daily - half, daily + half, actual, split.counted)
