"""A night's work and an hour's: what a fill takes when a day more of bill and usage has come, after some months.

At `--scale 1`: 100,000 pods on 10,000 nodes, ten million charges a month. The first run at a scale builds the company and
fills it, once, which takes as long as thirteen such months do; every run works on a copy.

python -m bench.nightly [--scale 0.1] [--months 13] [--keep]
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.company import found
from bench.company_rows import USAGE_ROWS, Size, charges
from bench.measure import bench_home, peak_mib, report, told_by_child

LAST = date(2026, 10, 31)
"""The day that comes in the night."""
MONTHS = 13
GOALS = {"night_seconds": 900.0, "hour_seconds": 60.0, "peak_mib": 6 * 1024.0}
"""At scale 1; at a smaller one the seconds are multiplied with it."""


@dataclass(frozen=True)
class Company:
    """A company at a scale, of which so many months are known; the hours of the last are kept, which plans look at."""

    scale: float
    months: int

    @property
    def name(self) -> str:
        return f"nightly-{self.scale:g}" + (f"-{self.months}-months" if self.months != MONTHS else "")

    @property
    def folder(self) -> Path:
        """Where its files come, beside every copy of its home: sources keep their paths."""
        return bench_home(self.name.replace("nightly", "nightly-files"))

    @property
    def size(self) -> Size:
        scale, month = self.scale, LAST.year * 12 + LAST.month - self.months
        pods, nodes = int(100_000 * scale), int(10_000 * scale)
        return Size(
            teams=120, namespaces=max(400, int(4_000 * scale)), pods=pods, pods_per_workload=10, nodes=nodes,
            cores_per_node=32, services=60, resources=int(10_000_000 * scale / 31) - nodes,
            hourly_from=LAST.replace(day=1), first=date(month // 12, month % 12 + 1, 1),
        )  # fmt: skip


def build(of: Company) -> None:
    """Its months but a day, filled."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    found(of.folder, of.size, LAST)
    call_command("fill")


def fill(bring: Callable[[Company], None], of: Company, at: str) -> dict[str, Any]:
    """Bring files, then fill at a time: (seconds of every step, all of them, the largest memory)."""
    from django.core.management import call_command
    from django.utils import timezone

    from apps.pipeline import services
    from apps.pipeline.models import StepRun

    call_command("migrate", verbosity=0)  # the company may have been built by an earlier release
    bring(of)
    begun = timezone.now()
    started = time.perf_counter()
    done = services.fill(now=datetime.fromisoformat(at))
    seconds = time.perf_counter() - started
    if done.failed:
        sys.exit("; ".join(f"{run.key}: {run.message}" for run in done.failed))
    steps: dict[str, float] = {}
    for run in StepRun.objects.filter(started_at__gte=begun, finished_at__isnull=False):
        steps[run.step] = steps.get(run.step, 0) + (run.finished_at - run.started_at).total_seconds()
    return {"seconds": seconds, "peak_mib": peak_mib(), "steps": {step: round(took, 1) for step, took in steps.items()}}


def a_day(of: Company) -> None:
    """Charges and usage of the last day, as files."""
    _bring(of, LAST, LAST + timedelta(days=1), hours=24, bill=True)


def an_hour(of: Company) -> None:
    """Usage of the first hour after it, for which there is no bill yet."""
    day = LAST + timedelta(days=1)
    _bring(of, day, day + timedelta(days=1), hours=1, bill=False)


def _bring(of: Company, first: date, end: date, *, hours: int, bill: bool) -> None:
    from apps.finops.tables import CHARGES, USAGE
    from apps.warehouse import engine

    folder, size, raw = of.folder, of.size, engine.connect().con
    for name, rows in USAGE_ROWS.items():
        table = USAGE[name]
        every, kept = (
            ", ".join(f'"{column}"' for column in columns) for columns in (table.columns, table.file_columns)
        )
        path = folder / "usage" / name / f"{first}-{hours}.parquet"
        path.parent.mkdir(exist_ok=True)
        raw.execute(
            f"COPY (SELECT {kept} FROM ({rows(first, end, '', size)}) AS t({every}) WHERE hour(hour) < {hours}) "
            f"TO '{path}' (FORMAT parquet)"
        )
    if bill:
        every, kept = (
            ", ".join(f'"{column}"' for column in CHARGES.columns if own or not column.startswith("x_"))
            for own in (True, False)
        )
        raw.execute(
            f"COPY (SELECT {kept} FROM ({charges(first, end, '', size)}) AS t({every})) "
            f"TO '{folder / 'bill' / f'{first}.csv'}' (HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ')"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--months", type=int, default=MONTHS, help="how many are known before (default %(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep the copy that was worked on, to look at it")
    asked = parser.parse_args()
    of = Company(asked.scale, asked.months)
    home, built = bench_home(of.name), bench_home() / f"{of.name}.built"
    if not built.exists():
        shutil.rmtree(home)
        shutil.rmtree(of.folder)
        started = time.perf_counter()
        told_by_child(of.name, build, of)
        built.write_text(f"{time.perf_counter() - started:.0f}\n")
    work = f"{of.name}-work"
    for left in (*bench_home(work).iterdir(), *of.folder.glob("usage/*"), *of.folder.glob("bill/*")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.copytree(home, bench_home(work), symlinks=True, dirs_exist_ok=True)
    night = told_by_child(work, fill, a_day, of, f"{LAST + timedelta(days=1)}T00:30+00:00")
    hour = told_by_child(work, fill, an_hour, of, f"{LAST + timedelta(days=1)}T01:10+00:00")
    if not asked.keep:
        shutil.rmtree(bench_home(work))
    goal = GOALS | {name: GOALS[name] * min(of.scale, 1) for name in ("night_seconds", "hour_seconds")}
    report(
        of.name,
        {"scale": of.scale, "months": of.months, "history_seconds": int(built.read_text()), "night": night,
         "hour": hour, "night_seconds": night["seconds"], "hour_seconds": hour["seconds"],
         "peak_mib": max(night["peak_mib"], hour["peak_mib"])},
        goal,
    )  # fmt: skip


if __name__ == "__main__":
    main()
