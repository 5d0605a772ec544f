"""Bills as they would be read, before the first load: the first charges, and what all of them add up to.

Everything is done as a load does it, verification included; then what was written is taken away again: nothing of it
was ever in the table of the lake.
"""

# ruff: noqa: S608  # names are ours, and every text is quoted: engines take no parameters there

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest import landing, services
from apps.ingest.apart.asking import read_bill
from apps.ingest.bill.origins import quoted
from apps.ingest.bill.writer import Bill, discard
from apps.ingest.models import Source
from apps.ingest.reading import Reading
from apps.warehouse import engine, lake

MOST_FILES = 20
_SHOWN = (
    "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ServiceName", "ResourceId", "BillingCurrency",
    "BilledCost", "EffectiveCost", "ListCost", "ContractedCost",
)  # fmt: skip
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


@dataclass(frozen=True)
class Line:
    """A charge as it would be, or a total of many: `rows` is how many it stands for, `row` which one of the file."""

    what: str
    file: str
    row: int | None
    start: Any
    end: Any
    category: str
    service: str
    resource: str
    currency: str
    rows: int
    billed_cost: Decimal | None
    effective_cost: Decimal | None
    list_cost: Decimal | None
    contracted_cost: Decimal | None


@dataclass(frozen=True)
class Preview:
    """What a load would make of a source; `files` of `all_files` were read."""

    charges: tuple[Line, ...]
    totals: tuple[Line, ...]
    problems: tuple[Problem, ...]
    files: int
    all_files: int


class NotABill(CostOpsError):
    """Only bills become charges."""


def preview(source: Source, rows: int) -> Preview:
    """The first charges of a source and the totals of its first files; nothing is published."""
    if not source.is_billing:
        raise NotABill(f"{source.name} brings usage, not bills; manage.py source check {source.name} looks at it.")
    services.check_options(source)
    place = services.place_of(source)
    discovery = services.discover(source, place)
    charges: list[Line] = []
    totals: dict[tuple[str, str], list[Any]] = {}
    problems = [*discovery.problems]
    for listed in islice(discovery.files, MOST_FILES):
        found = listed.found
        try:
            with place.at_hand(found) as path:
                reading = _read(source, path, found, listed.rows)
        except OSError as error:
            problems.append(Problem("error", "unreadable", found.path, f"Cannot be read: {error.strerror}."))
            continue
        problems += reading.problems
        parts = reading.parts.get(CHARGES.name, [])
        try:
            if parts:
                charges += _first(parts, found.path, rows - len(charges))
                _add_up(parts, totals)
        finally:
            discard({"": parts})
    lines = tuple(_total(*key, figures) for key, figures in sorted(totals.items()))
    read = min(len(discovery.files), MOST_FILES)
    return Preview(tuple(charges), lines, tuple(problems), read, len(discovery.files))


def _read(source: Source, path: Any, found: landing.Found, rows: int | None) -> Reading:
    provider = services.provider_of(source)
    return read_bill(
        Bill(
            path=path,
            name=found.path,
            source=source.name,
            file_id="preview",
            zone=settings.COSTOPS_TIME_ZONE,
            mappings=provider.mappings,
            encodings=provider.encodings,
            rows=rows,
        )
    )


def _relation(parts: list[lake.WrittenFile]) -> str:
    names = ", ".join(f"'{quoted(str(path))}'" for path in lake.paths(CHARGES, parts))
    return f"read_parquet([{names}], hive_partitioning=false)"


def _first(parts: list[lake.WrittenFile], file: str, rows: int) -> Iterator[Line]:
    names = ", ".join(f'"{name}"' for name in _SHOWN)
    found = engine.connect().con.execute(
        f'SELECT "x_Row", {names} FROM {_relation(parts)} ORDER BY "x_Row" LIMIT {max(rows, 0)}'
    )
    for row, start, end, category, service, resource, currency, *costs in found.fetchall():
        yield Line("charge", file, row, start, end, category, service, resource or "", currency, 1, *costs)


def _add_up(parts: list[lake.WrittenFile], totals: dict[tuple[str, str], list[Any]]) -> None:
    sums = ", ".join(f'sum("{name}")' for name in COSTS)
    found = engine.connect().con.execute(
        f'SELECT "BillingCurrency", "ChargeCategory", count(*), {sums} FROM {_relation(parts)} GROUP BY ALL'
    )
    for currency, category, *figures in found.fetchall():
        before = totals.setdefault((currency, category), [0, None, None, None, None])
        before[:] = [_plus(one, other) for one, other in zip(before, figures, strict=True)]


def _plus(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other
    return one + other


def _total(currency: str, category: str, figures: list[Any]) -> Line:
    rows, *costs = figures
    return Line("total", "", None, None, None, category, "", "", currency, rows, *costs)
