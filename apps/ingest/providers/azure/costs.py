"""How a row of an Azure cost export becomes a FOCUS charge, be it of actual or of amortised cost.

Both exports have the same columns. A row of *actual* cost is what is invoiced: a reservation costs on the day it is
bought, and what it covers costs nothing. A row of *amortised* cost is what is used: purchases of commitments are left
out, and what they cover, or what stays unused, carries its part of their price. All other rows stand in both. So the
two are never added: billed cost is read from one, effective cost from the other, the rest once.

Source: Microsoft, "Convert Cost Management data to FOCUS", https://learn.microsoft.com/cloud-computing/finops.
"""

from dataclasses import replace
from datetime import date

from apps.ingest.bill.mapping import Input, Kind, Mapping
from apps.ingest.providers import focus
from apps.ingest.providers.azure import services


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Each name as Azure's exports write it by turns: `BillingCurrency`, `billingCurrency`, `billingcurrency`."""
    return tuple(
        dict.fromkeys(spelled for name in names for spelled in (name, name[0].lower() + name[1:], name.lower()))
    )


def _input(*names: str, kind: Kind = "text", required: bool = False, repair: str = "") -> Input:
    formats = ("%m/%d/%Y", "%Y-%m-%d") if kind == "time" else ()
    return Input(_names(names), kind, required, formats, repair=repair)


# EA writes tags without the braces of a JSON object, and nothing at all as two quotes.
_BRACED = "CASE WHEN trim({}) = '\"\"' THEN NULL WHEN trim({}) LIKE '{%' THEN {} ELSE '{' || {} || '}' END"

INPUTS = {
    "cost": _input("CostInBillingCurrency", "Cost", "PreTaxCost", kind="money", required=True),
    "currency": _input("BillingCurrency", "BillingCurrencyCode", "Currency", required=True),
    "date": _input("Date", "UsageDate", "UsageDateTime", kind="time", required=True),
    "period_start": _input("BillingPeriodStartDate", kind="time"),
    "period_end": _input("BillingPeriodEndDate", kind="time"),
    "account": _input("BillingAccountId", "BillingProfileId", "SubscriptionId", "SubscriptionGuid", required=True),
    "account_name": _input("BillingAccountName", "BillingProfileName"),
    "subscription": _input("SubscriptionId", "SubscriptionGuid"),
    "subscription_name": _input("SubscriptionName"),
    "invoice": _input("InvoiceId"),
    "corrected_invoice": _input("PreviousInvoiceId"),
    "partner": _input("PartnerName"),
    "publisher": _input("PublisherName"),
    "charge_type": _input("ChargeType"),
    "frequency": _input("Frequency"),
    "pricing_model": _input("PricingModel"),
    "benefit": _input("BenefitId"),
    "benefit_name": _input("BenefitName"),
    "reservation": _input("ReservationId"),
    "reservation_name": _input("ReservationName"),
    "product": _input("ProductName", "Product"),
    "product_id": _input("ProductId"),
    "meter_id": _input("MeterId"),
    "meter_category": _input("MeterCategory"),
    "meter_name": _input("MeterName"),
    "service_family": _input("ServiceFamily"),
    "consumed_service": _input("ConsumedService"),
    "resource_id": _input("ResourceId", "InstanceId"),
    "resource_name": _input("ResourceName"),
    "region": _input("ResourceLocation", "Location"),
    "zone": _input("AvailabilityZone"),
    "quantity": _input("Quantity", "UsageQuantity", kind="money"),
    "unit": _input("UnitOfMeasure"),
    "effective_price": _input("EffectivePrice", "ResourceRate", kind="money"),
    "unit_price": _input("UnitPrice", kind="money"),
    "payg_price": _input("PayGPrice", kind="money"),
    "payg_cost": _input("PaygCostInBillingCurrency", kind="money"),
    "pricing_currency": _input("PricingCurrency", "PricingCurrencyCode"),
    "exchange_rate": _input("ExchangeRatePricingToBilling", kind="money"),
    "tags": _input("Tags", kind="json", repair=_BRACED),
}

