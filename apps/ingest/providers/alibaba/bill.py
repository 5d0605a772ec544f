"""Alibaba Cloud's bill of instances and billing items: headers of every generation, and one mapping for all of them.

List price (目录总价) is ListCost, after discounts (优惠后金额) ContractedCost, and what is due (应付金额), after
coupons and what a commitment covers, BilledCost. How it was paid (代金券, 储值卡, 现金) is settlement and changes no
cost. Amounts of the China site include tax.
"""

from apps.ingest.bill.mapping import Gather, Input, Mapping, Told
from apps.ingest.providers.alibaba.words import REGION_ID, SERVICE_CATEGORY, SERVICE_NAME, TAGS, UNIT
from apps.ingest.providers.china import PLAIN_ID, ZONE, issued_by

MONTH_FORMATS = ("%Y-%m", "%Y%m")
DAY_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S")
AMORTISED, DEDUCTED = "amortised", "deducted"
"""What the release of a bill says when amortised cost, or deduct logs of savings plans, lie beside it."""
_PLAIN_NUMBER = "CASE WHEN regexp_full_match({}, '[0-9]{1,6}(\\.[0-9]{1,8}0*)?') THEN {} END"
"""A list price in tiers is a sentence."""

KINDS = r".*(PayAsYouGo|Subscription|Refund|Adjustment|Tax|按量|后付|订阅|预付|包年包月|退|调账|调整|税).*"

MONEY_INPUTS: dict[str, Input | Gather | Told] = {
    "list": Input(("目录总价", "原价", "费用信息/目录总价", "PretaxGrossAmount"), "money"),
    "discount": Input(("优惠金额", "优惠信息/优惠金额", "InvoiceDiscount"), "money"),
    "after_discount": Input(("优惠后金额", "优惠信息/优惠后金额", "AfterDiscountAmount"), "money"),
    "covered": Input(("节省计划抵扣目录总价", "订阅抵扣信息/订阅抵扣目录总价", "SavingsPlanDeductGross"), "money"),
    "payable": Input(("应付金额", "应付信息/应付金额（含税）", "PretaxAmount"), "money", required=True),
}

ACCOUNT_INPUTS = {
    "account": Input(
        ("资源购买账号ID", "账号ID", "身份信息/资源购买账号ID", "AccountID", "BillAccountID"),
        required=True,
        repair=PLAIN_ID,
    ),
    "account_name": Input(("资源购买账号", "账号", "身份信息/资源购买账号", "AccountName", "BillAccountName")),
    "owner": Input(
        ("资源归属账号ID", "Owner账号ID", "身份信息/资源归属账号ID", "OwnerID", "BillOwnerID"), repair=PLAIN_ID
    ),
    "owner_name": Input(("资源归属账号", "身份信息/资源归属账号", "OwnerName", "BillOwnerName")),
}

PRODUCT_INPUTS = {
    "product_code": Input(("产品Code", "产品信息/产品Code", "ProductCode", "Product Code")),
    "product": Input(("产品名称", "产品", "产品信息/产品名称", "ProductName")),
    "commodity": Input(("商品Code", "产品明细Code", "产品信息/商品Code", "CommodityCode", "ProductDetailCode")),
    "detail": Input(("商品名称", "产品明细", "产品信息/商品名称", "ProductDetail")),
}

PLACE_INPUTS = {
    "region_id": Input(("资源信息/地域Code", "地域Code", "RegionId")),
    "region": Input(("地域", "资源信息/地域", "Region")),
    "availability_zone": Input(("可用区", "资源信息/可用区", "Zone")),
    "tags": Input(("实例标签", "标签", "资源信息/标签", "资源信息/实例标签", "Tag")),
}

