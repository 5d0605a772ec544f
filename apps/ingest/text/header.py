"""The header of a CSV file: its columns, bound by name."""

import csv
import io
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from apps.finops.problems import Problem

MAX_COLUMNS = 1_000
MAX_FIELD = 1_000_000
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Header:
    """The columns of a file in its own order; `size` is how many bytes the header takes, `lines` how many lines."""

    columns: tuple[str, ...]
    size: int = 0
    lines: int = 1

    def position(self, column: str) -> int:
        return self.columns.index(column)


class BadHeader(Exception):
    """The header cannot be used; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_header(path: Path, name: str) -> Header:
    """The header of a CSV file: columns with a name each."""
    with path.open("rb") as stream:
        head = stream.read(MAX_FIELD)
    if encoding := _WIDE.get(head[:2]):
        raise _bad(name, "encoding", f"The file is {encoding}; export it as UTF-8.")
    lines = head.removeprefix(_BOM).splitlines(keepends=True)
    mark = len(head) - sum(map(len, lines))
    reader = csv.reader(io.StringIO(b"".join(lines[:200]).decode("utf-8", "replace"), newline=""), strict=True)
    try:
        columns = next(reader, [])
    except csv.Error as error:
        raise _bad(name, "header", f"The header is not CSV ({error}); write one line of column names.") from error
    if odd := next((column for column in columns if "\ufffd" in column), ""):
        raise _bad(name, "encoding", f"The name of a column ({odd!r}) is not UTF-8; export the file as UTF-8.")
    size = mark + sum(map(len, lines[: reader.line_num]))
    return Header(checked(tuple(columns), name), size, reader.line_num)


def checked(columns: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The columns of a file, when they can be told apart by name."""
    if len(columns) > MAX_COLUMNS:
        raise _bad(name, "columns", f"{len(columns)} columns; at most {MAX_COLUMNS} are read.")
    for separator in ";\t|":
        if len(columns) == 1 and separator in columns[0]:
            raise _bad(name, "delimiter", f"Columns are separated by {separator!r}; export with commas.")
    if "" in columns:
        raise _bad(name, "header", f"Column {columns.index('') + 1} has no name.")
    if odd := [at for at, column in enumerate(columns, 1) if "\0" in column]:
        raise _bad(name, "header", f"The name of column {odd[0]} holds a NUL; the file is damaged, fetch it again.")
    return columns


def refuse_twins(columns: tuple[str, ...], name: str, read: Collection[str]) -> None:
    """Two columns of one name are one too many; where one of them is `read`, also two that differ by case only."""
    exactly, folded = Counter(columns), Counter(column.casefold() for column in columns)
    spelled = {column.casefold() for column in read if folded[column.casefold()] > 1}
    if twice := [column for column in columns if exactly[column] > 1 or column.casefold() in spelled]:
        raise _bad(name, "duplicate_column", f"Columns of the same name: {', '.join(twice)}; keep one.")


def _bad(name: str, code: str, message: str) -> BadHeader:
    return BadHeader(Problem("error", code, f"{name}, line 1", message))