KEPT = _names(
    (
        "ResourceGroup", "ResourceGroupName", "CostCenter", "InvoiceSection", "InvoiceSectionName", "DepartmentName",
        "AccountName", "CostAllocationRuleName", "MeterSubCategory", "PartNumber", "OfferId", "Term", "ProductOrderId",
        "ProductOrderName", "PlanName", "PublisherType", "AdditionalInfo",
    )
)  # fmt: skip

_CHARGE = "coalesce(lower(charge_type), 'usage')"
_MODEL = "replace(lower(pricing_model), ' ', '')"
_IS_UNUSED = f"{_CHARGE} LIKE 'unused%'"
_IS_COMMITTED = f"({_IS_UNUSED} OR coalesce({_MODEL} IN ('reservation', 'savingsplan'), reservation IS NOT NULL))"
_IS_CASH = f"({_IS_COMMITTED} AND {_CHARGE} IN ('purchase', 'refund'))"
"""The price of a commitment, paid or paid back: only actual cost has such rows."""
_COMMITMENT = "lower(coalesce(benefit, reservation))"


def _gross(price: str) -> str:
    """Quantity × price, in the billing currency; quantities are counted in the unit of measure, as prices are."""
    in_pricing_currency = f"(quantity * {price})::DECIMAL(38,12)"
    return f"({in_pricing_currency} * coalesce(exchange_rate, 1::DECIMAL(38,12)))::DECIMAL(38,12)"


# Prices are 0 where Azure does not tell them: reservations, the marketplace. An unknown price saves nothing. Where
# prices are equal the amounts are taken from each other, for a product of rounded factors is not the amount billed.
_CONTRACTED = (
    f"CASE WHEN {_IS_UNUSED} OR unit_price = effective_price THEN cost "
    f"ELSE coalesce(nullif({_gross('unit_price')}, 0), cost) END"
)
_LIST = (
    f"CASE WHEN {_IS_UNUSED} THEN cost WHEN payg_cost <> 0 THEN payg_cost "
    f"WHEN payg_price = unit_price THEN {_CONTRACTED} "
    f"ELSE coalesce(nullif({_gross('payg_price')}, 0), {_CONTRACTED}) END"
)

# Of keys that differ only by blanks around them, as people type them in portals, the one without blanks counts.
_KEYS = "json_keys(tags)"
_POINTER = "'/' || replace(replace(k, '~', '~0'), '/', '~1')"
_TRIMMED = (
    f"list_reduce(list_transform(list_concat(list_filter({_KEYS}, k -> k <> trim(k)), "
    f"list_filter({_KEYS}, k -> k = trim(k))), k -> json_object(trim(k), json_extract(tags, {_POINTER}))), "
    "(a, b) -> json_merge_patch(a, b))"
)
_TAGS = (
    f"CASE WHEN len(list_distinct({_KEYS})) < len({_KEYS}) OR len(list_filter({_KEYS}, k -> k <> trim(k))) > 0 "
    f"THEN {_TRIMMED} ELSE tags END"
)