_INPUTS = {
    "release": Told("release"),
    "path": Told("path"),
    **ACCOUNT_INPUTS,
    **PRODUCT_INPUTS,
    **PLACE_INPUTS,
    **MONEY_INPUTS,
    "month": Input(
        ("账单月份", "账期", "账单信息/账单月份", "BillingCycle"),
        "time",
        required=True,
        formats=MONTH_FORMATS,
        zone=ZONE,
    ),
    "day": Input(("账单日期", "账单信息/账单日期", "BillingDate"), "time", formats=DAY_FORMATS, zone=ZONE),
    "used_from": Input(
        ("账单开始时间", "消费时间", "账单信息/服务开始时间", "Usage Start Time"),
        "time",
        formats=DAY_FORMATS,
        zone=ZONE,
    ),
    "used_to": Input(
        ("账单结束时间", "账单信息/服务结束时间", "Usage End Time"), "time", formats=DAY_FORMATS, zone=ZONE
    ),
    "item": Input(("费用类型", "账单类型", "账单信息/费用类型", "Item"), required=True, pattern=KINDS),
    "trade": Input(("交易类型", "账单信息/交易类型")),
    "paying": Input(("消费类型", "SubscriptionType", "Subscription Type")),
    "meter_code": Input(("计费项Code", "产品信息/计费项Code", "BillingItemCode")),
    "meter": Input(("计费项", "产品信息/计费项名称", "BillingItem", "Billing Item")),
    "instance": Input(("资产/资源实例ID", "实例ID", "资源信息/实例ID（出账粒度）", "InstanceID", "Instance ID")),
    "resource": Input(("资源信息/资源ID", "资源ID")),
    "name": Input(("资产/资源实例名称", "实例名称", "资源信息/资源名称", "NickName")),
    "spec": Input(("资源实例规格", "实例规格", "产品信息/规格", "InstanceSpec")),
    "used": Input(("用量", "用量信息/用量", "Usage"), "money"),
    "used_before": Input(("用量信息/抵扣前用量",), "money"),
    "unit": Input(("用量单位", "用量信息/用量单位", "UsageUnit")),
    "price": Input(
        ("目录价", "单价", "官网目录价", "定价信息/官网目录价", "ListPrice", "List Price"),
        "money",
        repair=_PLAIN_NUMBER,
    ),
    "currency": Input(("币种", "定价币种", "定价信息/定价币种", "Currency"), required=True),
}

NEXT_MONTH = """("month" + INTERVAL 8 HOUR + INTERVAL 1 MONTH - INTERVAL 8 HOUR)"""
"""A month in China begins at 16:00 UTC on the evening before; there is no summer time."""

_KIND = 'concat_ws(\' \', "item", "trade")'
_IS_REFUND = f"regexp_matches({_KIND}, 'Refund|退')"
_IS_ADJUSTMENT = f"regexp_matches({_KIND}, 'Adjustment|调账|调整')"
_IS_TAX = "regexp_matches(\"item\", 'Tax|税') AND NOT contains(\"item\", '含税')"
_IS_PURCHASE = (
    "regexp_matches(\"item\", 'Subscription|订阅|预付|包年包月') OR ("
    "NOT regexp_matches(\"item\", 'PayAsYouGo|按量|后付') AND "
    "coalesce(\"paying\" IN ('Subscription', '预付费', '包年包月'), "
    "regexp_matches(concat_ws(' ', \"detail\", \"trade\"), '包年包月|预付|节省计划|资源包|预留实例券|退订')))"
)
_CATEGORY = (
    f"CASE WHEN {_IS_ADJUSTMENT} THEN 'Adjustment' WHEN {_IS_TAX} THEN 'Tax' "
    f"WHEN {_IS_PURCHASE} THEN 'Purchase' ELSE 'Usage' END"
)
IS_PLAN = "coalesce(regexp_matches(lower(concat_ws(' ', \"product_code\", \"commodity\")), 'savings?_?plan'), false)"
IS_RESERVED = "coalesce(regexp_matches(lower(\"commodity\"), '^ecsri|reserved'), false)"
_IS_SPOT = "coalesce(regexp_matches(concat_ws(' ', \"detail\", \"meter\"), '抢占式|[Ss]pot'), false)"
_START = f"""CASE WHEN {_CATEGORY} = 'Usage' AND "used_to" > "used_from" THEN "used_from"
    ELSE coalesce("day", "used_from", "month") END"""
_END = f"""CASE WHEN {_CATEGORY} = 'Usage' AND "used_to" > "used_from" THEN "used_to"
    WHEN "day" IS NOT NULL THEN "day" + INTERVAL 1 DAY
    WHEN "used_from" IS NOT NULL THEN "used_from" + INTERVAL 1 HOUR ELSE {NEXT_MONTH} END"""
# The amortised rows beside the bill are the effective cost of what was paid in advance; without them it counts when
# it is paid. A savings plan's is what its deduct log and its usage detail say.
_EFFECTIVE = f"""CASE WHEN {IS_PLAN} AND contains("release", '{DEDUCTED}') THEN 0
    WHEN ({_CATEGORY}) = 'Purchase' AND contains("release", '{AMORTISED}') THEN 0 ELSE "payable" END"""
_RESOURCE = """CASE WHEN regexp_matches("instance", '^(i|eci|d)-') THEN split_part("instance", ';', 1)
    ELSE coalesce("resource", "instance") END"""
_PRICE = """CASE WHEN round(TRY_CAST("used" AS DECIMAL(18,6)) * TRY_CAST("price" AS DECIMAL(18,8)), 2)::DECIMAL(38,2)
    = round("list", 2)::DECIMAL(38,2) THEN "price" END"""
