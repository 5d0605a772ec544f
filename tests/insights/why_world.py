"""Two weeks of a company of two teams, small enough to add up: charges, how they were attributed, and the marts."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa

from apps.finops.tables import ALLOCATED, CHARGES, COSTS, PASSED_ON, LakeTable
from apps.marts.models import Publication
from apps.warehouse import lake
from tests.worlds import NO_DIMENSIONS, publish_costs

FIRST, SECOND, END = date(2026, 10, 1), date(2026, 10, 8), date(2026, 10, 15)
"""A week, and the week after it."""
RISE = date(2026, 10, 11)
COMPUTE, DATABASE = "Elastic Compute Service", "ApsaraDB RDS"
SCALE = Decimal("1.000000000000")


def days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((end - first).days)]


def charge(day: date, resource: str, cost: str, hours: str = "", **given: Any) -> dict[str, Any]:
    """One charge of a day; every cost basis is `cost` unless given."""
    quantity = {"PricingQuantity": Decimal(hours), "PricingUnit": "Hours"} if hours else {}
    amounts = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), Decimal(cost))
    known = {
        "x_ChargeDay": day, "x_SourceName": "bill", "x_BillingMonth": "2026-10", "x_FileId": "f", "x_Row": 1,
        "ResourceId": resource, "ServiceName": COMPUTE, "ChargeCategory": "Usage", "BillingCurrency": "CNY",
        "BillingAccountId": "1", "RegionId": "gz", "ResourceType": "Instance",
    }  # fmt: skip
    return known | amounts | quantity | given


def part(day: date, resource: str, cost: str, team: str, **given: Any) -> dict[str, Any]:
    """What a team has of a resource on a day."""
    known = {
        "day": day, "resource": resource, "team": team, "pool": "charge", "service": COMPUTE, "region": "gz",
        "account": "1", "billing_month": "2026-10", "rule": "r", "ruleset": 1,
    }  # fmt: skip
    return NO_DIMENSIONS | dict.fromkeys(COSTS, Decimal(cost)) | known | given


def world() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Charges, and the parts of teams.

    `i-1` is web's: 24 hours a day at 1. From the second week on web has `i-2` as well. The node `n-1`, 24 hours at 4,
    is a quarter web's in the first week and half web's in the second. data has a database, 24 hours a day at 2, from
    11 October on at 2.5, and was credited 10 on 2 October.
    """
    charges, parts = [], []
    for day in days(FIRST, END):
        charges.append(charge(day, "i-1", "24", "24", SkuId="small"))
        parts.append(part(day, "i-1", "24", "web", namespace="shop", cluster="gz-3"))
        if day >= SECOND:
            charges.append(charge(day, "i-2", "24", "24", SkuId="small"))
            parts.append(part(day, "i-2", "24", "web", namespace="sale", cluster="gz-3"))
        charges.append(charge(day, "n-1", "96", "24", SkuId="large"))
        mine = 24 if day < SECOND else 48
        node = {"cluster": "gz-3", "pool": "node"}
        parts.append(part(day, "n-1", str(mine), "web", namespace="shop", **node))
        parts.append(part(day, "n-1", str(96 - mine), "data", namespace="etl", **node))
        price = "48" if day < RISE else "60"
        database = {"ServiceName": DATABASE, "ResourceType": "Database"}
        charges.append(charge(day, "r-1", price, "24", **database))
        parts.append(part(day, "r-1", price, "data", service=DATABASE))
    credited = FIRST + timedelta(days=1)
    charges.append(charge(credited, "r-1", "-10", ServiceName=DATABASE, ChargeCategory="Credit"))
    parts.append(part(credited, "r-1", "-10", "data", service=DATABASE, charge_category="Credit"))
    return charges, parts


def publish(
    charges: Iterable[Mapping[str, Any]],
    parts: Iterable[Mapping[str, Any]],
    passed_on: Iterable[Mapping[str, Any]] = (),
) -> Publication:
    """A publication of these charges, parts and what policies passed on, and of the marts they make."""
    told = list(parts)
    dropped = ("resource", "pool", "rule", "ruleset")
    published = publish_costs(
        [{name: value for name, value in row.items() if name not in dropped} for row in told],
        created_at=datetime(2026, 10, 15, 3, tzinfo=UTC),
    )
    tables = ((CHARGES, charges), (ALLOCATED, told), (PASSED_ON, passed_on))
    published.versions |= {table.name: _put(table, list(rows)) for table, rows in tables}
    published.save()
    return published


def _put(table: LakeTable, rows: list[Mapping[str, Any]]) -> int:
    """Put exactly these rows into a table; what a row leaves out is not there."""
    schema = table.schema.to_pyarrow()
    columns = {name: [row.get(name) for row in rows] for name in table.columns}
    written = ibis.memtable(pa.table(columns, schema=schema), schema=table.schema)
    return lake.replace(table, written, lake.files(table))
