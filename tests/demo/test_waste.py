"""The waste that is planted in the simulated company is what its bill and its usage show."""

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal

from tests.demo.readings import Company

KINDS = {"namespace", "workload", "gpu", "node", "disk", "address", "load_balancer", "instance", "commitment"}


def planted(company: Company) -> list[dict[str, str]]:
    with (company.folder / "waste.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_forgotten_workloads_use_no_cpu_and_lonely_gpus_are_not_used(autumn: Company) -> None:
    used: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in autumn.usage["workload_hours"]:
        for place in (("namespace", row["namespace"], ""), ("workload", row["namespace"], row["workload"])):
            used[place][0] += row["cpu_used_core_hours"]
            used[place][1] += row["gpu_used_hours"]
    rows = planted(autumn)
    start = min(date.fromisoformat(row["since"]) for row in rows)

    for row in rows:
        if row["kind"] == "namespace" and row["since"] == str(start):
            assert used["namespace", row["namespace"], ""][0] == 0
        if row["kind"] == "gpu":
            assert used["workload", row["namespace"], row["workload"]][0] > 0
            assert used["workload", row["namespace"], row["workload"]][1] == 0
    assert {row["kind"] for row in rows} <= KINDS


def test_what_the_bill_names_is_billed_and_used_by_nothing(autumn: Company) -> None:
    units: dict[str, set[str]] = defaultdict(set)
    for charge in autumn.charges:
        units[charge["ResourceId"]].add(charge["ConsumedUnit"])
    mounted = {row["volume"] for row in autumn.usage["volume_hours"]}

    for row in planted(autumn):
        if row["resource"]:
            assert row["resource"] in units, row
        if row["kind"] in ("address", "load_balancer"):
            assert units[row["resource"]] == {"Hours"}
        if row["kind"] == "disk" and row["since"] == min(one["since"] for one in planted(autumn)):
            assert row["resource"] not in mounted
