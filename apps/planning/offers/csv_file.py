"""Reading and writing the price table and the needs of in-memory databases as CSV: all of it or nothing."""

import csv
import io
from collections.abc import Iterable

from apps.finops import sheets
from apps.finops.currencies import CURRENCIES
from apps.finops.money import plain
from apps.finops.sheets import WrongCell
from apps.planning.models import MemoryNeed, Offer

NUMBERS = (
    "ratio", "price", "work_ratio", "interruption_rate", "lost_hours", "availability", "mib_per_second",
    "latency_microseconds", "capacity_gib",
)  # fmt: skip
COLUMNS = (
    "name", "kind", "region", "family", "term_months", "ratio", "price", "unit", "currency", "work_ratio",
    "interruption_rate", "lost_hours", "availability", "mib_per_second", "latency_microseconds", "capacity_gib",
    "valid_from", "on_sale",
)  # fmt: skip
NEED_COLUMNS = ("resource", "name", "gib", "mib_per_second", "latency_microseconds", "tier")
MOST_BYTES = 4 << 20
MOST_MONTHS = 60
_SHARES = ("interruption_rate", "availability")
_ABOVE_ZERO = ("ratio", "price", "work_ratio", "mib_per_second", "latency_microseconds", "availability")
_MEMORY = ("price", "mib_per_second", "latency_microseconds")


def read(content: bytes, *, name: str) -> list[Offer]:
    """The offers of a file; raises BadSheet."""
    return sheets.read(content, name=name, headers=[COLUMNS], row=_offer, most_bytes=MOST_BYTES)


def read_needs(content: bytes, *, name: str) -> list[MemoryNeed]:
    """What in-memory databases need, by a file; raises BadSheet."""
    found = sheets.read(content, name=name, headers=[NEED_COLUMNS], row=_need, most_bytes=MOST_BYTES)
    seen: dict[str, int] = {}
    twice = [
        sheets.Wrong(line, f"the same resource as in line {first}; keep one")
        for line, need in found
        if (first := seen.setdefault(need.resource, line)) != line
    ]
    sheets.refuse(name, twice)
    return [need for _, need in found]


def write(offers: Iterable[Offer]) -> str:
    """Offers as a file that `read` reads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([cells(offer)[column] for column in COLUMNS] for offer in offers)
    return out.getvalue()


def cells(offer: Offer) -> dict[str, str]:
    """An offer as its cells."""
    told = {name: getattr(offer, f"{name}_text") for name in NUMBERS}
    told |= {name: getattr(offer, name) for name in ("name", "kind", "region", "family", "unit", "currency")}
    return told | {
        "term_months": f"{offer.term_months or ''}", "valid_from": f"{offer.valid_from:%Y-%m-%d}",
        "on_sale": "yes" if offer.is_on_sale else "no",
    }  # fmt: skip


def _offer(line: int, given: dict[str, str]) -> Offer:
    kind = given["kind"]
    if kind not in Offer.Kind.values:
        raise WrongCell("kind", f"{kind[:40]!r} is none of {', '.join(Offer.Kind.values)}")
    if given["on_sale"] not in ("yes", "no", ""):
        raise WrongCell("on_sale", f"{given['on_sale'][:40]!r} is neither yes nor no")
    if not (given["ratio"] or given["price"]):
        raise WrongCell("ratio", "is empty, and so is price; tell one of them")
    if given["price"] and given["currency"] not in CURRENCIES:
        raise WrongCell("currency", f"{given['currency'][:40]!r} is not a code such as CNY")
    _require(kind, given)
    return Offer(
        name=sheets.words(given, "name", most=80), kind=kind,
        region=sheets.words(given, "region", most=120) if given["region"] else "*",
        family=sheets.words(given, "family", most=200) if given["family"] else "*",
        term_months=_months(given) if kind in ("reserved", "savings_plan") else 0,
        unit=sheets.words(given, "unit", most=120) if given["unit"] else "", currency=given["currency"],
        valid_from=sheets.day(given, "valid_from"), is_on_sale=given["on_sale"] != "no",
        **{f"{name}_text": _number(given, name) for name in NUMBERS},
    )  # fmt: skip


def _require(kind: str, given: dict[str, str]) -> None:
    """What an offer of a kind cannot be without."""
    needed = {"memory": _MEMORY, "generation": ("ratio", "work_ratio"), "spot": ("ratio",), "serverless": ("ratio",)}
    for name in needed.get(kind, ()):
        if not given[name]:
            raise WrongCell(name, f"is empty; an offer of kind {kind} has one")


def _months(given: dict[str, str]) -> int:
    text = given["term_months"]
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_MONTHS):
        raise WrongCell("term_months", f"{text[:40]!r} is not a number of months from 1 to {MOST_MONTHS}")
    return int(text)


def _number(given: dict[str, str], name: str) -> str:
    if not given[name]:
        return ""
    found = sheets.amount(given, name)
    if found < 0 or (name in _ABOVE_ZERO and not found):
        raise WrongCell(name, "is not above zero")
    if name in _SHARES and found > 1:
        raise WrongCell(name, "is a share of one: it is not above 1")
    return plain(found)


def _need(line: int, given: dict[str, str]) -> tuple[int, MemoryNeed]:
    return line, MemoryNeed(
        resource=sheets.words(given, "resource", most=300), name=sheets.words(given, "name", most=120),
        tier=sheets.words(given, "tier", most=80) if given["tier"] else "",
        **{f"{name}_text": _needed(given, name) for name in ("gib", "mib_per_second", "latency_microseconds")},
    )  # fmt: skip


def _needed(given: dict[str, str], name: str) -> str:
    found = sheets.amount(given, name)
    if found <= 0:
        raise WrongCell(name, "is not above zero")
    return plain(found)
