"""Unit prices as charges tell them: by SKU, region and month the median, as exact decimals."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

import ibis
import ibis.expr.types as ir

from apps.finops.money import UNIT, plain
from apps.finops.tables import CHARGES, MONEY
from apps.prices.models import Price
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, rows_of

KEY = ["provider", "region", "sku_id", "unit", "currency", "month"]
_EXACT = Context(prec=100)


def learned(month: str | None = None) -> Iterator[Price]:
    """The prices of usage in the newest charges, of all billing months or one.

    The price of a charge is its ListUnitPrice (ContractedUnitPrice), else its cost by its PricingQuantity. The median
    is the price of the middle charge, the lower of two middles: a price that was really charged, whatever outliers say.
    Corrections and what commitments covered are left out; spot charges tell the list price only, for nobody agreed on
    theirs.
    """
    with Workspace() as workspace:
        usage = workspace.keep(_usage(month))
        lists = _medians(usage, "ListCost", "ListUnitPrice")
        contracted = _medians(usage.filter(~usage.is_spot), "ContractedCost", "ContractedUnitPrice")
        facts = usage.group_by(KEY).aggregate(
            service=usage.service.min(), charges=usage.count(), quantity=usage.quantity.sum().cast(MONEY)
        )
        for *names, service, charges, quantity in rows_of(facts.order_by(KEY)):
            key = tuple(names)
            provider, region, sku_id, unit, currency, told = key
            listed, agreed = _text(lists.get(key)), _text(contracted.get(key))
            if listed or agreed:
                yield Price(
                    provider=provider, region=region, sku_id=sku_id, service=service, unit=unit, currency=currency,
                    list_unit_price_text=listed, contracted_unit_price_text=agreed,
                    valid_from=date.fromisoformat(f"{told}-01"), origin=Price.Origin.LEARNED,
                    charges=charges, quantity_text=plain(quantity),
                )  # fmt: skip


def _usage(month: str | None) -> ir.Table:
    files = [file for file in lake.files(CHARGES) if month in (None, file.partition["x_BillingMonth"])]
    bill = lake.scan(CHARGES, only=files)
    bill = bill.filter(
        bill.ChargeCategory == "Usage",
        bill.PricingQuantity > 0,
        bill.SkuId.notnull(),
        bill.PricingUnit.notnull(),
        bill.ChargeClass.fill_null("") != "Correction",
        bill.CommitmentDiscountStatus.isnull(),
    )
    return bill.select(
        "ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice",
        provider=ibis.coalesce(bill.ProviderName, bill.ServiceProviderName, ibis.literal("")),
        region=bill.RegionId.fill_null(""),
        sku_id=bill.SkuId,
        service=bill.ServiceName,
        unit=bill.PricingUnit,
        currency=bill.BillingCurrency,
        month=bill.x_BillingMonth,
        quantity=bill.PricingQuantity,
        is_spot=bill.PricingCategory.fill_null("") == "Dynamic",
    )  # fmt: skip


def _medians(usage: ir.Table, cost: str, price: str) -> dict[tuple[str, ...], Decimal]:
    """The middle charge of each group, its price divided exactly; doubles only put the charges in order."""
    told = usage.filter(usage[price].notnull() | usage[cost].notnull())
    told = told.select(
        *KEY,
        amount=ibis.coalesce(told[price], told[cost]),
        per=told[price].notnull().ifelse(ibis.literal(1).cast(MONEY), told.quantity),
    )
    told = told.filter(told.amount >= 0)
    ratio = told.amount.cast("float64") / told.per.cast("float64")
    window = ibis.window(group_by=KEY, order_by=[ratio, told.amount, told.per])
    ranked = told.mutate(place=ibis.row_number().over(window), total=told.count().over(ibis.window(group_by=KEY)))
    middle = ranked.filter(ranked.place == (ranked.total - 1) // 2)
    return {
        tuple(names): _divided(amount, per) for *names, amount, per in rows_of(middle.select(*KEY, "amount", "per"))
    }


def _divided(amount: Decimal, per: Decimal) -> Decimal:
    return _EXACT.divide(amount, per).quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_EXACT)


def _text(price: Decimal | None) -> str:
    return "" if price is None else plain(price)
