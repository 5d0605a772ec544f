"""How a row of Google Cloud's detailed billing export becomes a FOCUS charge.

`cost` is before credits; the invoice is `cost` plus all `credits`, which are negative. Rows are never changed: a later
row corrects an earlier one. Source: "Structure of Detailed data export", https://cloud.google.com/billing/docs.
"""

from dataclasses import replace

from apps.ingest.bill.mapping import Input, Kind, Mapping

PACIFIC = "America/Los_Angeles"
"""Google's invoice months begin at midnight there."""


def _input(name: str, *more: str, kind: Kind = "text", required: bool = False, repair: str = "") -> Input:
    """Nested fields are flattened with a dot, or with an underscore."""
    names = dict.fromkeys(spelled for one in (name, *more) for spelled in (one, one.replace(".", "_")))
    return Input(tuple(names), kind, required, repair=repair)


# Some exporters write lists as Python does: [{'key': 'foo', 'value': 'bar'}].
_AS_JSON = "CASE WHEN json_valid({}) THEN {} ELSE replace(replace({}, '''', '\"'), 'None', 'null') END"

# Numbers of JSON are read in binary, with seventeen digits; in quotes they stay as they are written.
_AS_WRITTEN = f"""regexp_replace({_AS_JSON}, '("amount"\\s*:\\s*)([-+.0-9eE]+)', '\\1"\\2"', 'g')"""
# Strictly: of another shape (one object, a list of numbers, another name of the amount) it would be read as nothing.
_AMOUNTS = f'from_json_strict({_AS_WRITTEN}, \'[{{"amount":"VARCHAR"}}]\')'
_NO_AMOUNT = "error('a credit without an amount')"
# Twenty-four decimals hold every amount as BigQuery writes it; the sum is rounded once, to twelve.
_EACH = f"list_transform({_AMOUNTS}, c -> coalesce(c.amount, {_NO_AMOUNT})::DECIMAL(38,24))"
_CREDIT = f"""CASE WHEN TRY_CAST({{}} AS DECIMAL(38,24)) IS NOT NULL THEN {{}}
    ELSE coalesce(list_sum({_EACH}), 0)::DECIMAL(38,24)::VARCHAR END"""

_PAIRS = f'from_json({_AS_JSON}, \'[{{"key":"VARCHAR","value":"VARCHAR"}}]\')'
# Of a key that stands twice the last one counts: Google lists inherited values first.
_LAST = (
    f"list_filter({_PAIRS}, (pair, nth) -> NOT list_contains(list_transform({_PAIRS}[nth + 1:], later -> later.key), "
    "pair.key))"
)
_OBJECT = (
    "CASE WHEN {} IS NULL THEN NULL ELSE "
    f"to_json(map_from_entries(list_transform({_LAST}, pair -> {{'k': pair.key, 'v': pair.value}})))::VARCHAR END"
)

INPUTS = {
    "cost": _input("cost", kind="money", required=True),
    "credit_types": _input("credits"),
    "credit": replace(_input("credits", kind="money", repair=_CREDIT), each="amount"),
    "list_cost": _input("cost_at_list", kind="money"),
    "currency": _input("currency", required=True),
    "invoice_month": Input(("invoice.month", "invoice_month"), "time", True, ("%Y%m",), PACIFIC),
    "start": _input("usage_start_time", kind="time", required=True),
    "end": _input("usage_end_time", kind="time", required=True),
    "account": _input("billing_account_id", required=True),
    "project": _input("project.id"),
    "project_name": _input("project.name"),
    "cost_type": _input("cost_type"),
    "service": _input("service.description", required=True),
    "sku": _input("sku.id"),
    "sku_name": _input("sku.description"),
    "region": _input("location.region"),
    "location": _input("location.location"),
    "zone": _input("location.zone"),
    "resource": _input("resource.name"),
    "global_name": _input("resource.global_name"),
    "usage": _input("usage.amount", kind="money"),
    "usage_unit": _input("usage.unit"),
    "pricing_usage": _input("usage.amount_in_pricing_units", kind="money"),
    "pricing_unit": _input("usage.pricing_unit"),
    "list_price": _input("price.list_price", kind="money"),
    "price": _input("price.effective_price", kind="money"),
    "seller": _input("seller_name"),
    "labels": _input("labels", kind="json", repair=_OBJECT),
    "resource_tags": _input("tags", kind="json", repair=_OBJECT),
    "project_labels": _input("project.labels", kind="json", repair=_OBJECT),
}

_NET = "(cost + coalesce(credit, 0))::DECIMAL(38,12)"
_PACIFIC_START = f"timezone('{PACIFIC}', timezone('UTC', invoice_month))"
_PACIFIC_USE = f"timezone('{PACIFIC}', timezone('UTC', start))"
_IS_COMMITMENT = "sku_name ILIKE 'commitment%'"
_KIND = "coalesce(lower(cost_type), 'regular')"

