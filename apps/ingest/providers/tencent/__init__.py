"""Tencent Cloud: the bill by resource (L2) or by component (L3), in Chinese or English, and its FOCUS export.

The list price is ListCost, 优惠后总价 ContractedCost and BilledCost; vouchers, free credits and cash only pay it.
L2 and L3 repeat each other: of a month with both, L3 is read.
"""

from apps.ingest.bill.mapping import Input, Mapping
from apps.ingest.providers import focus
from apps.ingest.providers.base import Provider
from apps.ingest.providers.china import (
    CURRENCY_CODE,
    DUE,
    DUE_CONTROL,
    ENCODINGS,
    MONTH_FORMATS,
    PLAIN_ID,
    ZONE,
    charged,
    issued_by,
    moment,
    month_of,
    one_kind_a_period,
)

_TRADES = (
    r"(?i).*(包年包月|预付|按量|后付|竞价|小时结|日结|月结|资源包|预留实例|节省计划|退|调账|调整|"
    r"monthly subscription|pay-as-you-go|purchase|renew|settle|refund|adjust|bill|spot|deduct|savings).*"
)
_WORDS = 'concat_ws(\' \', "trade", "paying")'
_IS_REFUND = f"regexp_matches({_WORDS}, '(?i)退|refund')"
_CATEGORY = (
    "CASE WHEN regexp_matches(\"trade\", '(?i)调账|调整|adjust') THEN 'Adjustment' "
    f"WHEN regexp_matches({_WORDS}, '(?i)包年包月|预付|monthly subscription|资源包购买|节省计划购买') THEN 'Purchase' "
    "ELSE 'Usage' END"
)
_CHARGED = month_of('coalesce("charged", "begin")')
_MONTH = f'coalesce("month", {_CHARGED})'

BILL = Mapping(
    name="tencent bill",
    version=1,
    inputs={
        "account": Input(("支付者账号ID", "支付者UIN", "Payer Account ID"), required=True, repair=PLAIN_ID),
        "owner": Input(
            ("使用者账号ID", "资源归属者账号ID", "使用者 UIN", "使用者UIN", "Owner Account ID"), repair=PLAIN_ID
        ),
        "product": Input(("产品名称", "Product Name"), required=True),
        "subproduct": Input(("子产品名称", "Subproduct Name")),
        "paying": Input(("计费模式", "Billing Mode")),
        "trade": Input(("交易类型", "Transaction Type"), required=True, pattern=_TRADES),
        "instance": Input(("实例ID", "资源ID", "Instance ID")),
        "name": Input(("实例名称", "资源别名", "Instance Name")),
        "instance_type": Input(("实例类型", "Instance Type")),
        "region": Input(("地域", "Region")),
        "availability_zone": Input(("可用区", "Availability Zone")),
        "component": Input(("组件类型", "Component Type")),
        "component_name": Input(("组件名称", "Component Name")),
        "used": Input(("组件用量", "Component Usage"), "money"),
        "unit": Input(("组件用量单位", "Component Usage Unit")),
        "month": Input(("账单月份", "账单月", "Bill Month"), "time", formats=MONTH_FORMATS, zone=ZONE),
        "charged": moment("扣费时间", "Transaction Time"),
        "begin": moment("开始使用时间", "使用开始时间", "Usage Start Time", required=True),
        "end": moment("结束使用时间", "使用结束时间", "Usage End Time"),
        "list": Input(("原价", "组件原价", "原价(元)", "原价（元）", "Original Cost"), "money"),
        "payable": Input(
            ("优惠后总价", "优惠后总价(元)", "优惠后总价（元）", "Total Amount After Discount", "Discounted Price"),
            "money",
            required=True,
        ),
        "currency": Input(("币种", "结算币种", "Currency"), repair=CURRENCY_CODE),
    },
    columns={
        **issued_by("Tencent Cloud"),
        **charged(category=_CATEGORY, is_refund=_IS_REFUND, month=_MONTH),
        **DUE,
        "BillingAccountId": '"account"',
        "SubAccountId": 'coalesce("owner", "account")',
        "ChargePeriodStart": f"""CASE WHEN ({_CATEGORY}) = 'Usage' THEN "begin"
            ELSE coalesce("charged", "begin") END""",
        # the last second of use is told, 00:59:59; an end is exclusive
        "ChargePeriodEnd": f"""CASE WHEN ({_CATEGORY}) <> 'Usage' THEN coalesce("charged", "begin") + INTERVAL 1 HOUR
            WHEN "end" > "begin" THEN "end" + INTERVAL (CASE WHEN second("end") = 59 THEN 1 ELSE 0 END) SECOND
            ELSE "begin" + INTERVAL 1 HOUR END""",
        "ChargeDescription": 'concat_ws(\' / \', "subproduct", "component_name", "trade")',
        "ContractedCost": '"payable"',
        "BillingCurrency": "coalesce(\"currency\", 'CNY')",
        "PricingCategory": f"CASE WHEN ({_CATEGORY}) = 'Adjustment' THEN NULL WHEN regexp_matches(concat_ws(' ', "
        "\"trade\", \"instance_type\"), '(?i)竞价|spot') THEN 'Dynamic' ELSE 'Standard' END",
        "PricingQuantity": '"used"',
        "PricingUnit": '"unit"',
        "ServiceName": '"product"',
        "ServiceCategory": "'Other'",
        "SkuMeter": 'coalesce("component_name", "component")',
        "ResourceId": '"instance"',
        "ResourceName": '"name"',
        "ResourceType": 'CASE WHEN "instance" IS NOT NULL THEN coalesce("subproduct", "product") END',
        "RegionName": '"region"',
        "AvailabilityZone": '"availability_zone"',
    },
    control=DUE_CONTROL,
    keeps="all",
)

PROVIDER = Provider(
    "tencent",
    "Tencent Cloud bill",
    (focus.MAPPING, BILL),
    one_kind_a_period("focus", r"L3|明细|component", r"L2|资源|resource"),
    encodings=ENCODINGS,
)
