"""Step schedules a day ahead from a learned week, on public series, beside plain rules.

    python -m bench.schedule --data DIR      # reads DIR/crane/input*.csv

Every one of the last five days is scheduled at midnight before it: the week's own pattern of the days before, in replicas
of a thirtieth of the highest sample so far, then the cheapest steps where a change must save an hour of a replica.
Used ÷ planned and the share of 5-minute samples above their plan, and how often replicas change a day; series as in
bench.pools, whose goal is told beside.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from apps.planning.methods.schedule import pattern
from apps.planning.methods.schedule.problem import Limits, Span
from apps.planning.methods.schedule.steps import cheapest
from bench.pools import TEST_DAYS, UNDER_GOAL, USED_GOAL, repeats, scored, series

QUANTILE, REPLICAS, CHANGE = 0.98, 30, 60


def scheduled(demand: np.ndarray, rest: np.ndarray, day: int) -> tuple[np.ndarray, int]:
    """The plan of a day by hour, and its changes."""
    past = demand[:day].max(axis=2)
    kinds = rest[: day + 1].astype(np.int64)
    needs = pattern.learn(past, kinds[:-1], QUANTILE, kind_count=2).needs[kinds[-1]]
    unit = demand[:day].max() / REPLICAS
    wanted = np.ceil(needs / unit - 1e-9).astype(int)
    spans = [Span(60 * hour, 60 * hour + 60, int(count)) for hour, count in enumerate(wanted)]
    steps = cheapest(spans, Limits(change_minutes=CHANGE))
    told = np.concatenate([np.full(step.minutes // 60, step.replicas * unit) for step in steps])
    return told, len(steps) - 1


def crane(folder: Path) -> list[str]:
    """Every rule on every series; what missed its goal."""
    rows, changes = [], []
    for path in sorted((folder / "crane").glob("input*.csv")):
        demand, rest = series(path)
        tested = range(len(demand) - TEST_DAYS, len(demand))
        told = [scheduled(demand, rest, day) for day in tested]
        dsp = [demand[max(0, day - 7) : day].max(axis=(0, 2)) * 1.1 for day in tested]
        seen = demand[-TEST_DAYS:]
        plans = {"ours": [plan for plan, _ in told], "DSP + 10 %": dsp, "oracle": seen.max(axis=2)}
        changes += [count for _, count in told]
        rows.append((repeats(demand[:-TEST_DAYS]), {name: scored(seen, np.array(one)) for name, one in plans.items()}))
    for name, chosen in (
        ("repeating by the day", [row for yes, row in rows if yes]),
        ("all", [row for _, row in rows]),
    ):
        sys.stdout.write(f"Crane, steps a day ahead, {len(chosen)} series ({name}): used/planned at under-planned\n")
        for rule in chosen[0]:
            used, under = np.mean([one[rule] for one in chosen], axis=0)
            sys.stdout.write(f"  {rule:<12} {used:.1%} at {under:.2%}\n")
    sys.stdout.write(f"  {np.mean(changes):.1f} changes a day (goal >= {USED_GOAL:.0%} at <= {UNDER_GOAL:.1%})\n")
    used, under = np.mean([row["ours"] for yes, row in rows if yes], axis=0)
    return ["Crane"] if used < USED_GOAL or under > UNDER_GOAL else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of public files; without it nothing is measured")
    asked = parser.parse_args()
    missed = crane(asked.data) if asked.data else []
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)
