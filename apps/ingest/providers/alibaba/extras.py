"""What Alibaba Cloud delivers beside a bill: amortised cost, savings plans' deductions, and the bill overview.

None of them is cash. Amortised cost and deductions are the EffectiveCost of what the bill's purchases paid for, so the
purchases themselves have none then. Of the overview, only what is rounded off the whole bill (抹零) becomes a charge.
"""

from apps.ingest.bill.mapping import Input, Mapping, Told
from apps.ingest.providers.alibaba.bill import (
    ACCOUNT_COLUMNS,
    ACCOUNT_INPUTS,
    DAY_FORMATS,
    DEDUCTED,
    IS_PLAN,
    IS_RESERVED,
    ISSUER_COLUMNS,
    MONTH_FORMATS,
    NEXT_MONTH,
    PERIOD_COLUMNS,
    PLACE_COLUMNS,
    PLACE_INPUTS,
    PRODUCT_INPUTS,
    SERVICE_COLUMNS,
    resource_type,
)
from apps.ingest.providers.china import PLAIN_ID, ZONE

_CURRENCY = Input(("币种", "定价币种", "Currency"))
_BILLED_IN = "coalesce(\"currency\", 'CNY')"
"""These exports name no currency on the China site, where there is one; an international account adds a column."""
_NOTHING = {"BilledCost": "0", "ListCost": "0", "ContractedCost": "0"}
_BY_USE = {"ChargeCategory": "'Usage'", "ChargeFrequency": "'Usage-Based'", "PricingCategory": "'Committed'"}
_HOURS = ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H", "%Y-%m-%d %H:%M", *DAY_FORMATS)

_BY_USE_OR_ADVANCE = r"(?i).*(PayAsYouGo|Pay-As-You-Go|Subscription|按量|后付|预付|包年|包月|订阅).*"
_PAID_BY_USE = "regexp_matches(\"paying\", '(?i)PayAsYouGo|Pay-As-You-Go|按量|后付')"
"""Amortised cost tells what is paid by use as well, which is the effective cost of the bill's own rows."""

AMORTISED_COST = Mapping(
    name="alibaba amortised",
    version=2,
    inputs={
        "release": Told("release"),
        **ACCOUNT_INPUTS,
        **PRODUCT_INPUTS,
        **PLACE_INPUTS,
        "month": Input(("摊销月份", "AmortizationPeriod"), "time", required=True, formats=MONTH_FORMATS, zone=ZONE),
        "day": Input(("摊销日期", "AmortizationPeriodDay"), "time", formats=DAY_FORMATS, zone=ZONE),
        "amortised": Input(
            ("当期摊销应付金额", "本期摊销应付金额", "CurrentAmortizationPretaxAmount"), "money", required=True
        ),
        "paying": Input(
            ("消费类型", "订阅类型", "SubscriptionType", "Subscription Type"), required=True, pattern=_BY_USE_OR_ADVANCE
        ),
        "instance": Input(("实例ID", "资产/资源实例ID", "InstanceID")),
        "currency": _CURRENCY,
    },
    columns={
        **ISSUER_COLUMNS,
        **ACCOUNT_COLUMNS,
        **PERIOD_COLUMNS,
        **SERVICE_COLUMNS,
        **PLACE_COLUMNS,
        **_BY_USE,
        **_NOTHING,
        "PricingCategory": f"CASE WHEN {IS_PLAN} OR {IS_RESERVED} THEN 'Committed' ELSE 'Standard' END",
        "ChargePeriodStart": 'coalesce("day", "month")',
        "ChargePeriodEnd": f'coalesce("day" + INTERVAL 1 DAY, {NEXT_MONTH})',
        "ChargeDescription": "concat_ws(' / ', \"detail\", '摊销')",
        "EffectiveCost": f"""CASE WHEN {_PAID_BY_USE} OR ({IS_PLAN} AND contains("release", '{DEDUCTED}')) THEN 0
            ELSE "amortised" END""",
        "BillingCurrency": _BILLED_IN,
        "SkuId": '"commodity"',
        "ResourceId": "split_part(\"instance\", ';', 1)",
        "ResourceType": resource_type('"instance"'),
        "CommitmentDiscountId": f'CASE WHEN {IS_PLAN} OR {IS_RESERVED} THEN "instance" END',
        "x_SourceCost": '"amortised"',
    },
    control={"amortised": "x_SourceCost"},
    keeps="all",
    days=("day",),
)

_PLAN_INPUTS = {
    "account": Input(("资源购买账号ID", "账号ID", "UserId", "AccountID"), required=True, repair=PLAIN_ID),
    "owner": Input(("资源归属账号ID", "OwnerId"), repair=PLAIN_ID),
    "plan": Input(("节省计划ID", "节省计划实例ID", "InstanceId", "InstanceID"), required=True),
    "currency": _CURRENCY,
}
_PLAN_COLUMNS = {
    **ISSUER_COLUMNS,
    "BillingAccountId": '"account"',
    "BillingAccountType": "'Account'",
    "SubAccountId": 'coalesce("owner", "account")',
    "SubAccountType": "'Account'",
    "BillingPeriodStart": "date_trunc('month', \"begin\" + INTERVAL 8 HOUR) - INTERVAL 8 HOUR",
    "BillingPeriodEnd": "date_trunc('month', \"begin\" + INTERVAL 8 HOUR) + INTERVAL 1 MONTH - INTERVAL 8 HOUR",
    "ChargePeriodStart": '"begin"',
    "ChargePeriodEnd": 'coalesce("end", "begin" + INTERVAL 1 HOUR)',
    **_NOTHING,
    **_BY_USE,
    "BillingCurrency": _BILLED_IN,
    "CommitmentDiscountId": '"plan"',
    "CommitmentDiscountCategory": "'Spend'",
    "CommitmentDiscountType": "'Savings Plan'",
}