# Compute Engine's global names hold numbers, where Kubernetes says names: gce://project/zone/name.
_NUMBERED = "^(//compute\\.googleapis\\.com/.*/(?:instances|disks))/[0-9]+$"
_NAMED = (
    f"CASE WHEN resource IS NOT NULL AND regexp_full_match(global_name, '{_NUMBERED}') "
    f"THEN regexp_extract(global_name, '{_NUMBERED}', 1) || '/' || string_split(resource, '/')[-1] ELSE global_name END"
)
_OWNED = f"regexp_replace({_NAMED}, '^(//compute\\.googleapis\\.com/projects)/[0-9]+/', '\\1/' || project || '/')"
_RESOURCE_ID = f"coalesce(CASE WHEN project IS NULL THEN {_NAMED} ELSE {_OWNED} END, resource)"

_CATEGORIES = (
    ("AI and Machine Learning", "vertex|machine learning|natural language|translat|speech|vision|dialogflow|gemini"),
    ("Databases", "sql|spanner|bigtable|firestore|datastore|memorystore|alloydb"),
    ("Analytics", "bigquery|dataflow|dataproc|composer|looker|data fusion|dataplex"),
    ("Compute", "compute engine|kubernetes|cloud run|functions|app engine|batch|vmware|container"),
    ("Networking", "network|load balanc|cdn|dns|vpn|interconnect|armor|nat"),
    ("Storage", "storage|filestore|backup"),
    ("Integration", "pub/sub|scheduler|tasks|workflows|apigee|eventarc"),
    ("Developer Tools", "build|artifact|source repos|deploy"),
    ("Management and Governance", "logging|monitoring|trace|operations|support|stackdriver"),
    ("Identity", "identity|iam"),
    ("Security", "security|key management|secret|recaptcha"),
)
_CATEGORY = " ".join(
    f"WHEN regexp_matches(lower(service), '\\b({words})') THEN '{category}'" for category, words in _CATEGORIES
)

DETAILED = Mapping(
    name="gcp-detailed",
    version=2,
    inputs=INPUTS,
    columns={
        "x_SourceCost": "cost",
        "BilledCost": _NET,
        "EffectiveCost": _NET,
        "ListCost": "coalesce(list_cost, cost)",
        "ContractedCost": "cost",
        "BillingCurrency": "currency",
        "BillingAccountId": "account",
        "BillingPeriodStart": "invoice_month",
        "BillingPeriodEnd": f"timezone('UTC', timezone('{PACIFIC}', {_PACIFIC_START} + INTERVAL 1 MONTH))",
        "ChargePeriodStart": "start",
        "ChargePeriodEnd": '"end"',
        "SubAccountId": "project",
        "SubAccountName": "project_name",
        "ProviderName": "'Google Cloud'",
        "ServiceProviderName": "'Google Cloud'",
        "HostProviderName": "'Google Cloud'",
        "PublisherName": "coalesce(seller, 'Google Cloud')",
        "InvoiceIssuerName": "'Google Cloud'",
        "ChargeCategory": (
            f"CASE WHEN {_KIND} = 'tax' THEN 'Tax' WHEN {_KIND} <> 'regular' THEN 'Adjustment' "
            f"WHEN {_IS_COMMITMENT} THEN 'Purchase' ELSE 'Usage' END"
        ),
        "ChargeClass": (
            f"CASE WHEN {_KIND} = 'adjustment' AND {_PACIFIC_USE} < {_PACIFIC_START} THEN 'Correction' END"
        ),
        "ChargeDescription": "sku_name",
        "ChargeFrequency": f"CASE WHEN {_KIND} = 'regular' AND NOT coalesce({_IS_COMMITMENT}, false) "
        "THEN 'Usage-Based' END",
        "PricingCategory": (
            f"CASE WHEN {_KIND} = 'tax' THEN NULL WHEN {_IS_COMMITMENT} OR contains(credit_types, 'COMMITTED_USAGE') "
            "THEN 'Committed' WHEN sku_name ILIKE '%spot%' OR sku_name ILIKE '%preemptible%' THEN 'Dynamic' "
            "ELSE 'Standard' END"
        ),
        "PricingQuantity": "pricing_usage",
        "PricingUnit": "pricing_unit",
        "PricingCurrency": "currency",
        "ConsumedQuantity": "usage",
        "ConsumedUnit": "usage_unit",
        "ListUnitPrice": "list_price",
        "ContractedUnitPrice": "price",
        "ServiceName": "service",
        "ServiceCategory": f"CASE {_CATEGORY} ELSE 'Other' END",
        "SkuId": "sku",
        "SkuMeter": "sku_name",
        "ResourceId": _RESOURCE_ID,
        "ResourceName": "string_split(resource, '/')[-1]",
        "RegionId": "coalesce(region, location)",
        "RegionName": "coalesce(region, location)",
        "AvailabilityZone": "zone",
        "Tags": (
            "CASE WHEN coalesce(project_labels, resource_tags) IS NULL THEN labels ELSE json_merge_patch("
            "json_merge_patch(coalesce(project_labels, '{}'), coalesce(resource_tags, '{}')), "
            "coalesce(labels, '{}')) END"
        ),
    },
    control={"cost": "x_SourceCost"},
    added={"BilledCost": ("cost", "credit")},
    currency="currency",
    keeps=(
        "system_labels", "export_time", "location.country", "project.number", "project.ancestry_numbers",
        "adjustment_info", "adjustment_info.type", "adjustment_info.id", "transaction_type", "subscription.instance_id",
    ),
)  # fmt: skip
"""Every credit lowers billed and effective cost, be it for a commitment, sustained use, free tier or a promotion."""
