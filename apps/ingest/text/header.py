"""The header of a CSV file: its columns, bound by name."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from apps.finops import focus
from apps.finops.problems import Problem

MAX_COLUMNS = 1_000
MAX_FIELD = 1_000_000
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Header:
    """The columns of a file in its own order; `lines` is how many lines the header takes."""

    columns: tuple[str, ...]
    lines: int = 1

    def position(self, column: str) -> int:
        return self.columns.index(column)

    @property
    def known(self) -> dict[str, int]:
        """FOCUS column id → position."""
        return {name: at for at, name in enumerate(self.columns) if name in focus.COLUMNS}

    @property
    def unknown(self) -> dict[str, int]:
        """Any other column → position; kept in `x_Other`."""
        return {name: at for at, name in enumerate(self.columns) if name not in focus.COLUMNS}


class BadHeader(Exception):
    """The header cannot be used; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_header(path: Path, name: str, required: tuple[str, ...] = ()) -> Header:
    """The header of a CSV file that has all required columns."""
    with path.open("rb") as stream:
        head = stream.read(MAX_FIELD)
    if encoding := _WIDE.get(head[:2]):
        raise _bad(name, "encoding", f"The file is {encoding}; export it as UTF-8.")
    lines = head.removeprefix(_BOM).splitlines(keepends=True)
    reader = csv.reader(io.StringIO(b"".join(lines[:200]).decode("utf-8", "replace"), newline=""), strict=True)
    try:
        columns = next(reader, [])
    except csv.Error as error:
        raise _bad(name, "header", f"The header is not CSV ({error}); write one line of column names.") from error
    return _checked(Header(tuple(columns), reader.line_num), name, required)


def _checked(header: Header, name: str, required: tuple[str, ...]) -> Header:
    columns = header.columns
    if len(columns) > MAX_COLUMNS:
        raise _bad(name, "columns", f"{len(columns)} columns; at most {MAX_COLUMNS} are read.")
    for separator in ";\t|":
        if len(columns) == 1 and separator in columns[0]:
            raise _bad(name, "delimiter", f"Columns are separated by {separator!r}; export with commas.")
    if missing := [column for column in required if column not in columns]:
        raise _bad(
            name, "missing_column", f"Required columns are missing: {', '.join(missing)}.{_hint(missing, columns)}"
        )
    if "" in columns:
        raise _bad(name, "header", f"Column {columns.index('') + 1} has no name.")
    for spelled, times in Counter(column.casefold() for column in columns).items():
        if times > 1:
            twice = ", ".join(column for column in columns if column.casefold() == spelled)
            raise _bad(name, "duplicate_column", f"Columns of the same name: {twice}; keep one.")
    return header


def _hint(missing: list[str], columns: tuple[str, ...]) -> str:
    spelled = {column.casefold(): column for column in columns}
    near = [spelled[column.casefold()] for column in missing if column.casefold() in spelled]
    return f" Names are written exactly so, not {', '.join(near)}." if near else ""


def _bad(name: str, code: str, message: str) -> BadHeader:
    return BadHeader(Problem("error", code, f"{name}, line 1", message))


def notes(header: Header, name: str) -> list[Problem]:
    """What a person should know about a usable header: columns that are neither FOCUS nor custom."""
    stray = [column for column in header.unknown if not column.startswith("x_")]
    if not stray:
        return []
    message = f"Columns that are not FOCUS 1.2 are kept in x_Other: {', '.join(stray)}."
    return [Problem("note", "unknown_column", f"{name}, line 1", message)]
