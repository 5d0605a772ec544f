"""Forty days of a small company with waste in it: every amount can be added up on paper."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
from django.conf import settings
from django.core.cache import cache

from apps.finops.tables import (
    ALLOCATED,
    CHARGES,
    COST_MART,
    COSTS,
    LAKE,
    NODE_HOURS,
    PASSED_ON,
    VOLUME_HOURS,
    WORKLOAD_DAYS,
    WORKLOAD_HOURS,
    LakeTable,
)
from apps.insights.idle import services
from apps.insights.models import IdleFinding, IdleRun
from apps.marts.models import Publication
from apps.marts.usage_days import workload_days
from apps.warehouse import lake

FIRST, END = date(2026, 9, 11), date(2026, 10, 21)  # a Friday; the day after a Tuesday
DAYS = [FIRST + timedelta(days=number) for number in range((END - FIRST).days)]
NOW = datetime(2026, 10, 22, 3, tzinfo=UTC)


def is_office(at: datetime) -> bool:
    return at.weekday() < 5 and 9 <= at.hour < 18


WORKLOADS: dict[tuple[str, str, str], tuple[Any, str | None]] = {
    # place: (cores used of one requested, as a function of the hour; GPU used of one requested, if it asks for one)
    ("online", "shop", "web"): (lambda at: "0.5", None),
    ("online", "shop", "old-report"): (lambda at: "0.3" if at.date() == FIRST and at.hour < 3 else "0.001", None),
    ("online", "sandbox", "toy"): (lambda at: "0", None),
    ("online", "sandbox", "try"): (lambda at: "0", None),
    ("online", "office", "desk"): (lambda at: "0.4" if is_office(at) else "0", None),
    ("gpu", "model", "infer"): (lambda at: "0.6", "0"),
}
YOUNG = ("online", "shop", "young")
"""Runs since five days and does nothing: too short to tell."""
NODES = {"n1": "cn-beijing.i-n1", "n2": "cn-beijing.i-n2"}
ALLOCATED_ROWS = (
    # a day's cost: pool, resource, cluster, namespace, workload, kind, team, currency, amount
    ("node", "i-n1", "online", "shop", "web", "direct", "shop", "CNY", "10.00"),
    ("node", "i-n1", "online", "shop", "old-report", "direct", "shop", "CNY", "2.00"),
    ("node", "i-n1", "online", "shop", "young", "direct", "shop", "CNY", "1.00"),
    ("node", "i-n1", "online", "sandbox", "toy", "direct", "live", "CNY", "0.30"),
    ("node", "i-n1", "online", "sandbox", "try", "direct", "search", "CNY", "0.20"),
    ("volume", "d-toy", "online", "sandbox", "toy", "direct", "live", "CNY", "0.10"),
    ("node", "i-n1", "online", "office", "desk", "direct", "office", "CNY", "4.00"),
    ("node", "i-n1", "gpu", "model", "infer", "direct", "ai", "CNY", "22.00"),
    ("node", "i-n1", "online", "", "", "idle", "platform", "CNY", "3.00"),
    ("node", "i-n2", "online", "", "", "idle", "platform", "CNY", "5.00"),
    ("charge", "d-orphan", "", "", "", "direct", "live", "CNY", "0.70"),
    ("charge", "eip-busy", "", "", "", "direct", "live", "CNY", "0.55"),
    ("charge", "eip-lone", "", "", "", "direct", "live", "CNY", "0.48"),
    ("charge", "rm-orders", "", "", "", "direct", "shop", "CNY", "6.00"),
    ("charge", "i-stopped", "", "", "", "direct", "search", "USD", "1.25"),
    ("charge", "ri-2026", "", "", "", "direct", "platform", "CNY", "2.50"),
)
_RESOURCES: dict[str, dict[str, str]] = {
    "i-n1": {"ServiceSubcategory": "Virtual Machines", "ResourceType": "Instance", "EffectiveCost": "42.50"},
    "i-n2": {"ServiceSubcategory": "Virtual Machines", "ResourceType": "Instance", "EffectiveCost": "5.00"},
    "d-toy": {"ServiceSubcategory": "Block Storage", "ResourceType": "Disk", "EffectiveCost": "0.10"},
    "d-orphan": {"ServiceSubcategory": "Block Storage", "ResourceType": "Disk", "EffectiveCost": "0.70"},
    "eip-busy": {"ServiceName": "Elastic IP Address", "ResourceType": "EIP", "EffectiveCost": "0.48"},
    "eip-lone": {"ServiceName": "Elastic IP Address", "ResourceType": "EIP", "EffectiveCost": "0.48"},
    "rm-orders": {"ServiceCategory": "Databases", "ResourceType": "Instance", "EffectiveCost": "6.00"},
    "i-stopped": {
        "ServiceSubcategory": "Virtual Machines", "ResourceType": "Instance", "EffectiveCost": "1.25",
        "ChargeDescription": "Instance, stopped", "BillingCurrency": "USD",
    },
    "ri-2026": {
        "ResourceType": "Reservation", "EffectiveCost": "2.50", "CommitmentDiscountId": "ri-2026",
        "CommitmentDiscountStatus": "Unused", "CommitmentDiscountType": "Reserved Instance",
    },
}  # fmt: skip
_TRAFFIC = {
    "ServiceName": "Elastic IP Address", "ResourceType": "EIP", "EffectiveCost": "0.07", "ConsumedUnit": "GB",
    "ConsumedQuantity": "3",
}  # fmt: skip
_LAKE: dict[str, Any] = {}


def publish() -> Publication:
    """The company, published; its lake is written once and copied from then on."""
    here = Path(settings.COSTOPS_LAKE)
    for table in LAKE:
        lake.drop(table)  # of another company, and what the process remembers of it
    shutil.rmtree(here, ignore_errors=True)
    if _LAKE:
        shutil.copytree(_LAKE["folder"], here)
    else:
        _LAKE["versions"] = _written()
        folder = Path(tempfile.mkdtemp(prefix="costops-lake-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(here, folder / "lake")
        _LAKE["folder"] = folder / "lake"
    cache.clear()  # a test's database begins to count publications anew
    return Publication.objects.create(
        created_at=NOW, versions=_LAKE["versions"], ruleset=0, status="final", first_day=FIRST, end_day=END,
    )  # fmt: skip


def find() -> None:
    """Publish the company and search it; it is searched once, and what was found is copied from then on."""
    pinned = publish()
    if "run" not in _LAKE:
        services.find(now=NOW)
        _LAKE["run"], _LAKE["rows"] = IdleRun.objects.get(), list(IdleFinding.objects.order_by("pk"))
        return
    run = _LAKE["run"]
    run.pk, run.publication = None, pinned.number
    run.save(force_insert=True)
    for row in _LAKE["rows"]:
        row.pk, row.run = None, run
    IdleFinding.objects.bulk_create(_LAKE["rows"])


def _written() -> dict[str, int]:
    allocated = list(_allocated())
    hours = list(_workload_hours())
    costs = [row | {"month": f"{row['day']:%Y-%m}"} for row in allocated]
    written: tuple[tuple[LakeTable, list[dict[str, Any]]], ...] = (
        (ALLOCATED, allocated), (COST_MART, costs), (PASSED_ON, []), (CHARGES, list(_charges())),
        (WORKLOAD_HOURS, hours), (NODE_HOURS, list(_node_hours())), (VOLUME_HOURS, list(_volume_hours())),
    )  # fmt: skip
    versions = {table.name: write(table, rows) for table, rows in written}
    days = workload_days(lake.scan(WORKLOAD_HOURS))
    return versions | {WORKLOAD_DAYS.name: lake.replace(WORKLOAD_DAYS, days, lake.files(WORKLOAD_DAYS))}


def write(table: LakeTable, rows: list[dict[str, Any]]) -> int:
    """Put exactly these rows into a table; what a row leaves out is empty text, zero or nothing."""
    schema = table.schema.to_pyarrow()
    columns = {
        name: pa.array([row.get(name, _nothing(schema.field(name).type)) for row in rows], schema.field(name).type)
        for name in schema.names
    }
    return lake.replace(table, ibis.memtable(pa.table(columns), schema=table.schema), lake.files(table))


def _nothing(kind: pa.DataType) -> Any:
    return Decimal(0) if pa.types.is_decimal(kind) else "" if pa.types.is_string(kind) else None


def _hours() -> Iterator[tuple[date, datetime]]:
    for day in DAYS:
        for hour in range(24):
            yield day, datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _workload_hours() -> Iterator[dict[str, Any]]:
    for day, at in _hours():
        placed = {
            "source": "hours",
            "day": day,
            "file_id": str(day),
            "hour": at,
            "node": "n1",
            "workload_kind": "Deployment",
        }
        for (cluster, namespace, workload), (cores, gpu) in WORKLOADS.items():
            yield placed | {
                "cluster": cluster, "namespace": namespace, "workload": workload, "pod": f"{workload}-0",
                "cpu_used_core_hours": Decimal(cores(at)), "cpu_request_core_hours": Decimal(1),
                "gpu_used_hours": Decimal(gpu or 0), "gpu_request_hours": Decimal(gpu is not None),
            }  # fmt: skip
        if day >= END - timedelta(days=5):
            yield placed | dict(zip(("cluster", "namespace", "workload"), YOUNG, strict=True)) | {
                "pod": "young-0", "cpu_request_core_hours": Decimal(1)
            }  # fmt: skip
        for node in NODES:
            yield placed | {
                "cluster": "online", "namespace": "kube-system", "workload": "agent", "workload_kind": "DaemonSet",
                "pod": f"agent-{node}", "node": node, "cpu_used_core_hours": Decimal("0.2"),
                "cpu_request_core_hours": Decimal("0.2"),
            }  # fmt: skip


def _node_hours() -> Iterator[dict[str, Any]]:
    for day, at in _hours():
        for node, provider_id in NODES.items():
            yield {
                "source": "hours", "day": day, "file_id": str(day), "hour": at, "cluster": "online", "node": node,
                "provider_id": provider_id, "cpu_capacity_core_hours": Decimal(8),
            }  # fmt: skip


def _volume_hours() -> Iterator[dict[str, Any]]:
    for day, at in _hours():
        yield {
            "source": "hours", "day": day, "file_id": str(day), "hour": at, "cluster": "online", "volume": "d-toy",
            "namespace": "sandbox", "claim": "data-toy", "workload": "toy", "capacity_gib_hours": Decimal(20),
        }  # fmt: skip


def _allocated() -> Iterator[dict[str, Any]]:
    names = ("pool", "resource", "cluster", "namespace", "workload", "kind", "team", "currency")
    for day in DAYS:
        for *row, amount in ALLOCATED_ROWS:
            yield dict(zip(names, row, strict=True)) | dict.fromkeys(COSTS, Decimal(amount)) | {
                "day": day, "source": "bill", "billing_month": f"{day:%Y-%m}", "charge_category": "Usage",
            }  # fmt: skip


def _charges() -> Iterator[dict[str, Any]]:
    for day in DAYS:
        common = {
            "x_SourceName": "bill", "x_BillingMonth": f"{day:%Y-%m}", "x_FileId": f"{day:%Y-%m}", "x_ChargeDay": day,
            "BillingCurrency": "CNY", "ServiceCategory": "Compute", "ChargeCategory": "Usage", "ServiceName": "Cloud",
            "ConsumedUnit": "Hours", "ConsumedQuantity": Decimal(24), "ResourceName": "",
        }  # fmt: skip
        for resource, told in [*_RESOURCES.items(), ("eip-busy", _TRAFFIC)]:
            exact = {name: Decimal(told[name]) for name in ("EffectiveCost", "ConsumedQuantity") if name in told}
            yield common | told | exact | {"ResourceId": resource}
