"""Cost and Usage Reports, legacy and 2.0, as FOCUS charges.

One mapping reads `lineItem/UsageAccountId`, as CSV has it, and `line_item_usage_account_id`, as Parquet and CUR 2.0 do.
Source: "Cost and Usage Report data dictionary" and "Understanding your amortized data" of the AWS user guide; the rules
by line type agree with the FinOps Foundation's focus_converters, except where `docs/providers/aws.md` says so.
"""

import re

from apps.ingest.bill.mapping import Gather, Input, Kind, Mapping
from apps.ingest.providers.aws.services import category


def _named(
    category: str,
    name: str,
    kind: Kind = "text",
    *,
    required: bool = False,
    also: tuple[str, ...] = (),
    repair: str = "",
) -> Input:
    """A column in both spellings: `savingsPlan/SavingsPlanARN` and `savings_plan_savings_plan_a_r_n`."""
    snake = f"{_snake(category)}_{_snake(name)}"
    return Input((f"{category}/{name}", snake, *also), kind, required=required, repair=repair)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_INPUTS: dict[str, Input | Gather] = {
    "payer": _named("bill", "PayerAccountId", required=True),
    "payer_name": _named("bill", "PayerAccountName"),
    "bill_type": _named("bill", "BillType"),
    "invoice": _named("bill", "InvoiceId"),
    "invoicing_entity": _named("bill", "InvoicingEntity"),
    "billing_entity": _named("bill", "BillingEntity"),
    "period_start": _named("bill", "BillingPeriodStartDate", "time", required=True),
    "period_end": _named("bill", "BillingPeriodEndDate", "time", required=True),
    "account": _named("lineItem", "UsageAccountId"),
    "account_name": _named("lineItem", "UsageAccountName"),
    "line_type": _named("lineItem", "LineItemType", required=True),
    "usage_start": _named("lineItem", "UsageStartDate", "time", required=True),
    "usage_end": _named("lineItem", "UsageEndDate", "time", required=True),
    "code": _named("lineItem", "ProductCode"),
    "usage_type": _named("lineItem", "UsageType"),
    "zone": _named("lineItem", "AvailabilityZone"),
    "resource": _named("lineItem", "ResourceId"),
    "usage": _named("lineItem", "UsageAmount", "money"),
    "normalized": _named("lineItem", "NormalizedUsageAmount", "money"),
    "currency": _named("lineItem", "CurrencyCode", required=True),
    "description": _named("lineItem", "LineItemDescription"),
    "legal_entity": _named("lineItem", "LegalEntity"),
    "unblended": _named("lineItem", "UnblendedCost", "money", required=True),
    "net": _named("lineItem", "NetUnblendedCost", "money"),
    "public_cost": _named("pricing", "publicOnDemandCost", "money"),
    "public_rate": _named("pricing", "publicOnDemandRate", "money"),
    "rate_code": _named("pricing", "RateCode"),
    "unit": _named("pricing", "unit"),
    "product_name": _named("product", "ProductName"),
    "nested_product_name": Input(("product",), key="product_name"),
    "instance_type": _named("product", "instanceType"),
    "sku": _named("product", "sku"),
    "region": _named("product", "regionCode", also=("product/region", "product_region")),
    "location": _named("product", "location"),
    "ri_arn": _named("reservation", "ReservationARN"),
    "ri_cost": _named("reservation", "EffectiveCost", "money"),
    "ri_net_cost": _named("reservation", "NetEffectiveCost", "money"),
    "ri_unused_upfront": _named("reservation", "UnusedAmortizedUpfrontFeeForBillingPeriod", "money"),
    "ri_net_unused_upfront": _named("reservation", "NetUnusedAmortizedUpfrontFeeForBillingPeriod", "money"),
    "ri_unused_fee": _named("reservation", "UnusedRecurringFee", "money"),
    "ri_net_unused_fee": _named("reservation", "NetUnusedRecurringFee", "money"),
    "sp_arn": _named("savingsPlan", "SavingsPlanARN", also=("savingsPlan/SavingsPlanArn",)),
    # Generated sample reports write `None` here.
    "sp_cost": _named("savingsPlan", "SavingsPlanEffectiveCost", "money", repair="nullif({}, 'None')"),
    "sp_net_cost": _named("savingsPlan", "NetSavingsPlanEffectiveCost", "money"),
    "sp_total": _named("savingsPlan", "TotalCommitmentToDate", "money"),
    "sp_used": _named("savingsPlan", "UsedCommitment", "money"),
    "sp_payment": _named("savingsPlan", "PaymentOption"),
    "ri_payment": _named("pricing", "PurchaseOption"),
    "split_parent": _named("splitLineItem", "ParentResourceId"),
    "tags": Gather(
        {
            "resourceTags/user:": "",
            "resourceTags/aws:": "aws:",
            "resource_tags_user_": "",
            "resource_tags_aws_": "aws:",
        }
    ),
    "nested_tags": Input(("resource_tags",), "json", repair="json({})"),  # compact
}

