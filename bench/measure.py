"""Measuring: floor and ours in turn, each run in a fresh process; medians, ratio, CPU, peak memory; JSON under `var/bench/`."""

import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROUNDS = int(os.environ.get("COSTOPS_BENCH_ROUNDS", "3"))


@dataclass(frozen=True)
class Case:
    """Something to time: a name for the report and a function without arguments; `before` is not timed."""

    name: str
    run: Callable[[], None]
    before: Callable[[], None] | None = None


def bench_home(name: str = "") -> Path:
    """The folder benchmarks work in: `var/bench`, or a part of it."""
    folder = Path(os.environ.get("COSTOPS_BENCH_HOME", "var/bench")).resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def prepare(name: str) -> None:
    """Point the settings at the benchmark's own home and start Django."""
    os.environ["COSTOPS_HOME"] = str(bench_home(name))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    import django

    django.setup()


def run(
    name: str, *, build: Callable[[], None], floor: Case, ours: Case, goal: Mapping[str, float], home: str = ""
) -> None:
    """Time `floor` and `ours` in turn, in a home of the bench's name or another's, and write the report; exits with 1
    when a goal is missed."""
    home = home or name
    _in_child(home, build)
    taken: dict[str, list[tuple[float, float, float]]] = {"floor": [], "ours": []}
    for _ in range(ROUNDS):
        taken["floor"].append(_in_child(home, floor.run, floor.before))
        taken["ours"].append(_in_child(home, ours.run, ours.before))
    seconds = {who: statistics.median(run[0] for run in runs) for who, runs in taken.items()}
    peaks = {who: max(run[1] for run in runs) for who, runs in taken.items()}
    cpu = {who: statistics.median(run[2] for run in runs) for who, runs in taken.items()}
    measured = {"ratio": seconds["ours"] / seconds["floor"], "peak_mib": peaks["ours"]}
    report(
        name,
        {"floor": floor.name, "ours": ours.name, "floor_seconds": seconds["floor"], "our_seconds": seconds["ours"],
         "floor_cpu_seconds": cpu["floor"], "our_cpu_seconds": cpu["ours"], "cpu_ratio": cpu["ours"] / cpu["floor"],
         "floor_peak_mib": peaks["floor"], **measured},
        goal,
    )  # fmt: skip


def report(name: str, measured: Mapping[str, object], goal: Mapping[str, float]) -> None:
    """Print and keep what was measured; exits with 1 when a goal is missed."""
    missed = [key for key, most in goal.items() if float(str(measured[key])) > most]
    result = {"bench": name, **measured, "goal": dict(goal), "missed": missed, "rounds": ROUNDS}
    keep(name, result)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    sys.exit(1 if missed else 0)


def keep(name: str, result: Mapping[str, Any]) -> None:
    """Write the newest result as a file of its own, and add it to the history of all (`python -m bench.history`)."""
    (bench_home() / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    command = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit, **result}
    with history().open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def history() -> Path:
    """Every result, a line each, the newest last."""
    return bench_home() / "history.jsonl"


def timed(work: Callable[[], object]) -> float:
    """The seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def peak_mib() -> float:
    """The most memory this process has held, and beside it the largest of those that worked for it."""
    if asking := sys.modules.get("apps.ingest.apart.asking"):
        asking.end_readers()  # whoever reads is counted when it has ended
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def own_peak_mib() -> float:
    """The most memory this process itself has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rss_mib() -> float:
    """The memory this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds() -> float:
    """What this process has worked, and those that worked for it and have ended."""
    return sum(os.times()[:4])


def told_by_child(name: str, work: Callable[..., Any], *given: Any) -> Any:
    """What some work returns, done in a fresh process with the benchmark's own home."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, initializer=prepare, initargs=(name,)) as pool:
        return pool.apply(work, given)


def _in_child(
    name: str, work: Callable[[], None], before: Callable[[], None] | None = None
) -> tuple[float, float, float]:
    """Run in a fresh process: (seconds of the work itself, peak MiB, CPU seconds of the work)."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(name, work, before, sender))
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(f"{name}: {work.__name__} failed")
    return receiver.recv()  # type: ignore[no-any-return]  # what _child sends


def _child(
    name: str,
    work: Callable[[], None],
    before: Callable[[], None] | None,
    sender: "multiprocessing.connection.Connection",
) -> None:
    prepare(name)
    if before:
        before()
        os.sync()  # what it deleted or wrote is not for the work to wait for
    started, worked = time.perf_counter(), cpu_seconds()
    work()
    seconds = time.perf_counter() - started
    sender.send((seconds, peak_mib(), cpu_seconds() - worked))
