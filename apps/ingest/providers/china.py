"""What bills of China's clouds have in common: months and days of China, and one kind of bill out of several."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
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
CURRENCY_CODE = (
    "CASE WHEN upper(trim({})) IN ('人民币', '人民币元', '元', 'RMB') THEN 'CNY' "
    "WHEN trim({}) = '美元' THEN 'USD' ELSE upper(trim({})) END"
)
"""ISO 4217 for what China's clouds call a currency: a repair of its column."""


def one_kind(*kinds: str) -> Discover:
    """Take the files whose names match the first of these patterns that any matches: the others repeat their cost."""

    def discover(found: Sequence[Found], _read: Read) -> Discovery:
        files = [one for one in found if not one.path.lower().endswith(".json")]
        for kind in kinds:
            if taken := [one for one in files if re.search(kind, one.path, re.IGNORECASE)]:
                rest = [one for one in files if not re.search(kind, one.path, re.IGNORECASE)]
                return Discovery(tuple(Listed(one) for one in taken), tuple(_left_out(one, taken[0]) for one in rest))
        return Discovery(tuple(Listed(one) for one in files))

    return discover


def _left_out(found: Found, taken: Found) -> Problem:
    message = (
        f"Not read: {taken.path} tells the same cost in more detail. "
        "Deliver bills of other kinds at a location of their own."
    )
    return Problem("note", "told_twice", found.path, message)


# --- One kind of every period ---------------------------------------------------------------------------------------
_DATE = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?:年(?P<m>\d\d?)月(?:(?P<d>\d\d?)日)?"
    r"|[-_./]?(?P<month>0[1-9]|1[0-2])(?:[-_./]?(?P<day>0[1-9]|[12]\d|3[01]))?(?!\d))"
)
_NUMBER = re.compile(r"(?<!\d)\d{9,}(?!\d)")


@dataclass(frozen=True)
class _Named:
    """A file and what its path names: a month, as months since year 0, with a day of it or 0, and numbers that may be
    accounts."""

    found: Found
    period: tuple[int, int] | None
    numbers: frozenset[str]


class _Taken:
    """The files of better kinds, by what their paths name."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[tuple[int, int] | None, frozenset[str]], Found] = {}
        self._by_month: dict[tuple[int, bool] | None, Found] = {}

    def add(self, one: _Named) -> None:
        self._by_name[one.period, one.numbers] = one.found
        self._by_month[one.period and (one.period[0], bool(one.period[1]))] = one.found

    def telling(self, one: _Named) -> Found | None:
        return self._by_name.get((one.period, one.numbers)) if one.period else None

    def perhaps_telling(self, one: _Named) -> Found | None:
        """A day may be the one of delivery, and a number one of a task: both keep nothing apart for certain."""
        if one.period is None:
            return next(iter(self._by_month.values()), None)
        month, is_day = one.period[0], bool(one.period[1])
        near = [None, (month, False), (month, True), (month - 1, True), (month + 1, True)]
        near += [(month - 1, False), (month + 1, False)] if is_day else []
        return next((self._by_month[key] for key in near if key in self._by_month), None)


def _named(found: Found) -> _Named:
    name = found.path.rpartition("/")[2]
    periods = set(_periods(name)) or set(_periods(found.path))
    period = periods.pop() if len(periods) == 1 else None
    return _Named(found, period, frozenset(_NUMBER.findall(found.path)))


def _periods(text: str) -> Iterator[tuple[int, int]]:
    for one in _DATE.finditer(text):
        yield int(one["year"]) * 12 + int(one["month"] or one["m"]), int(one["day"] or one["d"] or 0)


def one_kind_a_period(*kinds: str) -> Discover:
    """Take of every month or day, as the paths name them, the files of the first kind that is there.

    Kinds are patterns, and what matches none is the last kind. Whether a file repeats another cannot be told where not
    both name the same period and the same accounts: then the lesser one is an error, lest its cost be missing or count
    twice.
    """

    def discover(found: Sequence[Found], _read: Read) -> Discovery:
        by_rank: dict[int, list[_Named]] = defaultdict(list)
        for one in found:
            if not one.path.lower().endswith(".json"):
                by_rank[_rank(one.path, kinds)].append(_named(one))
        better, listed, problems = _Taken(), [], []
        for _, files in sorted(by_rank.items()):
            told = [(named, _told_before(named, better)) for named in files]
            problems += [problem for _, problem in told if problem]
            for named in (named for named, problem in told if not problem):
                better.add(named)
                listed.append(Listed(named.found))
        return Discovery(tuple(sorted(listed, key=lambda one: one.found.path)), tuple(problems))

    return discover


def _rank(path: str, kinds: Sequence[str]) -> int:
    return next((at for at, kind in enumerate(kinds) if re.search(kind, path, re.IGNORECASE)), len(kinds))


def _told_before(one: _Named, better: _Taken) -> Problem | None:
    """What to say of a file whose cost one of a better kind tells, or may tell."""
    if same := better.telling(one):
        return _left_out(one.found, same)
    if other := better.perhaps_telling(one):
        message = (
            f"Not read: {other.path} may tell the same cost, for the two paths do not name the same month and account. "
            "Name them alike in both, as 202610, or deliver the two at locations of their own."
        )
        return Problem("error", "told_twice", one.found.path, message)
    return None
