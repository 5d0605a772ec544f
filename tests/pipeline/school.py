"""A small school on two nodes: bills and usage files of any number of days, made of numbers one can add up on paper."""

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

BILL = (
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingAccountId", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ServiceName",
    "ResourceId",
)  # fmt: skip
NODES = {"node-a": "i-a", "node-b": "i-b"}
WORKLOADS = (("live-1", "web", "node-a", "3"), ("data-1", "etl", "node-a", "1"), ("data-1", "etl", "node-b", "2"))
"""Namespace, workload, node, and the cores it asks for; a node has 4 cores and 16 GiB."""

TEAMS = """\
teams:
  - {name: live, title: Live, lead: {name: Li Lei, email: lilei@example.com}}
  - {name: data, title: Data}
rules:
  - {name: live, when: {namespace: live-*}, team: live}
  - {name: data, when: {namespace: data-*}, team: data}
  - {name: storage, when: {service: Storage}, split: {live: 60, data: 40}}
"""


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def write_bill(path: Path, days: Iterable[date], *, node_price: str = "1.20", currency: str = "CNY") -> Path:
    """Three charges a day: two nodes, and storage for 0.10."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(BILL)
        for day in days:
            for node in NODES.values():
                writer.writerow(_charge(day, node_price, "Compute", node, currency))
            writer.writerow(_charge(day, "0.10", "Storage", "bucket", currency))
    return path


def _charge(day: date, cost: str, service: str, resource: str, currency: str) -> list[str]:
    month = day.replace(day=1)
    next_month = (month + timedelta(days=32)).replace(day=1)
    period = [f"{one}T00:00:00Z" for one in (month, next_month, day, day + timedelta(days=1))]
    return [cost, cost, cost, cost, "1001", currency, *period, "Usage", service, resource]


def write_usage(folder: Path, days: Iterable[date]) -> None:
    """Two hours of usage a day, in a file per table and day."""
    for day in days:
        hours = [f"{day}T{hour:02}:00:00Z" for hour in (9, 10)]
        _write_table(folder, "node_hours", day, [_node(hour, node) for hour in hours for node in NODES])
        _write_table(folder, "workload_hours", day, [_workload(hour, *row) for hour in hours for row in WORKLOADS])
        coverage = [
            {"hour": hour, "cluster": "school", "observed_samples": "59", "expected_samples": "60"} for hour in hours
        ]
        _write_table(folder, "coverage_hours", day, coverage)


def _write_table(folder: Path, table: str, day: date, rows: list[dict[str, str]]) -> None:
    path = folder / table / f"{day}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _node(hour: str, node: str) -> dict[str, str]:
    return {
        "hour": hour,
        "cluster": "school",
        "node": node,
        "node_pool": "base",
        "provider_id": f"cn-beijing.{NODES[node]}",
        "instance_type": "small",
        "cpu_capacity_core_hours": "4",
        "memory_capacity_gib_hours": "16",
        "gpu_capacity_hours": "0",
        "labels": "{}",
    }


def _workload(hour: str, namespace: str, workload: str, node: str, cores: str) -> dict[str, str]:
    return {
        "hour": hour, "cluster": "school", "namespace": namespace, "workload": workload, "workload_kind": "Deployment",
        "pod": f"{workload}-0", "node": node, "resource_id": "", "cpu_used_core_hours": "0.5",
        "cpu_request_core_hours": cores, "memory_used_gib_hours": "1", "memory_request_gib_hours": cores,
        "gpu_used_hours": "0", "gpu_request_hours": "0",
    }  # fmt: skip


def total(days: int, *, node_price: str = "1.20") -> Decimal:
    """What a bill of so many days adds up to."""
    return days * (2 * Decimal(node_price) + Decimal("0.10"))
