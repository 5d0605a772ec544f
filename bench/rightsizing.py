"""Requests decided each day and replayed on the next, on public traces, beside the rules of others in the same process.

    python -m bench.rightsizing --data DIR      # reads DIR/vm/bitbrains_rnd_hourly.parquet and DIR/crane/input*.csv

Virtual machines (hourly means, what was provisioned is the ceiling): cores asked for as a part of those provisioned,
the share of samples above the request, and of days with more than 5 % of them above, from the fifteenth day on. Crane's
series of five minutes: cores asked for as a part of the peak of seven days and 15 % (the mean of the series), and the same two shares, from the
eighth day on, days of the Chinese clock. Rules and margins were chosen on half of the machines; all are told.

Memory of the machines is told beside what KRR and VPA would ask for: GiB, and days with a peak above the request.

Then two weeks of 5,000 made-up workloads at five minutes are replayed: CPU seconds of one thread.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from apps.learning.threads import alone
from apps.planning.methods.rightsizing import rules
from apps.planning.methods.rightsizing.choosing import BAD_SHARE, Settings, replay
from apps.planning.methods.rightsizing.memory import plan_memory
from apps.planning.methods.rightsizing.usage import Array, Usage, in_days

HOURS, SAMPLES = 24, 288
KIB_PER_GIB, MEMORY_RISK = 1 << 20, 0.001
VM_GOALS, CRANE_GOALS = (0.33, 0.005, 0.015), (0.87, 0.009, 0.023)
SECONDS_GOAL, WORKLOADS = 60.0, 5000
BEIJING = 8 * 3600


def machines(path: Path) -> tuple[Usage, Array]:
    """Cores used by hour of 300 machines, and the cores of each by day."""
    told = pd.read_parquet(path).drop_duplicates(["vm", "h"])
    hours = pd.date_range(told.h.min().ceil("D"), told.h.max().floor("D") - pd.Timedelta("1h"), freq="h")
    wide = {
        name: told.pivot_table(index="h", columns="vm", values=name).reindex(hours) for name in ("cpu_mean", "cores")
    }
    cores = wide["cores"].to_numpy()
    used = np.minimum(wide["cpu_mean"].to_numpy(), 100) * cores / 100
    return in_days(used.astype(np.float32), HOURS), np.nanmax(cores.reshape(-1, HOURS, cores.shape[1]), axis=1)


def on_memory(path: Path) -> None:
    """GiB asked for as a part of those provisioned, and days with a peak above: ours beside KRR's and VPA's; no goal
    is set for it."""
    told = pd.read_parquet(path, columns=["vm", "h", "mem", "memcap"]).drop_duplicates(["vm", "h"])
    hours = pd.date_range(told.h.min().ceil("D"), told.h.max().floor("D") - pd.Timedelta("1h"), freq="h")
    used, had = (
        told.pivot_table(index="h", columns="vm", values=name).reindex(hours).to_numpy() / KIB_PER_GIB
        for name in ("mem", "memcap")
    )
    usage = in_days(np.minimum(used, had).astype(np.float32), HOURS)
    most = np.fmax.reduce(had.reshape(-1, HOURS, had.shape[1]), axis=1)
    ceiling = np.vstack([most, most[-1:]])
    peaks, judged = usage.upper(0), (np.arange(usage.days)[:, None] >= 14) & (most > 0)
    sys.stdout.write("memory of machines: asked, days with a peak above, GiB on average\n")
    for name, request in (
        ("ours", plan_memory(usage, MEMORY_RISK).request),
        *((name, rule(usage)) for name, rule in rules.OTHERS_MEMORY.items()),
    ):
        asked = np.fmin(request, ceiling)[: usage.days]
        known = judged & ~np.isnan(peaks) & ~np.isnan(asked)
        above = (peaks > asked * (1 + 1e-6))[known].mean()
        sys.stdout.write(
            f"  {name:<18} {asked[known].sum() / most[known].sum():.3f} {above:.2%} {asked[known].mean():.2f}\n"
        )


def series(folder: Path) -> Usage:
    """Cores of Crane's series, days of the Chinese clock."""
    days = []
    for path in sorted((folder / "crane").glob("input*.csv"), key=lambda path: int(path.stem[5:])):
        told = pd.read_csv(path)
        means = told.groupby((told.ts + BEIJING) // 300).value.mean()
        first = int(means.index[0]) // SAMPLES * SAMPLES
        filled = means.reindex(np.arange(first, (int(means.index[-1]) // SAMPLES + 1) * SAMPLES))
        days.append(filled.to_numpy().reshape(-1, SAMPLES))
    samples = np.full((max(map(len, days)), SAMPLES, len(days)), np.nan, dtype=np.float32)
    for place, own in enumerate(days):
        samples[: len(own), :, place] = own
    return Usage(samples)


def scored(
    usage: Usage, request: Array, against: Array, judged: Array, *, each: bool = False
) -> tuple[float, float, float]:
    """Asked for as a part of what it is held against (together, or the mean of `each`), samples above, bad days."""
    known = usage.known
    counted = judged & (known > 0) & ~np.isnan(request[: usage.days])
    above = (usage.samples > request[: usage.days, None, :] * (1 + 1e-6)).sum(axis=1)
    columns = [[column] for column in range(usage.count)] if each else [list(range(usage.count))]
    whole = np.where(counted, request[: usage.days], 0.0), np.where(counted, against, 0.0)
    asked = np.nanmean([whole[0][:, own].sum() / max(whole[1][:, own].sum(), 1e-12) for own in columns])
    bad = (above > BAD_SHARE * known)[counted].mean()
    return float(asked), float(above[counted].sum() / known[counted].sum()), float(bad)


def compared(name: str, found: dict[str, tuple[float, float, float]], goals: tuple[float, float, float]) -> list[str]:
    """Print every rule; what ours missed."""
    sys.stdout.write(f"{name}: asked, above, bad days (goal {goals[0]:.2f}, {goals[1]:.2%}, {goals[2]:.1%})\n")
    for rule, (asked, above, bad) in found.items():
        sys.stdout.write(f"  {rule:<18} {asked:.3f} {above:.2%} {bad:.2%}\n")
    parts = zip(("asked", "above", "bad days"), found["ours"], goals, strict=True)
    return [f"{name} {what} {got:.4f}, goal {goal}" for what, got, goal in parts if got > goal]


def on_machines(folder: Path) -> list[str]:
    usage, cores = machines(folder / "vm" / "bitbrains_rnd_hourly.parquet")
    judged = (np.arange(usage.days)[:, None] >= 14) & (cores > 0) & np.isfinite(cores)
    most = np.vstack([cores, cores[-1:]])
    found = {"ours": scored(usage, replay(usage, most=most).request, cores, judged)}
    for rule, of in rules.OTHERS.items():
        found[rule] = scored(usage, np.fmin(of(usage), most), cores, judged)
    return compared("machines", found, VM_GOALS)


def on_series(folder: Path) -> list[str]:
    usage = series(folder)
    against = rules.autopilot(usage)[:-1]
    judged = np.cumsum(usage.known > 0, axis=0) > 7
    found = {"ours": scored(usage, replay(usage, Settings(least=0)).request, against, judged, each=True)}
    for rule, of in rules.OTHERS.items():
        found[rule] = scored(usage, of(usage), against, judged, each=True)
    return compared("crane", found, CRANE_GOALS)


@alone
def speed() -> list[str]:
    drawn = np.random.default_rng(1)
    usage = Usage(drawn.gamma(2, 0.2, (14, SAMPLES, WORKLOADS)).astype(np.float32))
    started = time.process_time()
    replay(usage)
    seconds = time.process_time() - started
    sys.stdout.write(f"{WORKLOADS} workloads, 14 days at 5 minutes: {seconds:.1f} CPU s (goal {SECONDS_GOAL:.0f})\n")
    return [f"speed {seconds:.1f} s"] if seconds > SECONDS_GOAL else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of public files; without it only the speed")
    asked = parser.parse_args()
    if asked.data:
        on_memory(asked.data / "vm" / "bitbrains_rnd_hourly.parquet")
    missed = [*on_machines(asked.data), *on_series(asked.data)] if asked.data else []
    missed += speed()
    sys.exit(f"missed: {'; '.join(missed)}" if missed else 0)
