"""What bills of China's clouds have in common: months and days of China, and one kind of bill out of several."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


# --- One kind of every account's month ------------------------------------------------------------------------------
_MONTH = re.compile(r"(?<!\d)(20\d\d)[-_./]?(0[1-9]|1[0-2])(?:[-_./]?(?:0[1-9]|[12]\d|3[01]))?(?!\d)")
_ACCOUNT = re.compile(r"(?<!\d)(?!20\d\d(?:0[1-9]|1[0-2]))\d{9,12}(?!\d)")


@dataclass(frozen=True)
class _Named:
    """A file, and the account and month that its path names; empty where it names none, or several."""

    found: Found
    account: str
    month: str

    def may_be_of_account(self, other: "_Named") -> bool:
        return not (self.account and other.account) or self.account == other.account


def _named(found: Found) -> _Named:
    name = found.path.rpartition("/")[2]
    months = set(_MONTH.findall(name)) or set(_MONTH.findall(found.path))
    accounts = set(_ACCOUNT.findall(found.path))
    month = "-".join(*months) if len(months) == 1 else ""
    return _Named(found, accounts.pop() if len(accounts) == 1 else "", month)


def one_kind_a_month(*kinds: str) -> Discover:
    """Take of every account's month, as the paths name them, the files of the first kind that is there.

    Kinds are patterns, and what matches none is the last kind. Whether a file repeats another whose month is not named
    cannot be told: then the lesser one is an error, lest its cost be missing or count twice.
    """

    def discover(found: Sequence[Found], _read: Read) -> Discovery:
        by_rank: dict[int, list[Found]] = defaultdict(list)
        for one in found:
            if not one.path.lower().endswith(".json"):
                by_rank[_rank(one.path, kinds)].append(one)
        taken: dict[str, list[_Named]] = defaultdict(list)
        problems: list[Problem] = []
        for _, files in sorted(by_rank.items()):
            told = [(named, _told_before(named, taken)) for named in map(_named, files)]
            problems += [problem for _, problem in told if problem]
            for named, problem in told:
                if not problem:
                    taken[named.month].append(named)
        every = sorted((one.found for ones in taken.values() for one in ones), key=lambda one: one.path)
        return Discovery(tuple(Listed(one) for one in every), tuple(problems))

    return discover


def _rank(path: str, kinds: Sequence[str]) -> int:
    return next((at for at, kind in enumerate(kinds) if re.search(kind, path, re.IGNORECASE)), len(kinds))


def _told_before(one: _Named, taken: Mapping[str, list[_Named]]) -> Problem | None:
    """What to say of a file whose cost a better kind tells, or may tell."""
    mine = (other for other in taken.get(one.month, ()) if one.month and one.may_be_of_account(other))
    if same := next(mine, None):
        return _left_out(one.found, same.found)
    months = [""] if one.month else list(taken)
    unsure = (other for month in months for other in taken.get(month, ()) if one.may_be_of_account(other))
    if other := next(unsure, None):
        message = (
            f"Not read: {other.found.path} may tell the same cost, for not both paths name one month. Name the month "
            "in both, as 202610, or deliver the two at locations of their own."
        )
        return Problem("error", "told_twice", one.found.path, message)
    return None
