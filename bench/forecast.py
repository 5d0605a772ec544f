"""Forecasts on public series: ours beside the naives, and Theta and ETS where `statsforecast` is installed.

    python -m bench.forecast --data DIR      # reads DIR/nn5_daily_imputed.csv and DIR/m4_weekly_{train,test}.csv

The last 56 days of NN5 are forecast from all days before, from 365, 90, and fewer; the last 13 weeks of M4 Weekly from all weeks
before; then simulated spend with steps, where the oracle knows the rule; then 10,000 series of 400 days, by the clock. OWA is
that of M4: the mean of sMAPE and of MASE (scaled by changes over a week), each in those of Naive2. Theta and ETS:
`pip install -r requirements/bench.txt` in an environment of its own.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from apps.learning.calendars import Calendar
from apps.learning.forecaster import Forecaster
from apps.learning.scores import owa
from apps.learning.steps_ahead import StepsForecaster

GOALS = {None: 0.43, 365: 0.48, 90: 0.61}
SHORT = (60, 30, 21)
"""Users begin with as much; told, without a goal."""
NN5_AHEAD, WEEK = 56, 7
M4_GOAL, M4_AHEAD, YEAR = 0.735, 13, 52
STEPS_GOAL, TOTAL_GOAL = 1.10, 0.018
SECONDS_GOAL, GIB_GOAL = 60, 1.0


def nn5(folder: Path) -> list[str]:
    """OWA by history; what missed its goal."""
    frame = pd.read_csv(folder / "nn5_daily_imputed.csv", parse_dates=["date"])
    days, costs = frame["date"].to_numpy().astype("datetime64[D]"), frame.drop(columns="date").to_numpy(float)
    end = len(days) - NN5_AHEAD
    missed = []
    for history, goal in (GOALS | dict.fromkeys(SHORT)).items():
        start = 0 if history is None else end - history
        past, actual = costs[start:end], costs[end:]
        fitted = Forecaster(Calendar(("GB",)), horizon=NN5_AHEAD).fit(days[start:end], past)
        scores = {
            "ours": owa(actual, fitted.forecast_, past, WEEK),
            "yesterday": owa(actual, np.repeat(past[-1:], NN5_AHEAD, axis=0), past, WEEK),
            "last week": owa(actual, past[-WEEK:][np.arange(NN5_AHEAD) % WEEK], past, WEEK),
        }
        scores |= {name: owa(actual, said, past, WEEK) for name, said in challengers(past, NN5_AHEAD).items()}
        told = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
        print(f"NN5, {end - start} days of history: OWA {told}  ({f'goal <= {goal}' if goal else 'no goal'})")
        print(f"  {covered(fitted, actual)}")
        missed += [f"NN5 {end - start} days"] if goal and scores["ours"] > goal else []
    return missed


def covered(fitted: Forecaster | StepsForecaster, actual: np.ndarray, steps: str = "days") -> str:
    """How many days (or other steps) and sums lie inside their intervals."""
    error = actual - fitted.forecast_
    told = []
    for level in (0.80, 0.95):
        low, high = fitted.intervals_.days(len(actual), level)
        days = ((error >= low) & (error <= high)).mean()
        low, high = fitted.intervals_.total(0, len(actual), level)
        sums = ((error.sum(axis=0) >= low) & (error.sum(axis=0) <= high)).mean()
        told.append(f"{level:.0%}: {days:.1%} of {steps}, {sums:.1%} of sums")
    return "inside the interval of " + "; ".join(told)


def m4(folder: Path) -> list[str]:
    """OWA of weeks without dates, as the competition scored them: no season in Naive2, MASE scaled by weekly changes."""
    train, test = (pd.read_csv(folder / f"m4_weekly_{part}.csv", index_col=0) for part in ("train", "test"))
    past = np.full((train.shape[1], len(train)), np.nan)
    for place, series in enumerate(train.to_numpy(float)):  # the files begin all series on the left
        known = series[~np.isnan(series)]
        past[len(past) - len(known) :, place] = known
    actual = test.loc[train.index].to_numpy(float).T
    fitted = StepsForecaster(horizon=M4_AHEAD).fit(None, past)
    said = {
        "ours": fitted.forecast_,
        "last week": np.repeat(past[-1:], M4_AHEAD, axis=0),
        "last year": past[-YEAR:][:M4_AHEAD],
        **challengers(past, M4_AHEAD, 1),
    }
    scores = {name: owa(actual, forecast, past) for name, forecast in said.items()}
    told = "  ".join(f"{name} {score:.3f}" for name, score in scores.items())
    print(f"M4 Weekly, {len(train)} series: OWA {told}  (goal <= {M4_GOAL})")
    print(f"  {covered(fitted, actual, 'weeks')}")
    return ["M4 Weekly"] if scores["ours"] > M4_GOAL else []


def challengers(past: np.ndarray, ahead: int, season: int = WEEK) -> dict[str, np.ndarray]:
    """AutoETS and Theta, where somebody installed them."""
    try:
        from statsforecast import StatsForecast
        from statsforecast.models import AutoETS, Theta
    except ImportError:
        print("statsforecast is not installed: no AutoETS, no Theta beside")
        return {}
    long = pd.DataFrame(past).melt(var_name="unique_id", value_name="y")
    long["ds"] = np.tile(np.arange(len(past)), past.shape[1])
    long = long.dropna()
    said = StatsForecast([AutoETS(season), Theta(season)], freq=1, n_jobs=1).forecast(df=long, h=ahead)
    return {name: said[name].to_numpy().reshape(past.shape[1], ahead).T for name in ("AutoETS", "Theta")}


def spend(days: int, series: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulated daily spend and its rule without noise: weekday pattern, month's first day, growth, about a step a year."""
    drawn = np.random.default_rng(seed)
    number = np.arange(days)[:, None]
    level = np.exp(drawn.normal(5, 1.5, series)) * (1 + drawn.normal(0.0003, 0.0005, series)) ** number
    for place in range(series):
        for at in np.flatnonzero(drawn.random(days) < 1 / 365):
            level[at:, place] *= np.exp(drawn.normal(0, 0.35))
    week = (
        1 + drawn.uniform(0, 0.4, series) * np.array([0.3, 0.4, 0.4, 0.3, 0.1, -0.7, -0.8])[number[:, 0] % 7][:, None]
    )
    rule = level * week
    return rule * np.exp(drawn.uniform(0.01, 0.12, series) * drawn.standard_normal((days, series))), rule


