"""A day of a provider that bills everything FOCUS knows: amounts one can add up on paper, over the school's usage."""

import csv
from datetime import date
from pathlib import Path

from apps.finops import focus
from tests.pipeline import school

DAY = date(2026, 10, 1)
COLUMNS = list(focus.COLUMNS)[: focus.VERSION_1_2]
_COMMON = dict.fromkeys(COLUMNS, "") | {
    "ProviderName": "Cloud", "PublisherName": "Cloud", "InvoiceIssuerName": "Cloud", "InvoiceId": "INV-1",
    "BillingAccountId": "1001", "BillingAccountName": "School", "BillingAccountType": "Account",
    "SubAccountId": "prod", "SubAccountName": "Production", "SubAccountType": "Project",
    "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": f"{DAY}T00:00:00Z", "ChargePeriodEnd": "2026-10-02T00:00:00Z", "BillingCurrency": "CNY",
    "PricingCurrency": "CNY", "ServiceName": "Compute", "ServiceCategory": "Compute",
    "ServiceSubcategory": "Virtual Machines", "ChargeDescription": "a charge",
}  # fmt: skip
_PLACE = {"RegionId": "cn-beijing", "RegionName": "Beijing", "AvailabilityZone": "cn-beijing-a"}
_STORAGE = {"ServiceName": "Storage", "ServiceCategory": "Storage", "ServiceSubcategory": "Block Storage"}
_PLAN = {
    "CommitmentDiscountId": "plan-1", "CommitmentDiscountName": "base", "CommitmentDiscountType": "Reserved Instance",
    "CommitmentDiscountCategory": "Usage", "CommitmentDiscountUnit": "Hours",
}  # fmt: skip
_NO_PRICE = dict.fromkeys(
    ("SkuId", "SkuMeter", "SkuPriceId", "SkuPriceDetails", "PricingQuantity", "PricingUnit", "ListUnitPrice",
     "ContractedUnitPrice", "PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice", "PricingCategory",
     "ConsumedQuantity", "ConsumedUnit"), ""
)  # fmt: skip


def _costs(billed: str, effective: str, listed: str, contracted: str) -> dict[str, str]:
    return {
        "BilledCost": billed, "EffectiveCost": effective, "ListCost": listed, "ContractedCost": contracted,
        "PricingCurrencyEffectiveCost": effective,
    }  # fmt: skip


def _usage(resource: str, kind: str, unit_price: tuple[str, str], costs: dict[str, str], **more: str) -> dict[str, str]:
    """Ten hours (or GiB) of a resource."""
    listed, contracted = unit_price
    return _COMMON | _PLACE | costs | {
        "ChargeCategory": "Usage", "ChargeFrequency": "Usage-Based", "ResourceId": resource, "ResourceName": resource,
        "ResourceType": kind, "SkuId": kind, "SkuMeter": "Hours", "SkuPriceId": f"{kind}-1", "SkuPriceDetails": "{}",
        "PricingCategory": "Standard", "PricingQuantity": "10", "PricingUnit": "Hours", "ListUnitPrice": listed,
        "ContractedUnitPrice": contracted, "PricingCurrencyListUnitPrice": listed,
        "PricingCurrencyContractedUnitPrice": contracted, "ConsumedQuantity": "10", "ConsumedUnit": "Hours",
        "Tags": '{"env":"prod"}',
    } | more  # fmt: skip


def _other(category: str, frequency: str, amount: str, **more: str) -> dict[str, str]:
    return _COMMON | _costs(*[amount] * 4) | {"ChargeCategory": category, "ChargeFrequency": frequency} | more