PLAN_DEDUCTIONS = Mapping(
    name="alibaba savings plan deductions",
    version=1,
    inputs={
        **_PLAN_INPUTS,
        "begin": Input(("开始时间", "抵扣开始时间", "StartTime"), "time", required=True, formats=_HOURS, zone=ZONE),
        "end": Input(("结束时间", "抵扣结束时间", "EndTime"), "time", formats=_HOURS, zone=ZONE),
        "fee": Input(("抵扣金额", "DeductFee"), "money", required=True),
        "instance": Input(("被抵扣实例ID", "抵扣实例ID", "DeductInstanceId")),
        "product_code": Input(("抵扣商品Code", "抵扣商品", "DeductCommodity")),
        "product": Input(("抵扣商品名称",)),
        "commodity": Input(("商品Code",)),
        "region": Input(("地域", "Region")),
        "meter": Input(("计费项", "BillModule")),
    },
    columns={
        **_PLAN_COLUMNS,
        **SERVICE_COLUMNS,
        "EffectiveCost": '"fee"',
        "ChargeDescription": "concat_ws(' / ', \"meter\", '节省计划抵扣')",
        "SkuMeter": '"meter"',
        "RegionName": '"region"',
        "ResourceId": "split_part(\"instance\", ';', 1)",
        "ResourceType": resource_type('"instance"'),
        "CommitmentDiscountStatus": "'Used'",
        "CommitmentDiscountQuantity": '"fee"',
        "CommitmentDiscountUnit": _BILLED_IN,
        "x_SourceCost": '"fee"',
    },
    control={"fee": "x_SourceCost"},
    keeps="all",
)

PLAN_USE = Mapping(
    name="alibaba savings plan use",
    version=1,
    inputs={
        **_PLAN_INPUTS,
        "begin": Input(("开始时间", "StartPeriod"), "time", required=True, formats=_HOURS, zone=ZONE),
        "end": Input(("结束时间", "EndPeriod"), "time", formats=_HOURS, zone=ZONE),
        "pool": Input(("承诺金额", "PoolValue"), "money", required=True),
        "deducted": Input(("抵扣金额", "DeductValue"), "money", required=True),
    },
    columns={
        **_PLAN_COLUMNS,
        "ServiceName": "'Savings Plan'",
        "ServiceCategory": "'Compute'",
        "EffectiveCost": '"pool" - "deducted"',
        "ChargeDescription": "'节省计划 / 未使用'",
        "ResourceId": '"plan"',
        "ResourceType": "'Savings Plan'",
        "CommitmentDiscountStatus": "'Unused'",
        "CommitmentDiscountQuantity": '"pool" - "deducted"',
        "CommitmentDiscountUnit": _BILLED_IN,
        "x_SourceCost": '"pool"',
    },
    control={"pool": "x_SourceCost"},
    keeps="all",
)

# The overview is known by its columns, which a bill of whole orders may have too: its name must say so as well.
_IS_ROUNDED = """CASE WHEN regexp_matches("path", '(?i)overview|总览|概览') THEN "rounded_off" <> 0
    ELSE error('抹零: only a bill overview, named so, has this column') END"""

OVERVIEW_AMOUNTS = {
    "product_code": ("产品Code", "ProductCode"),
    "product": ("产品名称", "产品", "ProductName"),
    "payable": ("应付金额", "PretaxAmount"),
    "rounded_off": ("抹零金额", "抹零优惠", "RoundDownDiscount"),
    "currency": ("币种", "Currency"),
}

OVERVIEW = Mapping(
    name="alibaba overview",
    version=1,
    inputs={
        "path": Told("path"),
        **ACCOUNT_INPUTS,
        "product_code": Input(OVERVIEW_AMOUNTS["product_code"]),
        "product": Input(OVERVIEW_AMOUNTS["product"]),
        "commodity": Input(("商品Code", "CommodityCode")),
        "month": Input(("账单月份", "账期", "BillingCycle"), "time", required=True, formats=MONTH_FORMATS, zone=ZONE),
        "rounded_off": Input(OVERVIEW_AMOUNTS["rounded_off"], "money", required=True),
        "currency": Input(OVERVIEW_AMOUNTS["currency"], required=True),
    },
    columns={
        **ISSUER_COLUMNS,
        **ACCOUNT_COLUMNS,
        **PERIOD_COLUMNS,
        **SERVICE_COLUMNS,
        # the last day: only then is it known, and days already closed do not change
        "ChargePeriodStart": f"{NEXT_MONTH} - INTERVAL 1 DAY",
        "ChargePeriodEnd": NEXT_MONTH,
        "ChargeCategory": "'Adjustment'",
        "ChargeFrequency": "'One-Time'",
        "ChargeDescription": "'抹零 (rounded off the bill)'",
        "BilledCost": '-"rounded_off"',
        "EffectiveCost": '-"rounded_off"',
        "ListCost": "0",
        "ContractedCost": "0",
        "BillingCurrency": '"currency"',
        "x_SourceCost": '"rounded_off"',
    },
    control={"rounded_off": "x_SourceCost"},
    currency="currency",
    keeps="all",
    only=_IS_ROUNDED,
)
