"""Explaining a team's month and a namespace's day: parts, pools, weights and bill rows with their lines.

The company is the simulated one, whole: a month of about a hundred thousand bill rows and two million hours of pods.
"""

import os
from datetime import date
from functools import partial

from bench.measure import bench_home, p95, report, timed, told_by_child

SCALE = os.environ.get("COSTOPS_BENCH_SCALE", "1")
DAYS, ROUNDS = 31, 5
START, END = date(2026, 10, 1), date(2026, 11, 1)


def build() -> None:
    """Simulate the company, fill and publish it, once."""
    from django.core.management import call_command

    from apps.marts.models import Publication

    call_command("migrate", verbosity=0)
    if Publication.objects.exists():
        return
    folder = bench_home() / "company"
    call_command(
        "demo", "--days", str(DAYS), "--seed", "7", "--scale", SCALE, "--metrics-days", "0", "--to", str(folder)
    )
    call_command("source", "add", "bill", "--kind", "focus", "--location", str(folder / "billing"))
    call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage"))
    call_command("import_teams", str(folder / "teams.yaml"))
    call_command("fill")


def measure() -> dict[str, float]:
    """Seconds: the largest team's month, the largest namespace's day, and the whole month."""
    from apps.insights.explain import explain
    from apps.marts.query import CostQuery
    from apps.marts.selectors import answer

    whole = CostQuery(START, END)
    rows = answer(whole.grouped("team", "namespace")).rows
    team, namespace = max((row for row in rows if row[1]), key=lambda row: row[-1])[:2]
    cells = {
        "team_month": whole.narrowed(team=team),
        "namespace_day": CostQuery(date(2026, 10, 20), date(2026, 10, 21)).narrowed(team=team, namespace=namespace),
        "whole_month": whole,
    }
    explain(cells["namespace_day"])  # what a process does once: imports, connections
    found = {name: p95([timed(partial(explain, cell)) for _ in range(ROUNDS)]) for name, cell in cells.items()}
    explained = explain(cells["team_month"])
    assert explained.adds_up, "the steps re-add"
    return {f"{name}_p95_seconds": seconds for name, seconds in found.items()} | {
        "team_month_parts": explained.part_count,
        "team_month_bill_rows": explained.bill_row_count,
    }


if __name__ == "__main__":
    bench_home("explain")
    told_by_child("explain", build)
    measured = told_by_child("explain", measure)
    report("explain", {"scale": SCALE, **measured}, goal={"team_month_p95_seconds": 1, "namespace_day_p95_seconds": 1})
