"""Alibaba Cloud's bills for tests: rows you can add up on paper."""

import io
import zipfile
from decimal import Decimal

from apps.finops.tables import CHARGES
from apps.warehouse import lake
from tests.ingest.bills import charges, errors, ingest, put, source

DAY = "1690_BillingItemDetail_20261009.csv"
MONTH = "1690_BillingItemDetail_202610.csv"


def v1(payable="47.60", **cells: str) -> dict[str, str]:
    """A day of one ECS instance, as the flat Chinese headers tell it."""
    return {
        "资源购买账号ID": "1690000000000001",
        "资源归属账号ID": "1690000000000002",
        "账单月份": "2026-10",
        "账单日期": "2026-10-08",
        "费用类型": "PayAsYouGoBill",
        "产品Code": "ecs",
        "产品名称": "云服务器ECS",
        "商品Code": "ecs",
        "商品名称": "云服务器ECS-按量付费",
        "资产/资源实例ID": "i-2ze000001",
        "资产/资源实例名称": "在线-网关-01",
        "实例标签": "key:team value:直播中台; key:env value:prod",
        "地域": "华北2（北京）",
        "计费项Code": "InstanceType",
        "计费项": "云服务器配置",
        "用量": "24",
        "用量单位": "小时",
        "目录价": "2.333333",
        "目录总价": "56.00",
        "优惠券抵扣金额": "0",
        "优惠金额": "8.40",
        "优惠后金额": "47.60",
        "节省计划抵扣目录总价": "0",
        "应付金额": payable,
        "代金券抵扣金额": "0",
        "定价币种": "CNY",
        "主键": "202610_x_0001",
    } | cells


_V2 = {
    "资源购买账号ID": "身份信息/资源购买账号ID",
    "资源归属账号ID": "身份信息/资源归属账号ID",
    "账单月份": "账单信息/账单月份",
    "账单日期": "账单信息/账单日期",
    "费用类型": "账单信息/费用类型",
    "交易类型": "账单信息/交易类型",
    "产品Code": "产品信息/产品Code",
    "产品名称": "产品信息/产品名称",
    "商品Code": "产品信息/商品Code",
    "商品名称": "产品信息/商品名称",
    "资产/资源实例ID": "资源信息/实例ID（出账粒度）",
    "资产/资源实例名称": "资源信息/资源名称",
    "实例标签": "资源信息/标签",
    "地域": "资源信息/地域",
    "计费项Code": "产品信息/计费项Code",
    "计费项": "产品信息/计费项名称",
    "用量": "用量信息/用量",
    "用量单位": "用量信息/用量单位",
    "目录价": "定价信息/官网目录价",
    "目录总价": "费用信息/目录总价",
    "优惠券抵扣金额": "优惠券抵扣信息/优惠券抵扣金额",
    "优惠金额": "优惠信息/优惠金额",
    "优惠后金额": "优惠信息/优惠后金额",
    "节省计划抵扣目录总价": "订阅抵扣信息/订阅抵扣目录总价",
    "应付金额": "应付信息/应付金额（含税）",
    "定价币种": "定价信息/定价币种",
    "主键": "标识信息/账单明细ID",
}


def v2(payable="47.60", **cells: str) -> dict[str, str]:
    """The same under grouped headers."""
    plain = v1(payable, 账单月份="202610", 账单日期="20261008", 费用类型="云资源按量费用", 交易类型="后付费") | cells
    return {_V2[name]: value for name, value in plain.items() if name in _V2}


def order(payable="14400", **cells: str) -> dict[str, str]:
    """A subscription paid in advance for a year."""
    told = {
        "费用类型": "SubscriptionOrder",
        "商品名称": "云服务器ECS-包年包月",
        "用量": "",
        "用量单位": "",
        "目录总价": "24000",
        "优惠金额": "9600",
        "优惠后金额": "14400",
    }
    return v1(payable, **(told | cells))


def plan(payable="365000", **cells: str) -> dict[str, str]:
    told = {"商品Code": "savingplan_common_public_cn", "商品名称": "节省计划-通用型", "资产/资源实例ID": "spn-abc123"}
    return order(payable, **(told | {"目录总价": payable, "优惠金额": "0", "优惠后金额": payable} | cells))


def read(tmp_path, files: dict[str, bytes], kind: str = "alibaba", **options: str) -> list[str]:
    for name, content in files.items():
        put(tmp_path / "in", name, content)
    return ingest(source(tmp_path / "in", kind=kind, **options))


def money(column: str, *categories: str) -> Decimal:
    return sum(
        (one[column] or Decimal(0) for one in charges() if not categories or one["ChargeCategory"] in categories),
        Decimal(0),
    )


def totals() -> dict[str, tuple[str, str, str]]:
    """Billed, effective and list cost by category, as texts."""
    categories = sorted({one["ChargeCategory"] for one in charges()})
    columns = ("BilledCost", "EffectiveCost", "ListCost")
    return {name: tuple(f"{money(column, name).normalize():f}" for column in columns) for name in categories}


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return out.getvalue()


def deliver(tmp_path, *deliveries: dict[str, bytes]) -> list[str]:
    one = source(tmp_path / "in", kind="alibaba")
    told: list[str] = []
    for files in deliveries:
        for name, content in files.items():
            put(tmp_path / "in", name, content)
        told = ingest(one)
    assert errors(told) == []
    version = lake.version(CHARGES)
    ingest(one)
    assert lake.version(CHARGES) == version, "told again, nothing changes"
    return told
