"""What FOCUS wants said and the rows do not say, where it follows from what they do say. Amounts of cost are never made
up: an unknown list cost stays unknown."""

import ibis
import ibis.expr.types as ir

_PROVIDERS = ("ProviderName", "ServiceProviderName", "PublisherName", "InvoiceIssuerName", "HostProviderName")
_FREQUENCY = (("Usage", "Usage-Based"), ("Purchase", "One-Time"), ("Tax", "Recurring"), ("Credit", "One-Time"))


def completed(rows: ir.Table) -> ir.Table:
    """Rows with the columns of FOCUS, in the same order, completed."""
    names = {name: ibis.coalesce(rows[name], *(rows[other] for other in _PROVIDERS)) for name in _PROVIDERS[:4]}
    category = rows.ServiceCategory.fill_null("Other")
    rows = rows.mutate(
        **names,
        BillingAccountName=rows.BillingAccountName.fill_null(rows.BillingAccountId),
        BillingAccountType=rows.BillingAccountType.fill_null("Account"),
        SubAccountName=ibis.coalesce(rows.SubAccountName, rows.SubAccountId),
        SubAccountType=rows.SubAccountType.fill_null(rows.SubAccountId.notnull().ifelse("Account", ibis.null(str))),
        ServiceCategory=category,
        ServiceSubcategory=rows.ServiceSubcategory.fill_null(ibis.literal("Other (").concat(category, ")")),
        ChargeFrequency=rows.ChargeFrequency.fill_null(rows.ChargeCategory.cases(*_FREQUENCY, else_="One-Time")),
        PricingCurrency=rows.PricingCurrency.fill_null(rows.BillingCurrency),
        PricingUnit=rows.PricingQuantity.notnull().ifelse(rows.PricingUnit, ibis.null(str)),
        ConsumedUnit=rows.ConsumedQuantity.notnull().ifelse(rows.ConsumedUnit, ibis.null(str)),
        SkuMeter=ibis.coalesce(
            rows.SkuMeter, rows.SkuId.notnull().ifelse(rows.PricingUnit, ibis.null(str)), rows.SkuId
        ),
        RegionName=ibis.coalesce(rows.RegionName, rows.RegionId),
    )
    same = rows.PricingCurrency == rows.BillingCurrency
    return rows.mutate(
        PricingCurrencyEffectiveCost=rows.PricingCurrencyEffectiveCost.fill_null(
            same.ifelse(rows.EffectiveCost, ibis.null(rows.EffectiveCost.type()))
        )
    )
