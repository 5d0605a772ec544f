"""Reading a workbook somebody brings: the rows of its first sheet as cells of text."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from apps.finops import sheets
from apps.finops.sheets import BadSheet, Wrong, WrongCell

MOST_UNPACKED = 512 << 20
MOST_TIMES = 32
"""A workbook unpacks to some ten times its size; one that was made to be large to a thousand times."""
MOST_COLUMNS = 256
"""What stands further to the right is not looked at; a sheet may have 16,384 columns in every row."""
MOST_LINES = 1_048_576
"""What a sheet of any spreadsheet has; a file may call a line of its own by any number."""
MOST_EXACT = 10**15
MAGIC = b"PK\x03\x04"
Row = TypeVar("Row")
Lines = Iterator[tuple[int, dict[str, str]]]


def read(
    content: bytes,
    *,
    name: str,
    headers: Sequence[Sequence[str]],
    row: Callable[[int, dict[str, str]], Row],
    most_bytes: int = sheets.MOST_BYTES,
    what: str = "line",
) -> list[Row]:
    """The rows of a CSV file or of a workbook, by what it begins with, as `sheets.read` takes them."""
    if not content.startswith(MAGIC):
        return sheets.read(content, name=name, headers=headers, row=row, most_bytes=most_bytes)
    if len(content) > most_bytes:
        raise BadSheet(f"{name}: more than {most_bytes >> 20} MiB; split the file.")
    return checked(name, lines(content, name, headers, min(MOST_UNPACKED, MOST_TIMES * most_bytes)), row, what=what)


def checked(name: str, found: Lines, row: Callable[[int, dict[str, str]], Row], *, what: str = "line") -> list[Row]:
    """The rows of cells that come from elsewhere than CSV; raises BadSheet for whatever is wrong with any."""
    rows: list[Row] = []
    wrong: list[Wrong] = []
    for line, cells in found:
        try:
            rows.append(row(line, cells))
        except WrongCell as cell:
            wrong.append(Wrong(line, str(cell)))
    sheets.refuse(name, wrong)
    if not rows:
        raise BadSheet(f"{name}: no {what} in it. Nothing was imported.")
    return rows


def lines(content: bytes, name: str, headers: Sequence[Sequence[str]], most_unpacked: int = MOST_UNPACKED) -> Lines:
    """The rows of the first sheet whose columns, in any order, are those of one of `headers`."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > most_unpacked:
                raise BadSheet(f"{name}: unpacks to more than {most_unpacked >> 20} MiB.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its size need not be so
        first = next(sheet.iter_rows(max_row=1, max_col=MOST_COLUMNS, values_only=True), ())
        header = [str(cell or "").strip() for cell in first]
        while header and not header[-1]:
            header.pop()
        known = sorted(filter(None, header))
        if known not in [sorted(columns) for columns in headers]:
            allowed = " or ".join(",".join(columns) for columns in headers)
            raise BadSheet(f"{name}, line 1: the columns must be {allowed}; they are {','.join(header)[:200]}.")
        rows = sheet.iter_rows(min_row=2, max_col=len(header), values_only=True)
        unknown = _Formulas(content, header)
        for line, row in _numbered(rows, name):
            if None in row and (odd := unknown.first(line, row)) is not None:
                raise BadSheet(
                    f"{name}, line {line}, {header[odd]}: a formula whose result the workbook does not hold; "
                    "open it in a spreadsheet and save it, or write the value."
                )
            cells = {
                column: _exact(value, f"{name}, line {line}, {column}")
                for column, value in zip(header, row, strict=False)
                if column
            }
            if any(cells.values()):
                yield line, dict.fromkeys(known, "") | cells
    except BadSheet:
        raise
    except Exception as broken:  # its reader raises KeyError, zlib.error and more for broken files
        raise BadSheet(f"{name}: not a workbook that can be read ({type(broken).__name__}).") from broken


def _numbered(rows: Iterator[Sequence[Any]], name: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """The lines below the header; of those that are missing, one after another, the first alone."""
    before = None
    for line, row in enumerate(rows, start=2):
        if line > MOST_LINES:
            raise BadSheet(f"{name}, line {line}: a sheet has at most {MOST_LINES:,} lines; delete those below.")
        if row is not before:  # the reader hands out one and the same for all that are missing
            yield line, row
        before = row


class _Formulas:
    """What a sheet reckons: a program that writes formulas alone leaves their results out. Lines are asked for in their
    order."""

    def __init__(self, content: bytes, header: Sequence[str]) -> None:
        self._content, self._header = content, header

    def _read(self, *, data_only: bool, values_only: bool) -> Iterator[Sequence[Any]]:
        from openpyxl import load_workbook

        sheet = load_workbook(io.BytesIO(self._content), read_only=True, data_only=data_only).worksheets[0]
        sheet.reset_dimensions()
        return iter(sheet.iter_rows(min_row=2, max_col=len(self._header), values_only=values_only))

    @cached_property
    def _lines(self) -> Iterator[tuple[int, tuple[Sequence[Any], Sequence[Any]]]]:
        written = self._read(data_only=False, values_only=True)
        return enumerate(zip(written, self._read(data_only=True, values_only=False), strict=True), start=2)

    def first(self, line: int, row: Sequence[Any]) -> int | None:
        """The first column of a line that holds a formula and no value, of those with a name; one that came to an empty
        text has said so."""
        written, cells = next(found for at, found in self._lines if at == line)
        empty = (at for at, name in enumerate(self._header) if name and row[at] is None and written[at] is not None)
        return next((at for at in empty if cells[at].data_type != "str"), None)


def _exact(value: Any, where: str) -> str:
    """A cell as text; BadSheet for a number of which a workbook does not keep every digit."""
    if isinstance(value, float) and abs(value) >= MOST_EXACT:
        raise BadSheet(f"{where}: a workbook keeps 15 digits of a number, and this has more; write it as text.")
    return text(value)


def text(value: Any) -> str:
    """A cell as CSV would hold it."""
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()