_DAY = "date_trunc('day', date)"
_COMMON = {
    "x_SourceCost": "cost",
    "BillingCurrency": "currency",
    "BillingAccountId": "account",
    "BillingAccountName": "account_name",
    "SubAccountId": "subscription",
    "SubAccountName": "subscription_name",
    "BillingPeriodStart": "coalesce(period_start, date_trunc('month', date))",
    "BillingPeriodEnd": (  # the file names the last day
        "coalesce(date_trunc('day', period_end) + INTERVAL 1 DAY, "
        "coalesce(period_start, date_trunc('month', date)) + INTERVAL 1 MONTH)"
    ),
    "ChargePeriodStart": _DAY,
    "ChargePeriodEnd": f"{_DAY} + INTERVAL 1 DAY",
    "InvoiceId": "invoice",
    "InvoiceIssuerName": "coalesce(partner, 'Microsoft')",
    "ProviderName": "'Microsoft'",
    "ServiceProviderName": "'Microsoft'",
    "HostProviderName": "'Microsoft'",
    "PublisherName": "coalesce(publisher, 'Microsoft')",
    "ChargeCategory": (
        f"CASE WHEN {_CHARGE} = 'usage' OR {_IS_UNUSED} THEN 'Usage' WHEN {_CHARGE} IN ('purchase', 'refund') "
        f"THEN 'Purchase' WHEN {_CHARGE} = 'tax' THEN 'Tax' WHEN {_CHARGE} = 'credit' THEN 'Credit' "
        "ELSE 'Adjustment' END"
    ),
    "ChargeClass": "CASE WHEN corrected_invoice IS NOT NULL THEN 'Correction' END",
    "ChargeDescription": "coalesce(product, meter_name, charge_type)",
    "ChargeFrequency": (
        "CASE lower(frequency) WHEN 'onetime' THEN 'One-Time' WHEN 'recurring' THEN 'Recurring' "
        "WHEN 'usagebased' THEN 'Usage-Based' END"
    ),
    "PricingCategory": (
        f"CASE WHEN {_CHARGE} IN ('tax', 'credit') THEN NULL WHEN {_IS_COMMITTED} THEN 'Committed' "
        f"WHEN {_MODEL} = 'ondemand' THEN 'Standard' WHEN {_MODEL} = 'spot' THEN 'Dynamic' END"
    ),
    "PricingCurrency": "coalesce(pricing_currency, currency)",
    "ListUnitPrice": "nullif(payg_price, 0)",
    "ContractedUnitPrice": "nullif(unit_price, 0)",
    "ServiceName": services.SERVICE_NAME,
    "ServiceCategory": services.SERVICE_CATEGORY,
    "ServiceSubcategory": services.SERVICE_SUBCATEGORY,
    "SkuId": "coalesce(product_id, meter_id)",
    "SkuMeter": "meter_name",
    "ResourceId": "CASE WHEN resource_id NOT LIKE '/%' THEN '/' ELSE '' END || lower(resource_id)",
    "ResourceName": "coalesce(resource_name, nullif(regexp_extract(resource_id, '([^/]+)/?$', 1), ''))",
    "ResourceType": services.RESOURCE_TYPE,
    "RegionId": "lower(replace(region, ' ', ''))",
    "RegionName": "region",
    "AvailabilityZone": "zone",
    "CommitmentDiscountId": f"CASE WHEN {_IS_COMMITTED} THEN {_COMMITMENT} END",
    "CommitmentDiscountName": f"CASE WHEN {_IS_COMMITTED} THEN coalesce(benefit_name, reservation_name) END",
    "CommitmentDiscountCategory": (
        f"CASE WHEN NOT {_IS_COMMITTED} THEN NULL WHEN {_COMMITMENT} LIKE '%/microsoft.billingbenefits/%' "
        f"OR {_MODEL} = 'savingsplan' THEN 'Spend' ELSE 'Usage' END"
    ),
    "CommitmentDiscountType": (
        f"CASE WHEN NOT {_IS_COMMITTED} THEN NULL WHEN {_COMMITMENT} LIKE '%/microsoft.billingbenefits/%' "
        f"OR {_MODEL} = 'savingsplan' THEN 'Savings Plan' ELSE 'Reservation' END"
    ),
    "CommitmentDiscountStatus": (
        f"CASE WHEN {_IS_UNUSED} THEN 'Unused' WHEN {_IS_COMMITTED} AND {_CHARGE} = 'usage' THEN 'Used' END"
    ),
    "Tags": _TAGS,
}  # fmt: skip

