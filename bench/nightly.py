"""A night's work, and that of every hour of the day after it: fills of a company of thirteen months.

At `--scale 1`: 100,000 pods on 10,000 nodes, ten million charges a month. The first run at a scale builds the company and
fills it, once, which takes as long as thirteen such months do; every run works on a copy.

python -m bench.nightly [--scale 0.1] [--months 13] [--hours 24] [--keep]
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

from bench.company import found
from bench.company_rows import USAGE_ROWS, Size, charges
from bench.measure import bench_home, own_peak_mib, peak_mib, report, rss_mib, told_by_child

LAST = date(2026, 10, 31)
"""The day that comes in the night."""
NEXT = LAST + timedelta(days=1)
MONTHS = 13
GOALS = {
    "night_seconds": 900.0,
    "hour_seconds": 60.0,
    "slowest_hour_seconds": 120.0,
    "peak_mib": 6 * 1024.0,
    "growth": 1.1,
}
"""At scale 1; at a smaller one the seconds of the night and of the median hour are multiplied with it. The slowest hour
is that in which a day is over."""
SETTLED = 4
"""After so many hours a worker's memory grows no more: it is looked at in thirds of those that are left."""


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


def night(of: Company) -> dict[str, Any]:
    """Charges and usage of the last day: the seconds of every step, all of them, the largest memory."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)  # the company may have been built by an earlier release
    _bring(of, LAST, hours=range(24), bill=True)
    return _filled(datetime.combine(NEXT, clock(0, 30), UTC)) | {"peak_mib": peak_mib()}


def hours(of: Company, count: int) -> dict[str, Any]:
    """Usage of as many hours of the day after it, one by one in one process, as a worker does it; no bill is there yet.

    The median of their seconds, the first hour's steps, and the memory that is held after each.
    """
    every, held = [], []
    for hour in range(count):
        _bring(of, NEXT, hours=range(hour, hour + 1), bill=False)
        every.append(_filled(datetime.combine(NEXT, clock(hour, 30), UTC) + timedelta(hours=1)))
        held.append(round(rss_mib(), 1))
    return {
        "seconds": statistics.median(one["seconds"] for one in every),
        "slowest": max(one["seconds"] for one in every), "steps": every[0]["steps"], "peaks_mib": every[0]["peaks_mib"],
        "held_mib": held,
        "growth": growth(held), "peak_mib": peak_mib(),
    }  # fmt: skip


def growth(held: Sequence[float]) -> float | None:
    """What was held in the last third of the hours, of what was held in the first; None of too few hours to tell."""
    settled = held[SETTLED:]
    third = len(settled) // 3
    return statistics.median(settled[-third:]) / statistics.median(settled[:third]) if third else None


def _filled(now: datetime) -> dict[str, Any]:
    from django.utils import timezone

    from apps.pipeline import services
    from apps.pipeline.models import StepRun

    peaks: dict[str, float] = {}

    def watch(run: StepRun) -> None:
        peaks[run.step] = round(own_peak_mib())

    begun = timezone.now()
    started = time.perf_counter()
    done = services.fill(now=now, on_progress=watch)
    seconds = time.perf_counter() - started
    if done.failed:
        raise RuntimeError("; ".join(f"{run.key}: {run.message}" for run in done.failed))
    steps: dict[str, float] = {}
    for run in StepRun.objects.filter(started_at__gte=begun, finished_at__isnull=False):
        steps[run.step] = steps.get(run.step, 0) + (run.finished_at - run.started_at).total_seconds()
    told = {step: round(took, 1) for step, took in steps.items()}
    return {"seconds": seconds, "steps": told, "peaks_mib": peaks}


def _bring(of: Company, day: date, *, hours: range, bill: bool) -> None:
    """Usage of some hours of a day, and its charges, as files."""
    from apps.finops.tables import CHARGES, USAGE
    from apps.warehouse import engine

    folder, size, raw, end = of.folder, of.size, engine.connect().con, day + timedelta(days=1)
    for name, rows in USAGE_ROWS.items():
        table = USAGE[name]
        every, kept = (
            ", ".join(f'"{column}"' for column in columns) for columns in (table.columns, table.file_columns)
        )
        path = folder / "usage" / name / f"{day}-{hours.start:02}.parquet"
        path.parent.mkdir(exist_ok=True)
        raw.execute(
            f"COPY (SELECT {kept} FROM ({rows(day, end, '', size)}) AS t({every}) "
            f"WHERE hour(hour) >= {hours.start} AND hour(hour) < {hours.stop}) "
            f"TO '{path}' (FORMAT parquet)"
        )
    if bill:
        every, kept = (
            ", ".join(f'"{column}"' for column in CHARGES.columns if own or not column.startswith("x_"))
            for own in (True, False)
        )
        raw.execute(
            f"COPY (SELECT {kept} FROM ({charges(day, end, '', size)}) AS t({every})) "
            f"TO '{folder / 'bill' / f'{day}.csv'}' (HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ')"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--months", type=int, default=MONTHS, help="how many are known before (default %(default)s)")
    parser.add_argument("--hours", type=int, default=24, help="how many come after the night (default %(default)s)")
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
    a_night = told_by_child(work, night, of)
    an_hour = told_by_child(work, hours, of, asked.hours)
    if not asked.keep:
        shutil.rmtree(bench_home(work))
    goal = GOALS | {name: GOALS[name] * min(of.scale, 1) for name in ("night_seconds", "hour_seconds")}
    if an_hour["growth"] is None:
        del goal["growth"]
    report(
        of.name,
        {"scale": of.scale, "months": of.months, "history_seconds": int(built.read_text()), "night": a_night,
         "hour": an_hour, "night_seconds": a_night["seconds"], "hour_seconds": an_hour["seconds"],
         "slowest_hour_seconds": an_hour["slowest"],
         "growth": an_hour["growth"], "peak_mib": max(a_night["peak_mib"], an_hour["peak_mib"])},
        goal,
    )  # fmt: skip


if __name__ == "__main__":
    main()
