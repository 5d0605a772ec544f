"""Demand to buy for: generated worlds that drift, fall, rise, wander and have seasons, and real series on their own clocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

MONTHS, MONTH_HOURS, DAY = 36, 720, 24
KINDS = {
    "steady": 0.13, "growth": 0.12, "decline": 0.18, "step down": 0.20, "season": 0.10, "wander": 0.10, "step up": 0.06,
    "campaign": 0.11,
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """`demand`: a row per month, a column per hour, in on-demand prices; the first `known` months are history."""

    kind: str
    demand: np.ndarray
    known: int


def generated(seeds: range) -> list[World]:
    return [_world(seed) for seed in seeds]


def _world(seed: int) -> World:
    """36 months: a level that changes by its kind, a day with an evening peak, weekends, noise of days and hours."""
    drawn = np.random.default_rng(seed)
    kind = str(drawn.choice(list(KINDS), p=list(KINDS.values())))
    hour = np.arange(MONTHS * MONTH_HOURS)
    level = _level(kind, hour / MONTH_HOURS, drawn)
    level = level + np.repeat(np.cumsum(drawn.normal(0, 0.12 if kind == "wander" else 0.02, MONTHS)), MONTH_HOURS)
    swing, weekend, sharpness = drawn.uniform(0.3, 0.95), drawn.uniform(0, 0.4), drawn.uniform(0.5, 3)
    day = 1 - swing + swing * ((1 + np.cos(2 * np.pi * (hour % DAY - 20) / DAY)) / 2) ** sharpness
    day = day / day.mean() * np.where(hour // DAY % 7 >= 5, 1 - weekend, 1)
    noise = np.repeat(drawn.normal(0, drawn.uniform(0.02, 0.2), len(hour) // DAY), DAY) + drawn.normal(
        0, 0.05, len(hour)
    )
    return World(kind, (100 * np.exp(level + noise) * day).reshape(MONTHS, MONTH_HOURS), known=12)


def _level(kind: str, month: np.ndarray, drawn: np.random.Generator) -> np.ndarray:
    """The logarithm of demand by month."""
    level = np.zeros(len(month))
    if kind == "growth":
        level += drawn.uniform(0.01, 0.05) * month
    elif kind == "decline":
        level -= drawn.uniform(0.03, 0.2) * np.maximum(0, month - drawn.uniform(6, 18))
    elif kind == "step down":
        level += np.where(month >= drawn.uniform(6, 20), np.log(1 - drawn.uniform(0.3, 0.95)), 0)
    elif kind == "step up":
        level += np.where(month >= drawn.uniform(6, 24), np.log(1 + drawn.uniform(0.2, 1)), 0)
    elif kind == "season":
        level += drawn.uniform(0.1, 0.7) * np.sin(2 * np.pi * (month / 12.167 + drawn.random()))
    elif kind == "campaign":
        for _ in range(drawn.integers(3, 9)):
            begins = drawn.uniform(0, MONTHS)
            runs = (month >= begins) & (month < begins + drawn.uniform(0.5, 2))
            level += np.where(runs, np.log(1 + drawn.uniform(0.3, 3)), 0)
    return level


def real(folder: Path) -> dict[str, list[World]]:
    """Real series. Those of days or weeks run on a faster clock: their day or week stands for a month."""
    return {
        "NN5, days of 26 months, 12 known": list(_nn5(folder)),
        "Bitbrains, fleets of 20 machines, a week for a month, 4 known": list(_fleets(folder)),
        "Crane, 16 series, a day for a month, 4 known": list(_crane(folder)),
    }


def _nn5(folder: Path) -> Iterator[World]:
    frame = pd.read_csv(folder / "series/nn5_daily_imputed.csv").drop(columns="date")
    months = len(frame) // 30
    for name in frame:
        hourly = np.repeat(frame[name].to_numpy(float)[-months * 30 :], DAY)
        yield World("NN5", hourly.reshape(months, MONTH_HOURS), known=12)


def _fleets(folder: Path, machines: int = 20, week: int = 168) -> Iterator[World]:
    frame = pd.read_parquet(folder / "vm/bitbrains_rnd_hourly.parquet", columns=["vm", "h", "cores", "cpu_mean"])
    frame["used"] = frame["cores"] * frame["cpu_mean"] / 100
    used = frame.pivot_table(index="h", columns="vm", values="used", fill_value=0.0).to_numpy()
    weeks = len(used) // week
    for first in range(0, used.shape[1] - machines + 1, machines):
        fleet = used[: weeks * week, first : first + machines].sum(axis=1).reshape(weeks, week)
        yield World("fleet", _as_months(fleet), known=4)


def _crane(folder: Path) -> Iterator[World]:
    for place in range(16):
        values = pd.read_csv(folder / f"crane/input{place}.csv")["value"].to_numpy(float)
        days = len(values) // 1440
        yield World("crane", _as_months(values[: days * 1440].reshape(days, 1440)), known=4)


def _as_months(rows: np.ndarray) -> np.ndarray:
    """Rows of another length as months of 720 hours."""
    at = (np.arange(MONTH_HOURS) + 0.5) / MONTH_HOURS * rows.shape[1]
    return rows[:, np.minimum(at.astype(int), rows.shape[1] - 1)]
