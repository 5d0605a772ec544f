"""Writing charges as Parquet parts of the lake, one billing month a part, and adding them up again from there."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from apps.finops import focus
from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest.bill.mapping import Mapping
from apps.ingest.bill.origins import quoted, register
from apps.ingest.bill.query import SEVERAL_MONTHS, BillQuery
from apps.ingest.bill.tallies import Tally
from apps.ingest.reading import BilledDay, Content
from apps.warehouse import engine, lake
from apps.warehouse.failpoints import failpoint

Parts = dict[str, list[lake.WrittenFile]]
"""Billing month → its Parquet files."""

BASES = {column: basis for basis, column in focus.COST_METRICS.items()}


class NothingToPlace(Exception):
    """A charge has no billing period; the careful reader will say where."""


@dataclass(frozen=True)
class Bill:
    """A landed bill file: `name` is what people call it, `path` where its bytes lie; one of `mappings` reads it.

    `rows` is how many its manifest says it has, `is_answer` that it may be the answer of an API, `told` what else
    discovery says of it (`apps.ingest.bill.mapping.Told`).
    """

    path: Path
    name: str
    source: str
    file_id: str
    zone: str
    mappings: Sequence[Mapping]
    encodings: Sequence[str] = ("utf-8",)
    rows: int | None = None
    is_answer: bool = False
    told: Table[str, str] = field(default_factory=dict)

    def partition(self, month: str) -> dict[str, str]:
        return {"x_SourceName": self.source, "x_BillingMonth": month, "x_FileId": self.file_id}


def write(bill: Bill, query: BillQuery, month: str | None = None) -> Parts:
    """Write the charges of a query. Most files hold one month: that is assumed, and checked on every row.

    `month` is the likely one, told from rows read before.
    """
    connection: Any = engine.connect().con
    if not query.origin.is_plain:
        register(connection)
    if month is None:
        first = connection.execute(query.first_month()).fetchone()
        if first is None:
            return {}
        month = str(_placed(first[0]))
    try:
        return {month: [_write_month(connection, bill, query.month(month, only=False), month)]}
    except duckdb.Error as error:
        if SEVERAL_MONTHS not in str(error):
            raise
    months = [_placed(row[0]) for row in connection.execute(query.months()).fetchall()]
    return {month: [_write_month(connection, bill, query.month(month, only=True), month)] for month in months}


def _placed(month: str | None) -> str:
    if month is None:
        raise NothingToPlace
    return month


def _write_month(connection: Any, bill: Bill, query: str, month: str) -> lake.WrittenFile:
    # The engine's own PARTITION_BY loses the order of rows and takes twice as long: the folder is named here instead.
    partition = bill.partition(month)
    folder = lake.location(CHARGES)
    relative = Path(*(f"{key}={value}" for key, value in partition.items()), f"w{uuid.uuid4().hex[:12]}.parquet")
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    failpoint("read.write")
    try:
        _, rows, size, *_ = connection.execute(
            f"COPY ({query}) TO '{quoted(str(target))}' "
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, STRING_DICTIONARY_PAGE_SIZE_LIMIT 100000, "
            "RETURN_STATS)"  # a dictionary of ids that hardly repeat costs more than it saves
        ).fetchone()
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return lake.WrittenFile(path=str(relative), partition=partition, size=size, rows=rows)


def discard(parts: Parts) -> None:
    """Take parts that will not be committed off the disk."""
    for files in parts.values():
        for file in files:
            (lake.location(CHARGES) / file.path).unlink(missing_ok=True)


def verify(
    bill: Bill, parts: Parts, total: Tally, controls: Sequence[str], *, is_every_row: bool = True
) -> tuple[tuple[Content, ...], list[Problem]]:
    """What the parts hold, read back from them; an error if that is not exactly what the tally counted in the file.

    Unless it `is_every_row` that is a charge, only the sums must be the same, and none may be enough.
    """
    failpoint("read.verify")
    contents, rounded = [], 0
    found = Tally()
    by_currency = any(currency for currency, _ in total.units)
    for month, files in sorted(parts.items()):
        content, uneven = _content(month, files, controls, found, by_currency=by_currency)
        contents.append(content)
        rounded += uneven
    problems = [] if rounded == 0 else [_rounded(bill.name, rounded)]
    if found.rows == 0 and is_every_row:
        problems.append(Problem("warning", "no_rows", bill.name, "The file holds a header and no charges."))
    if found.said[1] != total.said[1] or (is_every_row and found.rows != total.rows):
        message = f"Written and counted differ ({found.rows} rows written, {total.rows} counted); nothing is published."
        problems.append(Problem("error", "tally", bill.name, message))
    return tuple(contents), problems


def _content(
    month: str, files: Iterable[lake.WrittenFile], controls: Sequence[str], found: Tally, *, by_currency: bool
) -> tuple[Content, int]:
    names = ", ".join(f"'{quoted(str(path))}'" for path in lake.paths(CHARGES, files))
    columns = list(dict.fromkeys((*BASES, *controls)))
    sums = ", ".join(f'sum("{column}")' for column in columns)
    groups = (
        engine.connect()
        .con.execute(
            'SELECT coalesce("BillingAccountId", \'\'), "x_ChargeDay", "BillingCurrency", count(*), '
            'epoch_us(min("ChargePeriodStart")), epoch_us(max("ChargePeriodStart")), '
            f'count("x_Rounded"), {sums} '
            f"FROM read_parquet([{names}], hive_partitioning=false) GROUP BY ALL ORDER BY ALL"
        )
        .fetchall()
    )
    cost: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(BASES.values(), Decimal(0)))
    accounts: dict[str, dict[str, BilledDay]] = defaultdict(dict)
    days, rows, rounded = set(), 0, 0
    for account, day, currency, count, first, last, uneven, *amounts in groups:
        days.add(str(day))
        rows += count
        rounded += uneven
        by_column = dict(zip(columns, amounts, strict=True))
        billed = BilledDay(count, first, last, {currency: by_column["EffectiveCost"] or Decimal(0)})
        by_day = accounts[account]
        by_day[str(day)] = by_day[str(day)] + billed if str(day) in by_day else billed
        for column, basis in BASES.items():
            cost[currency][basis] += by_column[column] or 0
        found.count(currency if by_currency else "", {column: by_column[column] for column in controls})
    found.rows += rows
    return Content(month, tuple(sorted(days)), rows, dict(cost), dict(accounts)), rounded


def _rounded(name: str, rows: int) -> Problem:
    message = f"{rows} rows had amounts of more than twelve decimals; rounded half-even, see x_Rounded."
    return Problem("note", "rounded", name, message)
