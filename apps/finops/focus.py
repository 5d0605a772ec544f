"""The FOCUS dictionary: column ids, their types, and the same words in snake_case.

Source: FinOps Open Cost and Usage Specification 1.2, "Columns" (57 columns, in the order of the specification's
own sample), then the eight that 1.3 added, https://focus.finops.org. Our own columns carry the prefix `x_`
and come last.
"""

import re

MONEY = "decimal(38, 12)"
TIME = "timestamp('UTC', 6)"

COLUMNS: dict[str, str] = {
    "ProviderName": "string",
    "PublisherName": "string",
    "InvoiceIssuerName": "string",
    "InvoiceId": "string",
    "BillingAccountId": "string",
    "BillingAccountName": "string",
    "BillingAccountType": "string",
    "SubAccountId": "string",
    "SubAccountName": "string",
    "SubAccountType": "string",
    "BillingPeriodStart": TIME,
    "BillingPeriodEnd": TIME,
    "ChargePeriodStart": TIME,
    "ChargePeriodEnd": TIME,
    "ChargeCategory": "string",
    "ChargeClass": "string",
    "ChargeDescription": "string",
    "ChargeFrequency": "string",
    "BilledCost": MONEY,
    "EffectiveCost": MONEY,
    "ListCost": MONEY,
    "ContractedCost": MONEY,
    "ListUnitPrice": MONEY,
    "ContractedUnitPrice": MONEY,
    "PricingCategory": "string",
    "PricingQuantity": MONEY,
    "PricingUnit": "string",
    "PricingCurrency": "string",
    "PricingCurrencyContractedUnitPrice": MONEY,
    "PricingCurrencyEffectiveCost": MONEY,
    "PricingCurrencyListUnitPrice": MONEY,
    "BillingCurrency": "string",
    "ConsumedQuantity": MONEY,
    "ConsumedUnit": "string",
    "ServiceName": "string",
    "ServiceCategory": "string",
    "ServiceSubcategory": "string",
    "SkuId": "string",
    "SkuMeter": "string",
    "SkuPriceId": "string",
    "SkuPriceDetails": "string",
    "ResourceId": "string",
    "ResourceName": "string",
    "ResourceType": "string",
    "RegionId": "string",
    "RegionName": "string",
    "AvailabilityZone": "string",
    "CommitmentDiscountId": "string",
    "CommitmentDiscountName": "string",
    "CommitmentDiscountCategory": "string",
    "CommitmentDiscountType": "string",
    "CommitmentDiscountStatus": "string",
    "CommitmentDiscountQuantity": MONEY,
    "CommitmentDiscountUnit": "string",
    "CapacityReservationId": "string",
    "CapacityReservationStatus": "string",
    "Tags": "string",
    "ServiceProviderName": "string",
    "HostProviderName": "string",
    "AllocatedMethodId": "string",
    "AllocatedMethodDetails": "string",
    "AllocatedResourceId": "string",
    "AllocatedResourceName": "string",
    "AllocatedTags": "string",
    "ContractApplied": "string",
}
"""Column id → Ibis type. Quantities and unit prices share money's type: both are exact decimals in a bill."""

VERSION_1_2 = 57
"""How many of the columns, from the first, are those of FOCUS 1.2."""

REQUIRED = (
    "BilledCost",
    "EffectiveCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ServiceName",
)
"""Columns without which a charge cannot be attributed; a missing value in one of them refuses the file."""

JSON_COLUMNS = ("Tags", "SkuPriceDetails", "AllocatedTags", "AllocatedMethodDetails", "ContractApplied")

OWN_COLUMNS: dict[str, str] = {
    "x_ChargeDay": "date",
    "x_Row": "int64",
    "x_Rounded": "string",
    "x_Other": "string",
    "x_SourceCost": MONEY,
    "x_Mapping": "string",
    "x_SourceName": "string",
    "x_BillingMonth": "string",
    "x_FileId": "string",
}
"""Ours: the business day of the charge; its row in the file (1 = first below the header); the columns that had more
than twelve decimals, comma-separated; unknown columns as a JSON object; the amount as the provider's own file states
it, and the mapping that made this charge of it, where it did not come as FOCUS; the source; the billing month as the
provider names it (`2026-10`); the file."""

COST_METRICS = {
    "billed_cost": "BilledCost",
    "effective_cost": "EffectiveCost",
    "list_cost": "ListCost",
    "contracted_cost": "ContractedCost",
}
"""snake_case word → column id of the four cost bases."""


def snake_case(column: str) -> str:
    """The Python and JSON word of a column id: `BilledCost` → `billed_cost`, `x_ChargeDay` → `charge_day`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.removeprefix("x_")).lower()