_USED = "line_type IN ('DiscountedUsage', 'SavingsPlanCoveredUsage')"
_IS_USAGE = "line_type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')"
_IS_RECURRING = "line_type IN ('RIFee', 'SavingsPlanRecurringFee')"
_IS_FEE = "line_type IN ('Fee', 'RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee')"
_IS_CONSUMED = f"split_parent IS NULL AND {_IS_USAGE}"
_IS_PRICED = f"split_parent IS NULL AND ({_IS_USAGE} OR {_IS_FEE})"
_IS_DISCOUNT = "line_type LIKE '%Discount'"

_COST = "coalesce(net, unblended)"
_BILLED = f"CASE WHEN line_type IN ('SavingsPlanCoveredUsage', 'SavingsPlanNegation') THEN 0 ELSE {_COST} END"
_RI_COST = f"coalesce(ri_net_cost, ri_cost, {_COST})"
_RI_UNUSED = (
    "CASE WHEN coalesce(ri_unused_upfront, ri_unused_fee, ri_net_unused_upfront, ri_net_unused_fee) IS NULL "
    f"THEN {_COST} ELSE coalesce(ri_net_unused_upfront, ri_unused_upfront, 0) "
    "+ coalesce(ri_net_unused_fee, ri_unused_fee, 0) END"
)
_COMMITMENT = "CASE WHEN line_type <> 'Usage' THEN coalesce(sp_arn, ri_arn) END"
# What was paid upfront was no effective cost, so its return is none; a recurring fee that is paid back was one. The
# payment option tells, and where only a part is paid upfront the words that AWS writes of such a fee.
_IS_UPFRONT = (
    "regexp_matches(concat_ws(' ', sp_payment, ri_payment, usage_type), '(?i)all ?upfront') "
    "OR regexp_matches(coalesce(description, ''), '(?i)one-time fee|upfront fee|sign ?up charge')"
)
_IS_RETURNED = f"line_type = 'Refund' AND {_COMMITMENT} IS NOT NULL AND ({_IS_UPFRONT})"
# A row of split cost allocation repeats a part of its parent for information: nothing but its own cost counts, and
# none of its quantities.
_EFFECTIVE = (
    f"CASE WHEN line_type = 'Usage' OR split_parent IS NOT NULL THEN {_COST} "
    f"WHEN line_type = 'SavingsPlanCoveredUsage' THEN coalesce(sp_net_cost, sp_cost, {_COST}) "
    f"WHEN line_type = 'DiscountedUsage' THEN {_RI_COST} "
    f"WHEN line_type = 'SavingsPlanRecurringFee' THEN coalesce(sp_total - sp_used, {_COST}) "
    f"WHEN line_type = 'RIFee' THEN {_RI_UNUSED} "
    "WHEN line_type IN ('SavingsPlanNegation', 'SavingsPlanUpfrontFee') THEN 0 "
    f"WHEN {_IS_RETURNED} THEN 0 "
    f"WHEN line_type = 'Fee' AND ri_arn IS NOT NULL THEN 0 ELSE {_COST} END"
)
_PUBLIC = (
    f"CASE WHEN public_cost <> 0 THEN public_cost WHEN line_type = 'DiscountedUsage' THEN {_RI_COST} ELSE unblended END"
)
_LIST = (
    f"CASE WHEN split_parent IS NOT NULL THEN unblended WHEN {_IS_USAGE} THEN {_PUBLIC} "
    f"WHEN line_type = 'SavingsPlanNegation' OR {_IS_DISCOUNT} THEN 0 ELSE unblended END"
)
_CONTRACTED = (
    f"CASE WHEN split_parent IS NOT NULL THEN {_COST} WHEN line_type = 'DiscountedUsage' THEN {_PUBLIC} "
    f"WHEN line_type = 'SavingsPlanNegation' THEN 0 ELSE {_COST} END"
)

