"""Four weeks of a shop on three nodes that stand and one of two hours a day: all can be added up on paper."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from apps.finops.tables import (
    ALLOCATED,
    CHARGES,
    COST_MART,
    NODE_HOURS,
    PASSED_ON,
    WORKLOAD_HOURS,
    WORKLOAD_PEAKS,
)
from apps.marts.models import Publication
from tests.insights.idle_world import write

FIRST = date(2026, 9, 27)
"""A Sunday, so that four whole weeks lie behind the last Monday in any zone."""
END = date(2026, 10, 26)
NOW = datetime(2026, 10, 27, 3, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=number) for number in range((END - FIRST).days)]
STANDING = ("n1", "n2", "n3")
RUSH = (12, 13)
"""The hours, UTC, of the fourth node."""


NIGHT = (2, 3)
"""The hours, UTC, of a nightly job on a node of another cluster that comes for it."""


def publish(
    *, peaks: bool = True, days: int = len(DAYS), job: bool = False, silent: int = 0, left: int | None = None
) -> Publication:
    """The shop, published with the usage of its last days but the `silent` ones; with a nightly `job` elsewhere,
    metered from the first to the last; and with pods like those of the shop that `left` so many days ago."""
    metered = DAYS[-days : len(DAYS) - silent]
    usage = [*_usage(metered), *(_job() if job else ())]
    if left is not None:
        stood = set(DAYS[: len(DAYS) - left])
        usage += [row | {"workload": "old", "pod": f"old-{row['pod']}"} for row in usage
                  if row["workload"] == "web" and row["day"] in stood]  # fmt: skip
    costs = [row for row in _costs() if job or row["cluster"] == "online"]
    tables = (
        (ALLOCATED, costs), (PASSED_ON, []), (CHARGES, []),
        (COST_MART, [row | {"month": f"{row['day']:%Y-%m}"} for row in costs]),
        (WORKLOAD_HOURS, usage), (NODE_HOURS, [*_nodes(metered), *(_job_nodes() if job else ())]),
        (WORKLOAD_PEAKS, [_peak(row) for row in usage if row["workload_kind"] != "DaemonSet"] if peaks else []),
    )  # fmt: skip
    versions = {table.name: write(table, rows) for table, rows in tables}
    cache.clear()
    return Publication.objects.create(
        created_at=NOW, versions=versions, ruleset=0, status="final", first_day=FIRST, end_day=END
    )


def _hours(days: list[date]) -> Iterator[dict[str, Any]]:
    for day in days:
        for hour in range(24):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            yield {"source": "hours", "day": day, "file_id": str(day), "hour": at, "cluster": "online"}


def _nodes(days: list[date]) -> Iterator[dict[str, Any]]:
    """Every node has eight cores and 32 GiB."""
    for at in _hours(days):
        for node in (*STANDING, *(["e1"] if at["hour"].hour in RUSH else [])):
            yield at | {
                "node": node, "node_pool": "elastic" if node == "e1" else "base", "provider_id": f"cn-beijing.i-{node}",
                "instance_type": "ecs.g7.2xlarge", "cpu_capacity_core_hours": Decimal(8),
                "memory_capacity_gib_hours": Decimal(32),
            }  # fmt: skip


def _usage(days: list[date]) -> Iterator[dict[str, Any]]:
    """Nine pods of the shop, three to a node, and four more in the rush; an agent on every node."""
    for at in _hours(days):
        is_rush = at["hour"].hour in RUSH
        pods = [(f"web-{number}", STANDING[number % 3]) for number in range(9)]
        pods += [(f"rush-{number}", "e1") for number in range(4)] if is_rush else []
        for pod, node in pods:
            yield at | {
                "namespace": "shop", "workload": "web" if pod.startswith("web") else "rush",
                "workload_kind": "Deployment", "pod": pod, "node": node, "cpu_used_core_hours": Decimal("0.5"),
                "cpu_request_core_hours": Decimal(2), "memory_used_gib_hours": Decimal(1),
                "memory_request_gib_hours": Decimal(4),
            }  # fmt: skip
        for node in (*STANDING, *(["e1"] if is_rush else [])):
            yield at | {
                "namespace": "kube-system", "workload": "agent", "workload_kind": "DaemonSet", "pod": f"agent-{node}",
                "node": node, "cpu_used_core_hours": Decimal("0.2"), "cpu_request_core_hours": Decimal("0.2"),
                "memory_used_gib_hours": Decimal("0.5"), "memory_request_gib_hours": Decimal("0.5"),
            }  # fmt: skip


def _job() -> Iterator[dict[str, Any]]:
    """Six cores and eight GiB for two hours of every night."""
    for at in _hours(DAYS):
        if at["hour"].hour in NIGHT:
            yield at | {
                "cluster": "offline", "namespace": "etl", "workload": "nightly", "workload_kind": "CronJob",
                "pod": f"nightly-{at['day']}", "node": "b1", "cpu_used_core_hours": Decimal(6),
                "cpu_request_core_hours": Decimal(6), "memory_used_gib_hours": Decimal(8),
                "memory_request_gib_hours": Decimal(8),
            }  # fmt: skip


def _job_nodes() -> Iterator[dict[str, Any]]:
    for at in _hours(DAYS):
        if at["hour"].hour in NIGHT:
            yield at | {
                "cluster": "offline", "node": "b1", "node_pool": "batch", "provider_id": "cn-beijing.i-b1",
                "instance_type": "ecs.g7.2xlarge", "cpu_capacity_core_hours": Decimal(8),
                "memory_capacity_gib_hours": Decimal(32),
            }  # fmt: skip


def _peak(row: dict[str, Any]) -> dict[str, Any]:
    names = ("source", "day", "file_id", "hour", "cluster", "namespace", "workload", "pod", "node")
    peaks = {"cpu_peak_cores": Decimal("0.8"), "memory_peak_gib": Decimal("1.1")}
    unknown = dict.fromkeys(("gpu_peak_share", "gpu_memory_used_gib_hours", "gpu_memory_peak_gib"))
    return {name: row[name] for name in names} | peaks | unknown


def _costs() -> Iterator[dict[str, Any]]:
    """24 a day for every node that stands, four for the two hours of the other, six for those of the nightly job."""
    for day in DAYS:
        for node, amount in (*((name, "24") for name in STANDING), ("e1", "4"), ("b1", "6")):
            is_job = node == "b1"
            yield {
                "day": day, "pool": "node", "resource": f"i-{node}", "cluster": "offline" if is_job else "online",
                "namespace": "etl" if is_job else "shop", "workload": {"e1": "rush", "b1": "nightly"}.get(node, "web"),
                "kind": "direct", "team": "data" if is_job else "shop", "currency": "CNY",
                "source": "bill", "billing_month": f"{day:%Y-%m}", "charge_category": "Usage",
                "effective_cost": Decimal(amount), "billed_cost": Decimal(amount), "list_cost": Decimal(amount),
                "contracted_cost": Decimal(amount),
            }  # fmt: skip
