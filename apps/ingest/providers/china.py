"""What bills of China's clouds have in common: months and days of China, and one kind of bill out of several."""

import re
from collections.abc import Sequence

from apps.finops.problems import Problem
from apps.ingest.bill.mapping import Input
from apps.ingest.landing import Found
from apps.ingest.providers.base import Discover, Discovery, Listed, Read

ZONE = "Asia/Shanghai"
MONTH_FORMATS = ("%Y-%m", "%Y%m", "%Y-%m-%d %H:%M:%S")
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d %H:%M:%S")
PLAIN_ID = "trim({}, chr(9) || ' ''`')"
"""Long numbers are written with a tab or a quote, lest spreadsheets round them."""
_PLAIN_TIME = "trim(regexp_replace({}, ' ?\\(?(GMT|UTC)\\+0?8:?(00)?\\)?$', ''))"
"""`2026-10-08 00:00:00 GMT+08:00`: the zone is China's anyhow."""


def moment(*names: str, required: bool = False) -> Input:
    return Input(names, "time", required=required, formats=TIME_FORMATS, zone=ZONE, repair=_PLAIN_TIME)


def month_of(instant: str) -> str:
    """SQL for the beginning of the month in China that an instant lies in; there is no summer time."""
    return f"(date_trunc('month', {instant} + INTERVAL 8 HOUR) - INTERVAL 8 HOUR)"


def next_month(month: str) -> str:
    return f"({month} + INTERVAL 8 HOUR + INTERVAL 1 MONTH - INTERVAL 8 HOUR)"


def issued_by(provider: str) -> dict[str, str]:
    """The columns that name a provider which sells and runs everything itself."""
    names = ("ProviderName", "PublisherName", "InvoiceIssuerName", "ServiceProviderName", "HostProviderName")
    return dict.fromkeys(names, f"'{provider}'")


def charged(*, category: str, is_refund: str, month: str) -> dict[str, str]:
    """The period and kind of a charge: a refund of what began in an earlier month corrects that month's invoice."""
    return {
        "BillingPeriodStart": month,
        "BillingPeriodEnd": next_month(month),
        "ChargeCategory": category,
        "ChargeClass": f"CASE WHEN ({is_refund}) AND \"begin\" < {month} THEN 'Correction' END",
        "ChargeFrequency": f"CASE WHEN ({category}) = 'Usage' THEN 'Usage-Based' ELSE 'One-Time' END",
    }


DUE = {"BilledCost": '"payable"', "EffectiveCost": '"payable"', "ListCost": '"list"', "x_SourceCost": '"payable"'}
"""Cost on the cash basis, which is all that these bills tell."""
DUE_CONTROL: dict[str | tuple[str, ...], str] = {"payable": "x_SourceCost", "list": "ListCost"}
ENCODINGS = ("utf-8", "gb18030")


def one_kind(*kinds: str) -> Discover:
    """Take the files whose names match the first of these patterns that any matches: the others repeat their cost."""

    def discover(found: Sequence[Found], _read: Read) -> Discovery:
        files = [one for one in found if not one.path.lower().endswith(".json")]
        for kind in kinds:
            if taken := [one for one in files if re.search(kind, one.path, re.IGNORECASE)]:
                rest = [one for one in files if one not in taken]
                return Discovery(tuple(Listed(one) for one in taken), tuple(_left_out(one, taken[0]) for one in rest))
        return Discovery(tuple(Listed(one) for one in files))

    return discover


def _left_out(found: Found, taken: Found) -> Problem:
    message = (
        f"Not read: {taken.path} tells the same cost in more detail. "
        "Deliver bills of other kinds at a location of their own."
    )
    return Problem("note", "told_twice", found.path, message)
