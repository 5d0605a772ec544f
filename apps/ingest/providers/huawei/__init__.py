"""Huawei Cloud: the bill of price factors (使用量类型明细) pushed to OBS, `NAME_PriceFactorBillDetail_YYYYMMDD`.

The website's price (官网价) is ListCost, less discounts ContractedCost, and what is due (应付金额) BilledCost. Cash,
vouchers and credit only pay it. Other bills of the same bucket (Spending, overviews) repeat the cost and are not read.
"""

from dataclasses import replace

from apps.ingest.bill.mapping import Input, Mapping
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
    one_kind,
)

_KINDS = (
    r"(?i).*(消费|退款|退订|调账|税|核销|抵扣|"
    r"purchase|renew|use|usage|refund|unsubscri|adjust|tax|change|expenditure).*"
)
_IS_REFUND = "regexp_matches(\"kind\", '(?i)退|refund|unsubscri')"
_CATEGORY = (
    "CASE WHEN regexp_matches(\"kind\", '(?i)税|tax') THEN 'Tax' WHEN regexp_matches(\"kind\", '(?i)调账|核销|adjust') "
    "THEN 'Adjustment' WHEN regexp_matches(concat_ws(' ', \"paying\", \"kind\"), "
    "'(?i)包年|包月|yearly|monthly|新购|续订|purchase|renew') THEN 'Purchase' ELSE 'Usage' END"
)
_BEGUN = month_of('"begin"')
_MONTH = f'coalesce("month", {_BEGUN})'

_CURRENCY = Input(("币种", "Currency"), repair=CURRENCY_CODE)

_INPUTS = {
    "account": Input(
        ("账号ID", "客户账号ID", "账号", "账号名", "Account ID", "Account Name"), required=True, repair=PLAIN_ID
    ),
    "project": Input(("企业项目ID", "企业项目", "Enterprise Project")),
    "month": Input(("账期", "Billing Cycle"), "time", formats=MONTH_FORMATS, zone=ZONE),
    "begin": moment("消费开始时间", "开始时间", "消费时间", "Expenditure Start Time", "Start Time", required=True),
    "end": moment("消费结束时间", "结束时间", "Expenditure End Time", "End Time"),
    "service_code": Input(("云服务类型编码", "Cloud Service Type Code")),
    "service": Input(("产品类型", "云服务类型", "Service Type", "Cloud Service Type"), required=True),
    "product": Input(("产品", "产品名称", "Product")),
    "paying": Input(("计费模式", "Billing Mode")),
    "kind": Input(("账单类型", "Bill Type"), required=True, pattern=_KINDS),
    "instance": Input(("资源ID", "Resource ID")),
    "name": Input(("资源名称", "Resource Name")),
    "instance_type": Input(("资源类型", "Resource Type")),
    "spec": Input(("规格", "产品规格", "Specifications")),
    "region": Input(("区域", "Region")),
    "region_id": Input(("区域编码", "Region Code")),
    "availability_zone": Input(("可用区", "AZ")),
    "meter": Input(("使用量类型", "Usage Type")),
    "used": Input(("使用量", "Usage"), "money"),
    "unit": Input(("使用量单位", "Usage Unit")),
}

_COLUMNS = {
    **issued_by("Huawei Cloud"),
    **charged(category=_CATEGORY, is_refund=_IS_REFUND, month=_MONTH),
    **DUE,
    "BillingAccountId": '"account"',
    "SubAccountId": '"project"',
    "ChargePeriodStart": '"begin"',
    "ChargePeriodEnd": 'CASE WHEN "end" > "begin" THEN "end" ELSE "begin" + INTERVAL 1 HOUR END',
    "ChargeDescription": 'concat_ws(\' / \', "product", "meter", "kind")',
    "ContractedCost": 'coalesce("list" - "discount", "payable")',
    "PricingCategory": f"CASE WHEN ({_CATEGORY}) IN ('Usage', 'Purchase') THEN 'Standard' END",
    "PricingQuantity": '"used"',
    "PricingUnit": '"unit"',
    "ServiceName": '"service"',
    "ServiceCategory": "'Other'",
    "SkuId": '"service_code"',
    "SkuMeter": '"meter"',
    "SkuPriceDetails": 'CASE WHEN "spec" IS NOT NULL THEN json_object(\'InstanceType\', "spec")::VARCHAR END',
    "ResourceId": '"instance"',
    "ResourceName": '"name"',
    "ResourceType": 'CASE WHEN "instance" IS NOT NULL THEN coalesce("instance_type", "service") END',
    "RegionId": '"region_id"',
    "RegionName": '"region"',
    "AvailabilityZone": '"availability_zone"',
}


_LISTED, _DISCOUNT, _DUE = ("官网价", "List Price"), ("优惠金额", "Discount Amount"), ("应付金额", "Amount Due")


def _in(*units: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What list price, discount and amount due are called where one of these units stands behind the last."""
    wide = str.maketrans("()", "（）")
    behind = [spelled for unit in units for spelled in (f"({unit})", f" ({unit})", f"({unit})".translate(wide))]
    listed, discount, due = (
        tuple(name + unit for unit in behind for name in names) for names in (_LISTED, _DISCOUNT, _DUE)
    )
    return (*listed, *_LISTED), (*discount, *_DISCOUNT), due


def _bill(amounts: tuple[tuple[str, ...], ...], *, currency: Input, unless_said: str = "NULL") -> Mapping:
    """The mapping of a bill whose amounts are called so; `unless_said`: its currency, as SQL, where no column says."""
    listed, discount, due = amounts
    return Mapping(
        name="huawei price factors",
        version=2,
        inputs=_INPUTS
        | {
            "list": Input(listed, "money"),
            "discount": Input(discount, "money"),
            "payable": Input(due, "money", required=True),
            "currency": currency,
        },
        columns=_COLUMNS | {"BillingCurrency": f'coalesce("currency", {unless_said})'},
        control=DUE_CONTROL,
        keeps="all",
    )


_YUAN, _DOLLARS = _in("元", "CNY", "人民币"), _in("USD", "美元")
_CHINESE, _ENGLISH = (_YUAN[0], _YUAN[1], _DUE[:1]), (_LISTED, _DISCOUNT, _DUE[1:])
BILLS = (
    _bill(_ENGLISH, currency=replace(_CURRENCY, required=True)),
    _bill(_CHINESE, currency=_CURRENCY, unless_said="'CNY'"),
    _bill(_YUAN, currency=replace(_CURRENCY, allowed=("CNY",)), unless_said="'CNY'"),
    _bill(_DOLLARS, currency=replace(_CURRENCY, allowed=("USD",)), unless_said="'USD'"),
)
"""The header says the currency, or a column does; where English names say none it may be that of any site."""

PROVIDER = Provider("huawei", "Huawei Cloud bill", BILLS, one_kind("PriceFactorBillDetail"), encodings=ENCODINGS)
