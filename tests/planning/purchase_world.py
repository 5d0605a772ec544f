"""Thirty-five days of a bill with one commitment, one server on demand and one cache: it adds up on paper.

An hour of ecs.g7 costs 3 by the list: 1 is covered by ri-1 (which pays 0.5 and wastes a tenth), 2 are on demand.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from apps.finops.tables import ALLOCATED, CHARGES, COST_MART, COSTS, LAKE, PASSED_ON, LakeTable
from apps.marts.models import Publication
from apps.warehouse import lake
from tests.insights.idle_world import write

END = date(2026, 10, 21)
NOW = datetime(2026, 10, 22, 3, tzinfo=UTC)
CHARGED = (
    # a day: resource, team, list cost, effective cost, and what else is told
    ("i-web", "shop", "48", "48", {"PricingCategory": "Standard"}),
    ("i-held", "shop", "24", "12", {"PricingCategory": "Committed", "CommitmentDiscountStatus": "Used"}),
    ("ri-1", "platform", "2.40", "1.20", {"PricingCategory": "Committed", "CommitmentDiscountStatus": "Unused"}),
    ("r-1", "shop", "24", "24", {"PricingCategory": "Standard", "ServiceName": "Redis", "SkuId": "redis.1",
                                 "ServiceCategory": "Databases"}),
    ("vm-us", "shop", "9", "9", {"BillingCurrency": "USD", "SkuId": "Standard_D4s_v5"}),
)  # fmt: skip


def publish(days: int = 35, more: Iterable[dict[str, Any]] = ()) -> Publication:
    """The company with so many days of charges, and `more` of them."""
    for table in LAKE:
        lake.drop(table)
    first = END - timedelta(days=days)
    listed = [first + timedelta(days=number) for number in range(days)]
    allocated = [_allocated(day, *row) for day in listed for row in CHARGED]
    costs = [row | {"month": f"{row['day']:%Y-%m}"} for row in allocated]
    tables: tuple[tuple[LakeTable, list[dict[str, Any]]], ...] = (
        (ALLOCATED, allocated), (COST_MART, costs), (PASSED_ON, []),
        (CHARGES, [*(charge(day, *row) for day in listed for row in CHARGED), _purchase(listed[0]), *more]),
    )  # fmt: skip
    cache.clear()
    return Publication.objects.create(
        created_at=NOW, versions={table.name: write(table, rows) for table, rows in tables}, ruleset=0, status="final",
        first_day=first, end_day=END,
    )  # fmt: skip


def _allocated(day: date, resource: str, team: str, listed: str, cost: str, told: dict[str, str]) -> dict[str, Any]:
    return dict.fromkeys(COSTS, Decimal(cost)) | {
        "pool": "charge", "resource": resource, "cluster": "", "namespace": "", "workload": "", "kind": "direct",
        "team": team, "currency": told.get("BillingCurrency", "CNY"), "day": day, "source": "bill",
        "billing_month": f"{day:%Y-%m}", "charge_category": "Usage",
    }  # fmt: skip


def charge(day: date, resource: str, team: str, listed: str, cost: str, told: dict[str, str]) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    held = {"CommitmentDiscountId": "ri-1", "CommitmentDiscountName": "one year",
            "CommitmentDiscountType": "Reserved Instance"}  # fmt: skip
    return {
        "x_SourceName": "bill", "x_BillingMonth": f"{day:%Y-%m}", "x_FileId": f"{day:%Y-%m}", "x_ChargeDay": day,
        "BillingCurrency": "CNY", "ServiceCategory": "Compute", "ChargeCategory": "Usage", "ServiceName": "Compute",
        "SkuId": "ecs.g7.large", "RegionId": "cn-beijing", "ResourceId": resource, "ListCost": Decimal(listed),
        "ContractedCost": Decimal(cost), "EffectiveCost": Decimal(cost), "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
    } | (held if "CommitmentDiscountStatus" in told else {}) | told  # fmt: skip


def _purchase(day: date) -> dict[str, Any]:
    """A year of ri-1 paid at once: it ends 100 days after the last charge."""
    end = datetime(END.year, END.month, END.day, tzinfo=UTC) + timedelta(days=100)
    return charge(day, "ri-1", "platform", "4818", "0", {"CommitmentDiscountStatus": ""}) | {
        "ChargeCategory": "Purchase", "ChargePeriodEnd": end,
        "BillingPeriodEnd": datetime(2026, 10, 1, tzinfo=UTC),
    }  # fmt: skip
