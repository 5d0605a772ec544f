"""One plain file of a bill, CSV or Parquet, with its columns bound: what is read, row by row, piece by piece."""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from apps.finops.problems import Problem
from apps.ingest.bill import pieces
from apps.ingest.bill.binding import bind, notes
from apps.ingest.bill.mapping import Bound, Mapping
from apps.ingest.bill.origins import ODD_IN_AMOUNTS, CsvOrigin, Origin, quoted
from apps.ingest.bill.parquet import FLOATS, INSIDE, ParquetOrigin, refuse_odd, too_wide
from apps.ingest.bill.tallies import UNREADABLE, Tally, listed, tally_cells, tally_parquet, wanted
from apps.ingest.text.cells import has_any, read_cells
from apps.ingest.text.header import Header, checked, read_header
from apps.ingest.text.jsonlines import as_csv
from apps.ingest.unpack import Member, Unreadable
from apps.warehouse import engine


@dataclass(frozen=True)
class Chunk:
    """Rows to write in one go: where the engine reads them, and what the tally counted in them."""

    origin: Origin
    counted: Tally
    first_row: int


@dataclass(frozen=True)
class Sheet:
    """A plain file with its columns bound to a mapping."""

    member: Member
    bound: Bound
    header: Header = field(default_factory=lambda: Header(()))
    origin: ParquetOrigin | None = None

    @property
    def is_long(self) -> bool:
        """Whether it is read in several pieces."""
        return self.origin is None and self.member.path.stat().st_size - self.header.size > pieces.SIZE

    def chunks(self, first_row: int) -> Generator[Chunk]:
        """The rows in their order; each is tallied before it is handed out."""
        if self.origin:
            yield Chunk(self.origin, _either(tally_parquet, self.member.path, self.bound), first_row)
            return
        for content in pieces.pieces(self.member.path, skip=self.header.size, size=pieces.SIZE):
            rows = read_cells(content, len(self.bound.columns))
            counted = _either(tally_cells, rows, self.bound)
            yield Chunk(self._origin(rows, has_nul=pieces.has_nul(content)), counted, first_row)
            first_row += counted.rows

    def _origin(self, rows: pa.Table, *, has_nul: bool) -> CsvOrigin:
        inputs = ((at, self.bound.input(alias)) for alias, at in self.bound.positions.items())
        amounts = [at for at, one in inputs if one and one.kind == "money" and not one.key]
        is_plain = not any(has_any(rows.column(at), ODD_IN_AMOUNTS) for at in amounts)
        return CsvOrigin(self.bound.columns, is_plain=is_plain, rows=rows, has_nul=has_nul)


def _either(tally: Any, rows: Any, bound: Bound) -> Tally:
    try:
        counted: Tally = tally(rows, bound, is_plain=True)
    except UNREADABLE:
        counted = tally(rows, bound, is_plain=False)
    return counted


def in_rows(member: Member, folder: Path, mappings: Sequence[Mapping]) -> Member:
    """JSON lines as CSV in `folder`: objects become columns, but for those that a mapping reads whole."""
    return as_csv(member, folder, {name for mapping in mappings for name in mapping.names})


def open_sheet(member: Member, mappings: Sequence[Mapping]) -> tuple[Sheet, list[Problem]]:
    """Read the header of a plain file and bind it; and what a person should know about it."""
    if member.kind != "parquet":
        header = read_header(member.path, member.name)
        bound = bind(mappings, header.columns, member.name)
        return Sheet(member, bound, header=header), notes(bound, member.name)
    origin = _parquet(member, {name for mapping in mappings for name in mapping.names})
    bound = bind(mappings, origin.columns, member.name)
    counted = (at for at in sorted(wanted(bound) - listed(bound)) if not origin.is_counted(at))
    refuse_odd(member.name, next(((origin.columns[at], origin.types[at]) for at in counted), None))
    return Sheet(member, bound, origin=origin), [*notes(bound, member.name), *_floats(member, bound, origin)]


def _parquet(member: Member, whole: Collection[str]) -> ParquetOrigin:
    relation = f"read_parquet('{quoted(str(member.path))}', hive_partitioning=false)"
    try:
        wide = too_wide(member.path)
        columns = tuple(pq.read_schema(member.path).names)
        described = engine.connect().con.execute(f"DESCRIBE FROM {relation}").fetchall()
        inner = _inner(relation, columns, described, whole)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise Unreadable(f"{member.name}: the Parquet file cannot be read ({reason}); export it again.") from error
    refuse_odd(member.name, wide)
    columns += tuple(name for name, _, _ in inner)
    names = (*(row[0] for row in described), *(path for _, path, _ in inner))
    types = (*(row[1] for row in described), *(kind for _, _, kind in inner))
    origin = ParquetOrigin(checked(columns, member.name), path=member.path, names=names, types=types)
    refuse_odd(member.name, origin.unreadable())
    return origin


def _inner(
    relation: str, columns: Sequence[str], described: Sequence[Any], whole: Collection[str]
) -> list[tuple[str, str, str]]:
    """The fields of structs, as columns behind the file's own: (name, what the engine calls it, type)."""
    found = []
    for column, (name, kind, *_) in zip(columns, described, strict=True):
        if kind.startswith("STRUCT") and not kind.endswith("]") and column not in whole:
            outer = name.replace('"', '""')
            query = f'DESCRIBE SELECT unnest("{outer}") FROM {relation}'  # noqa: S608  # a name of the file, quoted
            fields = engine.connect().con.execute(query).fetchall()
            found += [(f"{column}.{field[0]}", f"{name}{INSIDE}{field[0]}", field[1]) for field in fields]
    return found


def _floats(member: Member, bound: Bound, origin: ParquetOrigin) -> list[Problem]:
    amounts = [bound.name(alias) for alias, at in bound.positions.items() if _is_float_amount(bound, alias, origin, at)]
    if not amounts:
        return []
    message = (
        f"Stored as binary floating point, read by their shortest decimal text: {', '.join(amounts)}; export decimals."
    )
    return [Problem("warning", "float_amounts", member.name, message)]


def _is_float_amount(bound: Bound, alias: str, origin: ParquetOrigin, at: int) -> bool:
    one = bound.input(alias)
    return one is not None and one.kind == "money" and origin.types[at] in FLOATS
