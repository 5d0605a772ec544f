"""Which of the files Alibaba Cloud pushes to OSS make up an account's month; told by their names alone.

A month is told once: whole-month files replace the daily ones, billing items stand before whole instances, days before
sums of a month; split bills (分账账单) repeat what instances cost. What lies beside the bill belongs to its release, so
that bill and amortised cost change together or not at all.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from apps.finops.problems import Problem
from apps.ingest.landing import Found
from apps.ingest.providers.alibaba.bill import AMORTISED, DEDUCTED
from apps.ingest.providers.base import Discovery, Listed, Read

_NAME = re.compile(
    r"(?P<account>\d+)_(?P<what>[A-Za-z]\w*?)_?(?P<when>20\d{6}|20\d{4})(?!\d)(?P<rest>.*)\.(csv|csv\.gz|zip|parquet|json)",
    re.IGNORECASE | re.ASCII,
)
_SPLIT, _ROUNDED, _AMORTISED, _DEDUCTED, _USE = "split", "overview", "amortised", "deductions", "use"
_BESIDE = (
    (re.compile("splititem"), _SPLIT),
    (re.compile("billoverview"), _ROUNDED),
    (re.compile("amorti[sz]ed"), _AMORTISED),
    (re.compile("savingsplans?deduct"), _DEDUCTED),
    (re.compile("savingsplans?usage"), _USE),
)
_BILLS = (
    ("instance months", re.compile("instancedetail.*monthly")),
    ("instances", re.compile("instancedetail")),
    ("item months", re.compile("(billingitemdetail|consumedetailbill).*monthly")),
    ("items v2", re.compile("consumedetailbillv2|billingitemdetailv2")),
    ("items", re.compile("billingitemdetail|consumedetailbill")),
)
_RANKS = {
    "instance months": "days 1 instance months",
    "instances days": "days 2 instances",
    "item months": "days 4 item months",
    "items v2 days": "days 5 items v2",
    "items days": "days 6 items",
    "instances month": "final 3 instances",
    "items month": "final 7 items",
    "items v2 month": "final 8 items v2",
}
"""Kind of bill → its release; of several, the last by name counts. A whole month of items outranks all."""


@dataclass(frozen=True)
class Named:
    """A file whose name says whose it is, of which month and what."""

    found: Found
    account: str
    month: str
    what: str

    @property
    def period(self) -> str:
        return f"{self.account} {self.month}"


def discover(found: Sequence[Found], _read: Read) -> Discovery:
    """The files that count; a location without a single known name is taken as it is."""
    named = [name for one in found if (name := _named(one))]
    files = [one for one in found if not one.path.lower().endswith(".json")]
    if not named:
        return Discovery(tuple(Listed(one) for one in files))
    known = {name.found.path for name in named}
    problems = [_unknown(one) for one in files if one.path not in known]
    months: dict[str, list[Named]] = defaultdict(list)
    for name in named:
        months[name.period].append(name)
    listed: list[Listed] = []
    for period, names in sorted(months.items()):
        problems += _left_out(period, names)
        listed += _released(period, names)
    problems += _not_amortised(months)
    return Discovery(tuple(listed), tuple(problems))


def _named(found: Found) -> Named | None:
    match = _NAME.fullmatch(PurePosixPath(found.path).name)
    if match is None:
        return None
    words = re.sub(r"[^a-z0-9]", "", match["what"].lower())
    when = match["when"]
    full = words + ("monthly" if "monthly" in match["rest"].lower() else "")
    what = next((what for pattern, what in _BESIDE if pattern.search(full)), "") or _bill_kind(full, when)
    return Named(found, match["account"], f"{when[:4]}-{when[4:6]}", what) if what else None


def _bill_kind(words: str, when: str) -> str:
    kind = next((kind for kind, pattern in _BILLS if pattern.search(words)), "")
    if not kind or kind.endswith("months"):
        return kind
    return f"{kind} {'days' if len(when) == 8 else 'month'}"


def _by_kind(names: Sequence[Named]) -> Mapping[str, list[Named]]:
    kinds: dict[str, list[Named]] = defaultdict(list)
    for name in names:
        kinds[name.what].append(name)
    return kinds


def _chosen(kinds: Mapping[str, list[Named]]) -> str:
    """The kind of bill that tells this month; empty where none lies there."""
    return max((kind for kind in kinds if kind in _RANKS), key=_RANKS.__getitem__, default="")


def _released(period: str, names: Sequence[Named]) -> Iterator[Listed]:
    kinds = _by_kind(names)
    chosen = _chosen(kinds)
    beside = {_ROUNDED: "overview", _AMORTISED: AMORTISED}
    notes = [note for kind, note in beside.items() if kind in kinds]
    taken = [*kinds.get(chosen, ()), *(name for kind in beside for name in kinds.get(kind, ()))]
    if _DEDUCTED in kinds and _USE in kinds:
        notes.append(DEDUCTED)
        taken += [*kinds[_DEDUCTED], *kinds[_USE]]
    # More lies beside a later release than beside an earlier one: the number keeps the order.
    release = f"{_RANKS.get(chosen, 'days 0')} +{len(notes)} {' '.join(notes)}".rstrip()
    for name in taken:
        yield Listed(name.found, period, release)


def _left_out(period: str, names: Sequence[Named]) -> Iterator[Problem]:
    kinds = _by_kind(names)
    if split := kinds.get(_SPLIT):
        message = "Split bills repeat the cost of their instances and are not read."
        yield Problem("note", "split_bill", split[0].found.path, message)
    if (_DEDUCTED in kinds) != (_USE in kinds):
        have, want = ("deduct log", "usage detail") if _DEDUCTED in kinds else ("usage detail", "deduct log")
        message = (
            f"{period}: the {have} of savings plans waits for their {want}; with one of them, what was used or what "
            "was not would be missing."
        )
        yield Problem("warning", "savings_plan", kinds.get(_DEDUCTED, kinds.get(_USE, []))[0].found.path, message)
    chosen = _chosen(kinds)
    for kind in sorted(_RANKS.keys() & kinds.keys() - {chosen}):
        message = f"{period}: not read, because {kinds[chosen][0].found.path} tells the same month."
        yield Problem("note", "told_twice", kinds[kind][0].found.path, message)


def _not_amortised(months: Mapping[str, Sequence[Named]]) -> Iterator[Problem]:
    """Months with a bill and without amortised cost, of accounts that have it for other months."""
    kinds = {period: _by_kind(names) for period, names in sorted(months.items())}
    amortising = {period.split(" ")[0] for period, by_kind in kinds.items() if _AMORTISED in by_kind}
    for period, by_kind in kinds.items():
        if (chosen := _chosen(by_kind)) and period.split(" ")[0] in amortising and _AMORTISED not in by_kind:
            message = (
                f"{period}: no amortised cost lies beside this bill, but beside others of the account; what was paid "
                "in advance counts whole in this month, and again as it is amortised. Deliver that month's as well."
            )
            yield Problem("warning", "not_amortised", by_kind[chosen][0].found.path, message)


def _unknown(found: Found) -> Problem:
    message = "The name is none that Alibaba Cloud gives; it is not read. Deliver it at a location of its own."
    return Problem("warning", "unknown_name", found.path, message)
