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
_PLAIN_TIME = "trim(regexp_replace({}, ' ?\\(?(GMT|UTC)\\+0?8:?(00)?\\)?$', ''))"
"""`2026-10-08 00:00:00 GMT+08:00`: the zone is China's anyhow."""


def moment(*names: str, required: bool = False) -> Input:
    return Input(names, "time", required=required, formats=TIME_FORMATS, zone=ZONE, repair=_PLAIN_TIME)


def month_of(instant: str) -> str:
    """SQL for the beginning of the month in China that an instant lies in; there is no summer time."""
    return f"(date_trunc('month', {instant} + INTERVAL 8 HOUR) - INTERVAL 8 HOUR)"


def next_month(month: str) -> str:
    return f"({month} + INTERVAL 8 HOUR + INTERVAL 1 MONTH - INTERVAL 8 HOUR)"


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
