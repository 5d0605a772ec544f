"""Opening anybody's file: what DuckDB reads it as, its columns, and a plain word about what cannot be read."""

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import duckdb

from apps.finops import focus
from apps.finops.errors import CostOpsError
from apps.warehouse import engine
from apps.warehouse.conformance.rules import Sheet

MAX_FIELD = 16_000_000
MAX_HEADER = 1 << 20
_BLOCK = 1 << 20
_KINDS = {
    b"PK\x03\x04": "a zip archive; unpack it",
    b"\xff\xfe": "UTF-16; export it as UTF-8",
    b"\xfe\xff": "UTF-16; export it as UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; export it as CSV",
}
_OF_CSV = (
    "all_varchar=true, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
    f"nullstr=['', 'NULL', 'null'], max_line_size={MAX_FIELD}, null_padding=false, strict_mode=true, "
    "hive_partitioning=false"
)


class NotChecked(CostOpsError):
    """The file cannot be read, or a criterion is unknown."""


def open_file(path: Path) -> tuple[str, Sheet]:
    """The file as a relation of DuckDB, and its columns; raises NotChecked, OSError or duckdb.Error."""
    with path.open("rb") as stream:
        start = stream.read(4)
    quoted = str(path).replace("'", "''")
    if start == b"PAR1":
        relation = f"read_parquet('{quoted}', hive_partitioning=false)"
        described = engine.connect().con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()  # noqa: S608  # quoted
        return relation, Sheet({name: kind for name, kind, *_ in described}, is_text=False)
    for magic, kind in _KINDS.items():
        if start.startswith(magic):
            raise NotChecked(f"{path}: is {kind}.")
    is_packed = start.startswith(b"\x1f\x8b")
    if is_packed:
        _refuse_damage(path)
    columns = _columns(path, is_packed=is_packed)
    listed = ", ".join(f"'{name.replace(chr(39), chr(39) * 2)}': 'VARCHAR'" for name in columns)
    packing = "gzip" if is_packed else "none"
    relation = f"read_csv('{quoted}', columns={{{listed}}}, compression='{packing}', {_OF_CSV})"
    return relation, Sheet(dict.fromkeys(columns, "VARCHAR"), is_text=True)


def _refuse_damage(path: Path) -> None:
    """Read a packed file to its end: DuckDB compares no checksum."""
    try:
        with gzip.open(path) as stream:
            while stream.read(_BLOCK):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise NotChecked(f"{path}: the gzip file is damaged or cut off ({error}); fetch it again.") from error


def _columns(path: Path, *, is_packed: bool) -> list[str]:
    """The names in the first line; raises NotChecked where they cannot be those of a FOCUS file."""
    with gzip.open(path) if is_packed else path.open("rb") as stream:
        start = stream.read(MAX_HEADER)
    try:
        text = start.decode("utf-8-sig", "strict" if len(start) < MAX_HEADER else "ignore")
        columns = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except UnicodeDecodeError as error:
        raise NotChecked(f"{path}: byte {error.start} is not UTF-8; export it as UTF-8.") from error
    except csv.Error as error:
        raise NotChecked(f"{path}, line 1: not CSV ({error}); export it again.") from error
    if not columns:
        raise NotChecked(f"{path}: is empty; export it again.")
    known = {name.lower() for name in focus.COLUMNS}
    if not known & {name.lower() for name in columns}:
        shown = ",".join(columns)[:120]
        raise NotChecked(f"{path}, line 1: none of FOCUS's columns, separated by commas, are named in {shown!r}.")
    seen: set[str] = set()
    for name in columns:  # DuckDB takes names that differ in case only for the same
        if name.lower() in seen:
            raise NotChecked(f"{path}, line 1: the column {name!r} is there twice; keep one.")
        seen.add(name.lower())
    return columns


def reason_of(error: duckdb.Error | UnicodeDecodeError) -> str:
    """What DuckDB found, in one line: where, and what, without its advice."""
    text = str(error)
    if place := re.search(r"CSV Error on Line: (\d+)", text):
        found = re.search(r"^(Expected .*|Value .*|Maximum .*|Invalid unicode.*|Error when .*)$", text, re.MULTILINE)
        return f"line {place[1]}: {found[1] if found else 'not CSV'}"[:300]
    return text.splitlines()[0][:300]
