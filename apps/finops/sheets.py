"""Reading a CSV text somebody brings: all of it or nothing, every wrong cell named by file, line and column."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount

MOST_BYTES = 64 << 20
MOST_WRONG = 20
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)
Row = TypeVar("Row")


class BadSheet(CostOpsError):
    """The file cannot be imported; the message names every wrong cell, at most twenty."""


class WrongCell(Exception):
    """A cell that cannot be meant."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(f"column {column}: {message}")


class Wrong(NamedTuple):
    """What is wrong with a line of a file."""

    line: int
    message: str


def refuse(name: str, wrong: Sequence[Wrong]) -> None:
    """Raise BadSheet when anything is wrong."""
    if not wrong:
        return
    told = "; ".join(f"line {line}, {message}" for line, message in sorted(wrong)[:MOST_WRONG])
    more = f"; and {len(wrong) - MOST_WRONG} more" if len(wrong) > MOST_WRONG else ""
    raise BadSheet(f"{name}: {told}{more}. Nothing was imported.")


def read(
    content: bytes,
    *,
    name: str,
    headers: Sequence[Sequence[str]],
    row: Callable[[int, dict[str, str]], Row],
    most_bytes: int = MOST_BYTES,
) -> list[Row]:
    """The rows of a file whose columns, in any order, are those of one of `headers`.

    `row` makes a row of a line number and its cells, or raises WrongCell.
    """
    if len(content) > most_bytes:
        raise BadSheet(f"{name}: more than {most_bytes >> 20} MiB; split the file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSheet(f"{name}: not UTF-8 (byte {error.start}); export it as UTF-8.") from error
    rows: list[Row] = []
    wrong: list[Wrong] = []
    for line, cells in _lines(name, text, headers):
        try:
            rows.append(row(line, cells))
        except WrongCell as cell:
            wrong.append(Wrong(line, str(cell)))
    refuse(name, wrong)
    if not rows:
        raise BadSheet(f"{name}: no line below the header. Nothing was imported.")
    return rows


def _lines(name: str, text: str, headers: Sequence[Sequence[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if sorted(header) not in [sorted(columns) for columns in headers]:
            allowed = " or ".join(",".join(columns) for columns in headers)
            raise BadSheet(f"{name}, line 1: the columns must be {allowed}; they are {','.join(header)[:200]}.")
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    raise BadSheet(f"{name}, line {line}: {len(cells)} values for {len(header)} columns.")
                yield line, {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadSheet(f"{name}, line {reader.line_num}: not CSV ({error}).") from error


def day(cells: dict[str, str], column: str) -> date:
    """A day as 2026-10-01."""
    text = cells[column]
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or not FIRST_DAY <= found <= LAST_DAY:
        raise WrongCell(column, f"{text[:40]!r} is not a day; write 2026-10-01")
    return found


def amount(cells: dict[str, str], column: str) -> Decimal:
    """A decimal number of at most twelve decimals: nothing is rounded on the way in."""
    text = cells[column]
    try:
        found, is_rounded = parse_amount(text)
    except NotAnAmount:
        raise WrongCell(column, f"{text[:40]!r} is not a number; write 7.1234") from None
    if is_rounded:
        raise WrongCell(column, f"{text[:40]} has more than twelve decimals")
    return found


def words(cells: dict[str, str], column: str, *, most: int) -> str:
    """Text that is there, of one line, and not too long."""
    text = cells[column]
    if not text:
        raise WrongCell(column, "is empty")
    if len(text) > most or not text.isprintable():
        raise WrongCell(column, f"is longer than {most} characters, or holds characters that do not show")
    return text