_QUANTITIES = {
    "PricingQuantity": "quantity",
    "PricingUnit": "unit",
    "ConsumedQuantity": f"CASE WHEN {_CHARGE} = 'usage' THEN quantity END",
    "ConsumedUnit": f"CASE WHEN {_CHARGE} = 'usage' THEN unit END",
}


def _mapping(name: str, costs: dict[str, str]) -> Mapping:
    return Mapping(
        name=name,
        version=1,
        inputs=INPUTS,
        columns=_COMMON | _QUANTITIES | costs,
        control={"cost": "x_SourceCost"},
        currency="currency",
        keeps=KEPT,
        days=("date",),
    )


ACTUAL = _mapping(
    "azure-actual",
    {
        "BilledCost": "cost",
        "EffectiveCost": "cost",
        "ListCost": f"CASE WHEN {_IS_COMMITTED} THEN cost ELSE {_LIST} END",
        "ContractedCost": f"CASE WHEN {_IS_COMMITTED} THEN cost ELSE {_CONTRACTED} END",
    },
)
"""Actual cost alone: cash is all that is known, so a commitment is effective when it is paid."""

AMORTISED = _mapping(
    "azure-amortised",
    {
        "BilledCost": f"CASE WHEN {_IS_COMMITTED} AND NOT {_IS_CASH} THEN 0 ELSE cost END",
        "EffectiveCost": f"CASE WHEN {_IS_CASH} THEN 0 ELSE cost END",
        "ListCost": f"CASE WHEN {_IS_CASH} THEN 0 ELSE {_LIST} END",
        "ContractedCost": f"CASE WHEN {_IS_CASH} THEN 0 ELSE {_CONTRACTED} END",
    },
)
"""Amortised cost: all that was used, and of what was billed everything but the commitments' price."""

ACTUAL_BESIDE = _mapping(
    "azure-actual-beside-amortised",
    {
        "BilledCost": f"CASE WHEN {_IS_CASH} THEN cost ELSE 0 END",
        "EffectiveCost": "0",
        "ListCost": "0",
        "ContractedCost": "0",
    }
    | {name: f"CASE WHEN {_IS_CASH} THEN ({expression}) END" for name, expression in _QUANTITIES.items()},
)
"""Actual cost whose usage the amortised export of the same period tells: only what commitments cost is added.

The other rows stay, at zero and without quantities, and say in `x_SourceCost` what the file says.
"""


def within(mapping: Mapping, first: date, last: date) -> Mapping:
    """The same for a run over these days: a row of another day that would be one of them, were its month written behind
    its day, refuses the file. A file that was saved so reads well where no day is above 12, in other months.

    Other days are read: usage arrives late, and days end elsewhere than in UTC.
    """
    as_written = "try_strptime({}, '%m/%d/%Y')"
    parts = ", ".join(f"{part}({as_written})" for part in ("year", "day", "month"))
    turned = f"CASE WHEN day({as_written}) <= 12 THEN make_date({parts}) END"
    inside = f"BETWEEN DATE '{first}' AND DATE '{last}'"
    is_odd = f"{as_written}::DATE NOT {inside} AND {turned} {inside}"
    stopped = f"error('not a day of the run of {first} to {last}; is the day written before the month?')"
    repair = f"CASE WHEN {is_odd} THEN {stopped} ELSE {{}} END"
    return replace(mapping, inputs={**mapping.inputs, "date": replace(INPUTS["date"], repair=repair)})


def _or_paid(column: str) -> str:
    """A cost that Azure leaves at 0 where it knows no price."""
    return f'coalesce(nullif("{column}", 0), nullif("ContractedCost", 0), "EffectiveCost")'


FOCUS = replace(
    focus.MAPPING,
    name="azure-focus",
    columns={**focus.MAPPING.columns}
    | {"ListCost": _or_paid("ListCost"), "ContractedCost": _or_paid("ContractedCost"), "x_SourceCost": '"BilledCost"'},
)
"""Azure's FOCUS export: list and contracted cost are 0 for reservations and the marketplace."""