def steps() -> list[str]:
    """The error on simulated spend in that of an oracle who knows the rule up to now; later steps surprise both."""
    days, ahead = 400, 28
    costs, rule = spend(days + ahead, 300, seed=20261127)
    dates = np.datetime64("2025-10-27") + np.arange(days)
    fitted = Forecaster(Calendar(("CN",)), horizon=ahead).fit(dates, costs[:days])
    flat = rule[days - 7 : days][np.arange(ahead) % 7]
    scale = np.abs(costs[7:days] - costs[: days - 7]).mean(axis=0)
    ours, oracle, naive = (
        float((np.abs(costs[days:] - said).mean(axis=0) / scale).mean())
        for said in (fitted.forecast_, flat, costs[days - 7 : days][np.arange(ahead) % 7])
    )
    total = np.abs(fitted.forecast_.sum(axis=0) / costs[days:].sum(axis=0) - 1)
    print(
        f"spend with steps: MASE ours {ours:.3f}, oracle {oracle:.3f} ({ours / oracle:.2f} x, goal <= {STEPS_GOAL}), last week {naive:.3f}"
    )
    print(
        f"  total of {ahead} days off by {np.median(total):.1%} (median, goal <= {TOTAL_GOAL:.1%}); {covered(fitted, costs[days:])}"
    )
    return (["steps"] if ours > STEPS_GOAL * oracle else []) + (["total"] if np.median(total) > TOTAL_GOAL else [])


def speed(series: int) -> list[str]:
    """The clock and the memory of many series."""
    costs, _ = spend(400, series, seed=7)
    begun = time.process_time()  # the clock of this process: others may run beside it
    Forecaster(Calendar(("CN",))).fit(np.datetime64("2025-10-27") + np.arange(400), costs)
    seconds, gib = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{series} series x 400 days: {seconds:.0f} s (goal <= {SECONDS_GOAL}), {gib:.2f} GiB (goal <= {GIB_GOAL})")
    return (["seconds"] if seconds > SECONDS_GOAL else []) + (["memory"] if gib > GIB_GOAL else [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the public series; without it only simulated ones")
    parser.add_argument("--series", type=int, default=10_000, help="how many series the clock is measured with")
    asked = parser.parse_args()
    failed = [*(nn5(asked.data) + m4(asked.data) if asked.data else []), *steps(), *speed(asked.series)]
    sys.exit(f"missed: {', '.join(failed)}" if failed else 0)
