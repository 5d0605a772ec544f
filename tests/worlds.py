"""Small published worlds: rows written straight into the marts, for tests of whatever asks about cost."""

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
from django.core.cache import cache
from django.test import override_settings

from apps.finops.late import late_bills
from apps.finops.tables import (
    COST_MART,
    COSTS,
    COVERAGE_MART,
    DIMENSIONS,
    NOT_NAMED,
    RECONCILIATION_MART,
    LakeTable,
)
from apps.marts.models import Publication, day_after
from apps.warehouse import lake, shared

KEPT = Path(tempfile.mkdtemp(prefix="costops-worlds-"))
atexit.register(shutil.rmtree, KEPT, ignore_errors=True)
FOUND = ("forecast", "budgets", "anomalies", "idle", "plan", "recommend", "verify", "alert")
"""The steps that look through what was published."""
NO_DIMENSIONS: dict[str, Any] = dict.fromkeys(DIMENSIONS, "") | {
    "source": "bill",
    "currency": "CNY",
    "provider": NOT_NAMED,
    "charge_category": "Usage",
    "team": "unallocated",
    "kind": "direct",
}


UNTAGGED = {"kept_tags": "{}"}
"""No tag key was chosen."""


def publish_costs(
    rows: Iterable[Mapping[str, Any]],
    *,
    status: str = "final",
    coverage: Mapping[date, tuple[int, int]] | None = None,
    clusters: Iterable[tuple[str, date, int, int]] = (),
    created_at: datetime | None = None,
) -> Publication:
    """Publish a world of these costs and nothing else, by default when all its days were over; earlier publications
    stay readable.

    A row names its `day` and `effective_cost` (text is exact) and whatever else matters: any dimension, any other cost
    basis (each is the effective cost unless given). `coverage` maps a day to (observed, expected) samples; 99 of 100
    for every day with cost by default; `clusters` are days of other clusters. The reconciliation adds up to the same
    costs.
    """
    costs = [cost_row(**row) for row in rows]
    days = sorted({row["day"] for row in costs})
    seen = dict.fromkeys(days, (99, 100)) if coverage is None else coverage
    tables = (
        (COST_MART, costs),
        (RECONCILIATION_MART, reconciliation_rows(costs)),
        (
            COVERAGE_MART,
            [
                *(coverage_row(day, *samples) for day, samples in sorted(seen.items())),
                *(coverage_row(*counts, cluster) for cluster, *counts in clusters),
            ],
        ),
    )
    over = datetime.combine(days[-1] + timedelta(days=1) if days else date.min, time(3), UTC)
    moment = created_at or max(over, datetime(2026, 11, 2, 3, tzinfo=UTC))
    came = max((day for day in days if day < day_after(moment)), default=None)
    cache.clear()  # a test's database begins to count publications anew
    return Publication.objects.create(
        created_at=moment,
        versions={table.name: begun(table, costs, replace_all) for table, costs in tables},
        ruleset=1,
        status=status,
        first_day=days[0] if days else None,
        end_day=days[-1] + timedelta(days=1) if days else None,
        came_day=came,
        late=late_of(costs, came) if came else {},
        observed_samples=sum(observed for observed, _ in seen.values()),
        expected_samples=sum(expected for _, expected in seen.values()),
        totals=totals(costs),
    )


def late_of(costs: Iterable[Mapping[str, Any]], came: date) -> dict[str, str]:
    """The sources whose bill is late, as publishing finds them."""
    usage: dict[str, list[date]] = {}
    for row in costs:
        usage.setdefault(row["source"], []).extend([row["day"]] if row["charge_category"] == "Usage" else [])
    return {source: f"{end}" for source, end in late_bills(usage, came + timedelta(days=1)).items()}


def begun(table: LakeTable, rows: list[Any], write: Callable[[LakeTable, list[Any]], int]) -> int:
    """Write rows into a table; the version that holds them. Many tests begin with the same: it is written once, and
    copied to where no table is yet."""
    place = lake.location(table)
    if shared.is_on() or place.exists():
        return write(table, rows)
    kept = KEPT / hashlib.sha256(repr((table, rows)).encode("utf-8", "surrogatepass")).hexdigest()
    if not kept.exists():
        making = Path(tempfile.mkdtemp(dir=KEPT))
        with override_settings(COSTOPS_LAKE=making):
            write(table, rows)
        making.rename(kept)  # whole, or not at all: a test may let the lake fail
    shutil.copytree(kept / table.name, place)
    return max(int(version.stem) for version in place.glob("_delta_log/*.json"))


def cost_row(*, day: date, effective_cost: str | Decimal, **given: Any) -> dict[str, Any]:
    """One row of the cost mart."""
    bases = {basis: Decimal(given.pop(basis, effective_cost)) for basis in COSTS if basis != "effective_cost"}
    month = f"{day:%Y-%m}"
    return (
        {"day": day}
        | NO_DIMENSIONS
        | {"billing_month": month}
        | given
        | bases
        | {"effective_cost": Decimal(effective_cost), "month": month}
    )


def coverage_row(day: date, observed: int, expected: int, cluster: str = "online") -> dict[str, Any]:
    """One row of the coverage mart."""
    return {
        "day": day,
        "cluster": cluster,
        "observed_samples": observed,
        "expected_samples": expected,
        "month": f"{day:%Y-%m}",
    }


def reconciliation_rows(costs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the reconciliation says of costs that were all allocated."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in costs:
        key = {name: row[name] for name in ("day", "source", "billing_month", "currency", "month")}
        empty = dict.fromkeys(RECONCILIATION_MART.columns, Decimal(0)) | key
        sums = found.setdefault(tuple(key.values()), empty)
        for basis in COSTS:
            sums[f"{basis}_charged"] += row[basis]
            sums[f"{basis}_allocated"] += row[basis]
        sums[row["kind"]] += row["effective_cost"]
    return list(found.values())


def totals(costs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What the publication says of itself: the sum of effective cost, as text, by currency."""
    sums: dict[str, Decimal] = {}
    for row in costs:
        sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + row["effective_cost"]
    return {currency: f"{amount:.12f}" for currency, amount in sums.items()}


def replace_all(table: LakeTable, rows: list[dict[str, Any]], *, of: Mapping[str, str] | None = None) -> int:
    """Put exactly these rows into a table, or into its partitions `of` these values; the version that holds them."""
    schema = table.schema.to_pyarrow()
    rows = [UNTAGGED | row for row in rows]
    columns = {name: [row[name] for row in rows] for name in table.columns}
    written = ibis.memtable(pa.table(columns, schema=schema), schema=table.schema)
    gone = [file for file in lake.files(table) if (of or {}).items() <= file.partition.items()]
    return lake.replace(table, written, gone)