"""Only where it is the price of the unit: tiers, and units such as GB for GB-hours, are told otherwise."""

ISSUER_COLUMNS = issued_by("Alibaba Cloud")
ACCOUNT_COLUMNS = {
    "BillingAccountId": '"account"',
    "BillingAccountName": '"account_name"',
    "BillingAccountType": "'Account'",
    "SubAccountId": 'coalesce("owner", "account")',
    "SubAccountName": '"owner_name"',
    "SubAccountType": "'Account'",
}
PERIOD_COLUMNS = {"BillingPeriodStart": '"month"', "BillingPeriodEnd": NEXT_MONTH}
SERVICE_COLUMNS = {"ServiceName": SERVICE_NAME, "ServiceCategory": SERVICE_CATEGORY}
PLACE_COLUMNS = {
    "RegionId": REGION_ID,
    "RegionName": '"region"',
    "AvailabilityZone": '"availability_zone"',
    "Tags": TAGS,
}
COMMITMENT_COLUMNS = {
    "CommitmentDiscountId": f'CASE WHEN {IS_PLAN} OR {IS_RESERVED} THEN "instance" END',
    "CommitmentDiscountCategory": f"CASE WHEN {IS_PLAN} THEN 'Spend' WHEN {IS_RESERVED} THEN 'Usage' END",
    "CommitmentDiscountType": (
        f"CASE WHEN {IS_PLAN} THEN 'Savings Plan' WHEN {IS_RESERVED} THEN 'Reserved Instance' END"
    ),
}


def resource_type(resource: str) -> str:
    """SQL for what kind of thing an id names: by its prefix, else its service."""
    return (
        f"CASE WHEN {resource} LIKE 'i-%' THEN 'Instance' WHEN {resource} LIKE 'eci-%' THEN 'Container Group' "
        f"WHEN {resource} LIKE 'd-%' THEN 'Disk' WHEN {resource} IS NOT NULL THEN {SERVICE_NAME} END"
    )


BILL = Mapping(
    name="alibaba bill",
    version=1,
    inputs=_INPUTS,
    columns={
        **ISSUER_COLUMNS,
        **ACCOUNT_COLUMNS,
        **PERIOD_COLUMNS,
        **SERVICE_COLUMNS,
        **PLACE_COLUMNS,
        **COMMITMENT_COLUMNS,
        "ChargePeriodStart": _START,
        "ChargePeriodEnd": _END,
        "ChargeCategory": _CATEGORY,
        "ChargeClass": f"""CASE WHEN ({_IS_REFUND}) AND "used_from" < "month" THEN 'Correction' END""",
        "ChargeFrequency": f"CASE WHEN ({_CATEGORY}) = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END",
        "ChargeDescription": 'concat_ws(\' / \', "detail", "meter", "trade")',
        "BilledCost": '"payable"',
        "EffectiveCost": _EFFECTIVE,
        "ListCost": '"list"',
        "ContractedCost": 'coalesce("after_discount", "list" - "discount")',
        "ListUnitPrice": _PRICE,
        "PricingCategory": f"""CASE WHEN ({_CATEGORY}) NOT IN ('Usage', 'Purchase') THEN NULL
            WHEN {_IS_SPOT} THEN 'Dynamic' WHEN "covered" > 0 AND "payable" = 0 THEN 'Committed' ELSE 'Standard' END""",
        "PricingQuantity": '"used"',
        "PricingUnit": f'CASE WHEN "used" IS NOT NULL THEN {UNIT} END',
        "PricingCurrency": '"currency"',
        "BillingCurrency": '"currency"',
        "ConsumedQuantity": f"""CASE WHEN ({_CATEGORY}) = 'Usage' THEN coalesce("used_before", "used") END""",
        "ConsumedUnit": f"""CASE WHEN ({_CATEGORY}) = 'Usage' AND coalesce("used_before", "used") IS NOT NULL
            THEN {UNIT} END""",
        "SkuId": "nullif(concat_ws(':', \"commodity\", \"meter_code\"), '')",
        "SkuMeter": 'coalesce("meter", "meter_code")',
        "SkuPriceDetails": 'CASE WHEN "spec" IS NOT NULL THEN json_object(\'InstanceType\', "spec")::VARCHAR END',
        "ResourceId": _RESOURCE,
        "ResourceName": '"name"',
        "ResourceType": resource_type(f"({_RESOURCE})"),
        "x_SourceCost": '"payable"',
    },
    control={"payable": "x_SourceCost", "list": "ListCost"},
    currency="currency",
    keeps="all",
    days=("day", "used_to"),
)
