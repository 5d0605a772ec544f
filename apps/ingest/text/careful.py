"""The careful reader: slow, exact, in plain Python; it names the line and column of what the engine refused."""

import csv
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from apps.finops.problems import Problem
from apps.ingest.text import values
from apps.ingest.text.header import MAX_FIELD, Header

MOST = 20
_BOM = b"\xef\xbb\xbf"
_limit_lock = threading.Lock()


class Broken(Exception):
    """The text cannot be read beyond this line."""

    def __init__(self, code: str, line: int, message: str) -> None:
        super().__init__(message)
        self.code, self.line, self.message = code, line, message


@dataclass(frozen=True)
class Row:
    """One data row: `number` 1 is the first below the header; `line` is where it begins in the file."""

    number: int
    line: int
    cells: list[str]


def rows(path: Path) -> Iterator[Row]:
    """The data rows of a CSV file; blank lines are no rows. Raises `Broken` where the text is not UTF-8 or not CSV."""
    with _limit_lock:
        csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(_lines(path), strict=True)
    number, line = 0, 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Broken("csv", line, f"{_say(str(error))} (found at line {reader.line_num}).") from error
        if cells is None:
            return
        if cells:
            if number:
                yield Row(number, line, cells)
            number += 1
        line = reader.line_num + 1


def _say(error: str) -> str:
    if "field larger" in error or "unexpected end" in error:
        return "A quote is opened and not closed, or a value is longer than a megabyte; the file may be cut off"
    return f"Not CSV: {error}"


def _lines(path: Path) -> Iterator[str]:
    offset = 0
    with path.open("rb") as stream:
        line = 0
        while raw := stream.readline(4 * MAX_FIELD):
            line += 1
            text = raw.removeprefix(_BOM) if line == 1 else raw
            try:
                yield text.decode("utf-8")
            except UnicodeDecodeError as error:
                at = offset + len(raw) - len(text) + error.start
                message = f"Byte 0x{text[error.start]:02x} at offset {at} is not UTF-8; export the file as UTF-8."
                raise Broken("encoding", line, message) from error
            offset += len(raw)


Check = Callable[[str], str | None]
"""What is wrong with a value that is not missing, as a sentence; None when nothing is."""


@dataclass(frozen=True)
class Plan:
    """What the rows of a file must be like: the columns required in every row, and a check by column."""

    header: Header
    required: tuple[str, ...]
    checks: Mapping[str, Check]


def examine(path: Path, name: str, plan: Plan, *, by_row: bool = False) -> list[Problem]:
    """What is wrong with the rows of a file, at most twenty problems; empty when every row can be taken.

    `by_row`: the text was made from a file without lines (Parquet); then rows are numbered instead.
    """
    problems: list[Problem] = []
    checks = [(plan.header.position(column), column, check) for column, check in plan.checks.items()]
    try:
        for row in rows(path):
            where = f"{name}, row {row.number}" if by_row else f"{name}, line {row.line}"
            problems += _examine_row(row, where, plan, checks)
            if len(problems) >= MOST:
                return problems[:MOST]
    except Broken as broken:
        problems.append(Problem("error", broken.code, f"{name}, line {broken.line}", broken.message))
    return problems


def _examine_row(row: Row, where: str, plan: Plan, checks: list[tuple[int, str, Check]]) -> Iterator[Problem]:
    columns = plan.header.columns
    if len(row.cells) != len(columns):
        last = columns[min(len(row.cells), len(columns)) - 1]
        message = f"The row has {len(row.cells)} values, the header {len(columns)}; the file may be cut off or joined."
        yield Problem("error", "row_width", f"{where}, column {last}", message)
        return
    if tuple(row.cells) == columns:
        message = "The header is repeated: two files were joined; deliver them apart."
        yield Problem("error", "header_repeated", f"{where}, column {columns[0]}", message)
        return
    for column in plan.required:
        if row.cells[plan.header.position(column)] in values.MISSING:
            yield Problem("error", "missing_value", f"{where}, column {column}", "A required value is missing.")
    for at, column, check in checks:
        text = row.cells[at]
        wrong = None if text in values.MISSING else check(text)
        if wrong:
            yield Problem("error", "bad_value", f"{where}, column {column}", wrong)


def shown(text: str) -> str:
    """A value as a message quotes it."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def rewrite(path: Path, header: Header, target: Path) -> None:
    """The same rows as CSV the engine surely takes: one kind of line break, every value quoted alike."""
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(header.columns)
        writer.writerows(row.cells for row in rows(path))