CHARGES = {
    "a node at the agreed price": _usage("i-a", "g7", ("0.15", "0.12"), _costs("1.20", "1.20", "1.50", "1.20")),
    "a node that a commitment covers": _usage(
        "i-b", "g7c", ("0.15", "0.12"), _costs("0", "0.80", "1.50", "1.20"), PricingCategory="Committed",
        CommitmentDiscountStatus="Used", CommitmentDiscountQuantity="10", **_PLAN,
    ),
    "what the commitment had left": _usage(
        "plan-1", "plan", ("0.02", "0.02"), _costs("0", "0.20", "0.20", "0.20"), PricingCategory="Committed",
        CommitmentDiscountStatus="Unused", CommitmentDiscountQuantity="2", ConsumedQuantity="", ConsumedUnit="",
        AvailabilityZone="", **_PLAN,
    ),
    "the purchase of the commitment": _usage(
        "plan-1", "plan", ("2.40", "2.40"), _costs("24", "0", "24", "24"), ChargeCategory="Purchase",
        ChargeFrequency="One-Time", CommitmentDiscountQuantity="240", ConsumedQuantity="", ConsumedUnit="",
        AvailabilityZone="", **_PLAN,
    ),
    "a node's reserved capacity": _usage(
        "i-c", "g7", ("0.15", "0.12"), _costs("1.20", "1.20", "1.50", "1.20"), CapacityReservationId="cr-1",
        CapacityReservationStatus="Used",
    ),
    "what the reservation had left": _usage(
        "cr-1", "cr", ("0.015", "0.012"), _costs("0.12", "0.12", "0.15", "0.12"), CapacityReservationId="cr-1",
        CapacityReservationStatus="Unused",
    ),
    "software that a reseller bills": _usage(
        "box", "market", ("0.01", "0.01"), _costs("0", "0", "0.10", "0.10"), InvoiceIssuerName="Reseller"
    ),
    "a disk": _usage("d-1", "essd", ("0.03", "0.03"), _costs("0.30", "0.30", "0.30", "0.30"), **_STORAGE),
    "a bucket": _usage("bucket", "oss", ("0.01", "0.01"), _costs("0.10", "0.10", "0.10", "0.10"), **_STORAGE),
    "a refund of a node": _usage(
        "i-a", "g7", ("", ""), _costs("-0.40", "-0.40", "-0.40", "-0.40"), ChargeClass="Correction", **_NO_PRICE
    ),
    "a credit": _other("Credit", "One-Time", "-0.50", SubAccountId="", SubAccountName="", SubAccountType=""),
    "tax": _other("Tax", "Recurring", "0.33"),
    "rounding of the invoice": _other("Adjustment", "One-Time", "-0.03"),
}  # fmt: skip
TOTALS = {"BilledCost": "26.32", "EffectiveCost": "3.32", "ListCost": "28.75", "ContractedCost": "27.82"}
"""Nodes, plan, reservation, software, disk, bucket, and last what is the same in all four: -0.40 - 0.50 + 0.33 - 0.03.

Billed 2 x 1.20 + 24 + 0.12 + 0 + 0.30 + 0.10 - 0.60; effective 2 x 1.20 + 0.80 + 0.20 + 0.12 + 0 + 0.30 + 0.10 - 0.60;
list 3 x 1.50 + 0.20 + 24 + 0.15 + 0.10 + 0.30 + 0.10 - 0.60; contracted 3 x 1.20 + 0.20 + 24 + 0.12 + 0.10 + 0.30 +
0.10 - 0.60."""


def write(folder: Path) -> None:
    """The bill, and two hours of usage of nodes i-a and i-b and of the disk d-1."""
    (folder / "bill").mkdir(parents=True)
    with (folder / "bill" / "2026-10.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(CHARGES.values())
    school.write_usage(folder / "usage", [DAY])
    volumes = [
        f"{DAY}T{hour:02}:00:00Z,school,d-1,{namespace},{claim},{claim},{size},1"
        for hour in (9, 10)
        for namespace, claim, size in (("live-1", "web", "20"), ("data-1", "etl", "10"))
    ]
    columns = "hour,cluster,volume,namespace,claim,workload,capacity_gib_hours,used_gib_hours"
    path = folder / "usage" / "volume_hours" / f"{DAY}.csv"
    path.parent.mkdir()
    path.write_text("\n".join([columns, *volumes, ""]))