_BY_PLAN = "line_type <> 'Usage' AND sp_arn IS NOT NULL"
_BY_RESERVATION = "line_type <> 'Usage' AND ri_arn IS NOT NULL"
_CATEGORY = (
    f"CASE WHEN {_IS_USAGE} OR line_type = 'SavingsPlanNegation' THEN 'Usage' WHEN {_IS_FEE} THEN 'Purchase' "
    "WHEN line_type IN ('Tax', 'Credit') THEN line_type "
    f"WHEN line_type = 'Refund' THEN CASE WHEN {_COMMITMENT} IS NULL THEN 'Usage' ELSE 'Purchase' END "
    "ELSE 'Adjustment' END"
)
_UNITS = {
    "Hrs": "Hours", "hours": "Hours", "Hour": "Hours", "GB-Mo": "GB-Months", "GB-month": "GB-Months",
    "GB-Month": "GB-Months", "GB-Hrs": "GB-Hours", "vCPU-Hours": "vCPU-Hours", "Request": "Requests",
    "LCU-Hrs": "LCU-Hours", "ACU-Hr": "ACU-Hours", "IOPS-Mo": "IOPS-Months", "Quantity": "Units",
}  # fmt: skip
_SPELLED = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in _UNITS.items())
_UNIT = f"CASE unit {_SPELLED} ELSE unit END"


def _renamed(text: str, prefix: str, put: str) -> str:
    """Compact JSON with another prefix of its keys: a quote behind a brace or a comma only ever begins a key."""
    return f"""replace(replace({text}, '{{"{prefix}', '{{"{put}'), ',"{prefix}', ',"{put}')"""


def _renamed_if_any(text: str, prefix: str, put: str) -> str:
    """The same, at little cost where no key has the prefix."""
    return f"""CASE WHEN contains({text}, '"{prefix}') THEN {_renamed(text, prefix, put)} ELSE {text} END"""


# CUR 2.0 spells the prefix `user_`, others `user:`; FOCUS keeps only the provider's own.
_USER_TAGS = _renamed_if_any(_renamed("nested_tags", "user_", ""), "user:", "")
_TAGS = f"coalesce(tags, {_renamed_if_any(_USER_TAGS, 'aws_', 'aws:')})"

