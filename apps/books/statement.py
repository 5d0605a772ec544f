"""The statement of a closed month: its canonical bytes as CSV and JSON, rebuilt from what the close pins."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from decimal import Context, Decimal
from typing import Any

from apps.books.models import Close
from apps.finops.money import UNIT
from apps.finops.tables import COST_MART, COSTS, MONEY
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

KEY = ("team", "source", "service", "kind", "currency")
COLUMNS = ("month", "original_month", "class", *KEY, *COSTS)
"""`original_month` and `class` tell adjusting entries from the month's own cost, whose class is empty."""
FORMAT_VERSION = 1
_EXACT = Context(prec=80)
_FORMULA_STARTS = tuple("=+-@\t\r\n\x00＝＋－＠")  # half and full width

Entry = dict[str, str]
"""A row of a statement: COLUMNS as text."""


def written(amount: Decimal) -> str:
    """An amount with exactly twelve decimals."""
    return f"{_EXACT.plus(amount.quantize(UNIT, context=_EXACT)):f}"


def cost_rows(pinned: Publication, month: str) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """What a publication says of a month: the four costs by KEY, read from the pinned version of the mart."""
    version = pinned.versions[COST_MART.name]
    rows = lake.scan(
        COST_MART, only=[file for file in lake.files(COST_MART, at=version) if file.partition["month"] == month]
    )
    summed = rows.group_by(KEY).aggregate(**{basis: rows[basis].sum().cast(MONEY) for basis in COSTS})
    found = {tuple(row[: len(KEY)]): tuple(row[len(KEY) :]) for row in rows_of(summed)}
    return {key: costs for key, costs in found.items() if any(costs)}


def entry(month: str, original_month: str, kind: str, key: Iterable[str], costs: Iterable[Decimal]) -> Entry:
    """One row of a statement."""
    values = [month, original_month, kind, *key, *(written(cost) for cost in costs)]
    return dict(zip(COLUMNS, values, strict=True))


def values(row: Mapping[str, str]) -> list[Any]:
    """A row in the order of COLUMNS, amounts as Decimal."""
    return [Decimal(row[name]) if name in COSTS else row[name] for name in COLUMNS]


def rows(close: Close) -> list[Entry]:
    """All rows of a closed month, in their order: its own cost, then what it adjusts."""
    own = [
        entry(close.month, close.month, "", key, costs)
        for key, costs in cost_rows(close.publication, close.month).items()
    ]
    return [*sorted(own, key=_order), *sorted(close.entries, key=_order)]


def _order(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in COLUMNS)


def as_csv(told: Iterable[Entry]) -> bytes:
    """UTF-8, LF, a header row; text a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(name, row[name]) for name in COLUMNS] for row in told)
    return out.getvalue().encode()


def _cell(name: str, text: str) -> str:
    return f"'{text}" if name not in COSTS and text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def as_json(close: Close, told: list[Entry]) -> bytes:
    """One line of UTF-8 with sorted keys: the rows, what they are stated from, who closed, and the hash before.

    `manual_entries` is there only where people booked some: statements from before there were any keep their bytes.
    """
    document = {
        "format": FORMAT_VERSION,
        "number": close.number,
        "month": close.month,
        "publication": close.publication.number,
        "ruleset": close.publication.ruleset,
        "lake_versions": close.publication.versions,
        "closed_at": close.closed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "closed_by": close.closed_by,
        "reason": close.reason,
        "objections": close.objections,
        "previous_sha256": close.previous_sha256,
        "csv_sha256": digest(as_csv(told)),
        "rows": told,
    } | ({"manual_entries": close.manual} if close.manual else {})
    return (json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def rebuilt(close: Close, form: str) -> bytes:
    """The statement as `csv` or `json`, from the pinned versions: the same bytes at any time."""
    told = rows(close)
    return as_csv(told) if form == "csv" else as_json(close, told)


def totals(told: Iterable[Mapping[str, Any]], basis: str = "effective_cost") -> dict[str, Decimal]:
    """The sum of one cost by currency."""
    sums: dict[str, Decimal] = {}
    for row in told:
        sums[row["currency"]] = _EXACT.add(sums.get(row["currency"], Decimal(0)), Decimal(row[basis]))
    return sums
