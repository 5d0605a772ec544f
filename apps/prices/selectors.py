"""Asking for prices and commitments."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import ibis
from django.db.models import QuerySet

from apps.finops.tables import CHARGES, MONEY
from apps.prices.models import Price
from apps.warehouse import lake
from apps.warehouse.engine import rows_of


def prices(*, provider: str | None = None, region: str | None = None, sku_id: str | None = None) -> QuerySet[Price]:
    """Prices, by SKU and day."""
    asked = {"provider": provider, "region": region, "sku_id": sku_id}
    found = Price.objects.filter(**{name: value for name, value in asked.items() if value is not None})
    return found.order_by("provider", "service", "sku_id", "region", "unit", "currency", "valid_from", "origin")


def price_on(day: date, *, provider: str, region: str, sku_id: str, unit: str, currency: str) -> Price | None:
    """The price of a SKU that holds on a day: the newest of a price list, else the newest that was learned."""
    held = Price.objects.filter(
        provider=provider, region=region, sku_id=sku_id, unit=unit, currency=currency, valid_from__lte=day
    )
    for origin in (Price.Origin.LIST, Price.Origin.LEARNED):
        if found := held.filter(origin=origin).order_by("-valid_from").first():
            return found
    return None


@dataclass(frozen=True)
class Commitment:
    """A commitment in one billing month: effective cost `used` and `unused`, and what was billed for it.

    `utilisation` is used ÷ (used + unused), None where nothing was; `expiry` is known when a purchase covers a term
    that ends after its month.
    """

    id: str
    name: str
    type: str
    category: str
    provider: str
    period: str
    currency: str
    used: Decimal
    unused: Decimal
    purchase_cost: Decimal
    utilisation: Decimal | None
    expiry: datetime | None


def commitments(*, month: str | None = None, provider: str | None = None) -> list[Commitment]:
    """The commitments the newest charges name, a row per billing month."""
    files = [file for file in lake.files(CHARGES) if month in (None, file.partition["x_BillingMonth"])]
    bill = lake.scan(CHARGES, only=files)
    rows = bill.filter(bill.CommitmentDiscountId.notnull()).mutate(
        who=ibis.coalesce(bill.ProviderName, bill.ServiceProviderName, ibis.literal(""))
    )
    if provider is not None:
        rows = rows.filter(rows.who == provider)
    used, unused = rows.CommitmentDiscountStatus == "Used", rows.CommitmentDiscountStatus == "Unused"
    bought = rows.ChargeCategory == "Purchase"
    term = bought & (rows.ChargePeriodEnd > rows.BillingPeriodEnd)
    found = rows.group_by("CommitmentDiscountId", "who", "x_BillingMonth", "BillingCurrency").aggregate(
        name=rows.CommitmentDiscountName.max(),
        type=rows.CommitmentDiscountType.max(),
        category=rows.CommitmentDiscountCategory.max(),
        used=rows.EffectiveCost.sum(where=used).fill_null(0).cast(MONEY),
        unused=rows.EffectiveCost.sum(where=unused).fill_null(0).cast(MONEY),
        purchase=rows.BilledCost.sum(where=bought).fill_null(0).cast(MONEY),
        expiry=rows.ChargePeriodEnd.max(where=term),
    )
    ordered = found.order_by("who", "CommitmentDiscountId", "x_BillingMonth", "BillingCurrency")
    return [
        Commitment(
            id=identity, name=name or "", type=kind or "", category=category or "", provider=who, period=period,
            currency=currency, used=spent, unused=idle, purchase_cost=purchase, utilisation=_share(spent, idle),
            expiry=expiry,
        )
        for identity, who, period, currency, name, kind, category, spent, idle, purchase, expiry in rows_of(ordered)
    ]  # fmt: skip


def _share(used: Decimal, unused: Decimal) -> Decimal | None:
    whole = used + unused
    return (used / whole).quantize(Decimal("0.0001")) if whole > 0 else None