MAPPING = Mapping(
    name="aws_cur",
    version=3,
    inputs=_INPUTS,
    columns={
        "ProviderName": "'AWS'",
        "PublisherName": "coalesce(legal_entity, 'AWS')",
        "ServiceProviderName": "'AWS'",
        "HostProviderName": "'AWS'",
        "InvoiceIssuerName": "coalesce(invoicing_entity, 'AWS')",
        "InvoiceId": "invoice",
        "BillingAccountId": "payer",
        "BillingAccountName": "payer_name",
        "BillingAccountType": "'Payer Account'",
        "SubAccountId": "account",
        "SubAccountName": "account_name",
        "SubAccountType": "CASE WHEN account IS NOT NULL THEN 'Linked Account' END",
        "BillingPeriodStart": "period_start",
        "BillingPeriodEnd": "period_end",
        "ChargePeriodStart": "usage_start",
        "ChargePeriodEnd": "usage_end",
        "ChargeCategory": _CATEGORY,
        "ChargeClass": (
            "CASE WHEN line_type = 'Refund' AND (bill_type = 'Refund' OR usage_start < period_start) "
            "THEN 'Correction' END"
        ),
        "ChargeDescription": "description",
        "ChargeFrequency": (
            f"CASE WHEN {_IS_USAGE} THEN 'Usage-Based' WHEN {_IS_RECURRING} THEN 'Recurring' ELSE 'One-Time' END"
        ),
        "BilledCost": _BILLED,
        "EffectiveCost": _EFFECTIVE,
        "ListCost": _LIST,
        "ContractedCost": _CONTRACTED,
        "ListUnitPrice": "public_rate",
        "PricingCategory": (
            f"CASE WHEN {_USED} THEN 'Committed' WHEN line_type = 'Usage' AND contains(usage_type, 'SpotUsage') "
            f"THEN 'Dynamic' WHEN line_type = 'Usage' OR {_IS_FEE} THEN 'Standard' END"
        ),
        "PricingQuantity": f"CASE WHEN {_IS_PRICED} THEN usage END",
        "PricingUnit": f"CASE WHEN {_IS_PRICED} THEN {_UNIT} END",
        "PricingCurrency": "currency",
        "BillingCurrency": "currency",
        "ConsumedQuantity": f"CASE WHEN {_IS_CONSUMED} THEN usage END",
        "ConsumedUnit": f"CASE WHEN {_IS_CONSUMED} THEN {_UNIT} END",
        "ServiceName": "coalesce(product_name, nested_product_name, code, billing_entity, 'AWS')",
        "ServiceCategory": category("code"),
        "SkuId": "sku",
        "SkuMeter": "usage_type",
        "SkuPriceId": "rate_code",
        "SkuPriceDetails": "CASE WHEN instance_type IS NOT NULL THEN json_object('InstanceType', instance_type) END",
        "ResourceId": (
            f"CASE WHEN split_parent IS NOT NULL THEN split_parent WHEN resource IS NULL AND ({_IS_FEE}) "
            f"THEN {_COMMITMENT} ELSE resource END"
        ),
        "AllocatedResourceId": "CASE WHEN split_parent IS NOT NULL THEN resource END",
        "AllocatedMethodId": "CASE WHEN split_parent IS NOT NULL THEN 'aws-split-cost-allocation' END",
        "RegionId": "region",
        "RegionName": "location",
        "AvailabilityZone": "zone",
        "CommitmentDiscountId": _COMMITMENT,
        "CommitmentDiscountCategory": f"CASE WHEN {_BY_PLAN} THEN 'Spend' WHEN {_BY_RESERVATION} THEN 'Usage' END",
        "CommitmentDiscountType": (
            f"CASE WHEN {_BY_PLAN} THEN 'Savings Plan' WHEN {_BY_RESERVATION} THEN 'Reserved Instance' END"
        ),
        "CommitmentDiscountStatus": (
            f"CASE WHEN {_COMMITMENT} IS NULL THEN NULL WHEN {_USED} THEN 'Used' "
            f"WHEN {_IS_RECURRING} AND {_EFFECTIVE} <> 0 THEN 'Unused' END"
        ),
        "CommitmentDiscountQuantity": (
            "CASE WHEN split_parent IS NOT NULL THEN NULL WHEN line_type = 'SavingsPlanCoveredUsage' THEN sp_cost "
            "WHEN line_type = 'DiscountedUsage' THEN coalesce(normalized, usage) END"
        ),
        "CommitmentDiscountUnit": (
            "CASE WHEN split_parent IS NOT NULL THEN NULL WHEN line_type = 'SavingsPlanCoveredUsage' THEN currency "
            "WHEN line_type = 'DiscountedUsage' "
            "THEN CASE WHEN normalized IS NULL THEN 'Hours' ELSE 'Normalized Hours' END END"
        ),
        "Tags": _TAGS,
        "x_SourceCost": _COST,
    },
    control={("net", "unblended"): "x_SourceCost"},
    currency="currency",
    keeps=(
        "splitLineItem/*", "split_line_item_*", "costCategory/*", "cost_category", "cost_category_*",
        "capacity_reservation_*", "tags",
    ),
)  # fmt: skip
