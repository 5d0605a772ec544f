"""What is found idle in the simulated company, beside the waste that was planted there: precision and recall by money.

python -m bench.waste      # a company of its own, ninety days; COSTOPS_BENCH_SCALE and COSTOPS_BENCH_SEED choose another
"""

import csv
import os
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.measure import bench_home, report, told_by_child

SCALE, SEED = os.environ.get("COSTOPS_BENCH_SCALE", "0.1"), os.environ.get("COSTOPS_BENCH_SEED", "23")
DAYS = 90
IDLE_DAYS = 28
"""What was left alone later than so many days before the end need not be found yet, and is no mistake either."""
GOALS = {"false_share": 0.02, "missed_share": 0.05}
"""Precision of 98 % and recall of 95 %, by money."""
Key = tuple[str, str]
"""Kind and subject."""


def build() -> None:
    """Simulate the company, fill and publish it, once."""
    from django.core.management import call_command

    from apps.marts.models import Publication

    call_command("migrate", verbosity=0)
    if Publication.objects.exists():
        return
    folder = bench_home("waste") / "company"
    call_command(
        "demo", "--days", str(DAYS), "--seed", SEED, "--scale", SCALE, "--metrics-days", "0", "--to", str(folder)
    )
    call_command("source", "add", "bill", "--kind", "focus", "--location", str(folder / "billing"))
    call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage"))
    call_command("import_teams", str(folder / "teams.yaml"))
    call_command("fill")


def planted(path: Path) -> dict[Key, date]:
    """The waste of a company's `waste.csv`, and since when it is waste."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {(row["kind"], _subject(row)): date.fromisoformat(row["since"]) for row in rows}


def _subject(row: Mapping[str, str]) -> str:
    places = [row[name] for name in ("cluster", "namespace", "workload") if row[name]]
    return row["resource"] or "/".join(places)


def score(path: Path) -> dict[str, Any]:
    """By money: how much of what was found in the newest publication is wrong, how much of what was planted is missed.

    Money is effective cost of the run's days: of what was found as it is promised, of what was planted as the ledger
    has it.
    """
    from apps.insights.idle.selectors import newest_run
    from apps.insights.models import IdleFinding

    run, truth = newest_run(), planted(path)
    found: dict[Key, Decimal] = {}
    for row in IdleFinding.objects.filter(run=run, is_known=True).exclude(kind="schedule"):
        key = _key(row)
        found[key] = found.get(key, Decimal(0)) + row.cost
    last = (run.end_day or date.min) - timedelta(days=IDLE_DAYS)
    due = {key for key, since in truth.items() if since <= last}
    held = {key: cost for key, cost in found.items() if key in due or key not in truth}
    right = sum((cost for key, cost in held.items() if key in due), Decimal(0))
    worth = _worth(due)
    missed = {key: cost for key, cost in worth.items() if key not in found and cost}
    total = sum(worth.values(), Decimal(0))
    return {
        "false_share": 1 - right / (sum(held.values(), Decimal(0)) or Decimal(1)),
        "missed_share": sum(missed.values(), Decimal(0)) / (total or Decimal(1)),
        "found": len(held),
        "planted": len(due),
        "wrong": sorted(" ".join(key) for key in held.keys() - due),
        "overlooked": sorted(" ".join(key) for key in missed),
    }


def _key(row: Any) -> Key:
    """A finding as the file of waste names it: there, a volume nobody mounts any more is a disk."""
    return "disk" if row.kind == "volume" else row.kind, row.resource or row.subject


def _worth(keys: Iterable[Key]) -> dict[Key, Decimal]:
    """What each planted thing cost in the run's days."""
    from apps.finops.money import add_up
    from apps.insights.idle.ledger import Ledger, complete_window
    from apps.insights.idle.selectors import newest_run
    from apps.marts.selectors import publication

    run, listed = newest_run(), list(keys)
    pinned = publication(run.publication)
    window = complete_window(pinned, today=date.max)
    if window is None:
        return {}
    places = {tuple(subject.split("/")[:2]) for kind, subject in listed if kind in ("namespace", "workload", "gpu")}
    ledger = Ledger.read(pinned, window, places, {subject for _, subject in listed})  # type: ignore[arg-type]  # pairs
    worth = {}
    for kind, subject in listed:
        parts = {
            "namespace": lambda s: ledger.of_namespace(*s.split("/")),
            "workload": lambda s: ledger.of_workload(*s.split("/")),
            "gpu": lambda s: [part for part in ledger.of_workload(*s.split("/")) if part.pool == "node"],
            "node": ledger.unclaimed,
        }.get(kind, ledger.of_resource)(subject)
        worth[kind, subject] = add_up(ledger.left[part] for part in parts)
    return worth


def measure() -> dict[str, Any]:
    """The scores of a search made now, and how long it took."""
    import time
    from datetime import UTC, datetime

    from apps.insights.idle import services
    from apps.insights.models import IdleRun

    IdleRun.objects.all().delete()
    began = time.perf_counter()
    services.find(now=datetime(2026, 11, 2, tzinfo=UTC))
    seconds = time.perf_counter() - began
    scored = score(bench_home("waste") / "company" / "waste.csv")
    return {"seconds": round(seconds, 1)} | {
        name: float(round(value, 4)) if isinstance(value, Decimal) else value for name, value in scored.items()
    }


if __name__ == "__main__":
    bench_home("waste")
    told_by_child("waste", build)
    measured = told_by_child("waste", measure)
    report("waste", {"scale": SCALE, "seed": SEED, **measured}, goal=GOALS)
