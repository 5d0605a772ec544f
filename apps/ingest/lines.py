"""From a charge in the lake back to the line of the file it came from."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ibis.expr.types as ir

from apps.finops.tables import CHARGES
from apps.ingest.bill.query import quoted
from apps.ingest.landing import landed_path
from apps.ingest.models import LandedFile
from apps.ingest.text import careful
from apps.ingest.unpack import Member, unpacked
from apps.warehouse import engine, lake


@dataclass(frozen=True)
class Place:
    """Where a row stands: the file as received, inside an archive with its member, and the line (Parquet: the row)."""

    file: str
    row: int
    line: int | None

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}" if self.line is None else f"{self.file}, line {self.line}"


def charges_with_rows(files: Iterable[lake.StoredFile]) -> ir.Table:
    """Charges of some files of the lake, with `x_Row` always told.

    Large files are written in the order of their rows instead of with numbers (numbering is the one thing the engine
    cannot do in parallel); there the number is the position in the Parquet file.
    """
    chosen = list(files)
    if not chosen:
        return lake.scan(CHARGES, only=[])
    names = ", ".join(f"'{quoted(str(lake.location(CHARGES) / file.path))}'" for file in chosen)
    columns = ", ".join(
        'coalesce("x_Row", file_row_number + 1) AS "x_Row"' if name == "x_Row" else f'"{name}"'
        for name in CHARGES.columns
    )
    types = ", ".join(f"'{name}': VARCHAR" for name in CHARGES.partition_by)
    options = f"file_row_number=true, hive_partitioning=true, hive_types={{{types}}}"
    query = f"SELECT {columns} FROM read_parquet([{names}], {options})"
    return engine.connect().sql(query, schema=CHARGES.schema)


def places(file_id: str, rows: Iterable[int]) -> dict[int, Place]:
    """Where rows of a landed file stand, by `x_Row`; read from the bytes as they were received."""
    file = LandedFile.objects.get(pk=int(file_id.removeprefix("f")))
    wanted = set(rows)
    found: dict[int, Place] = {}
    with unpacked(landed_path(file.sha256), file.path) as bundle:
        before = 0
        for member in bundle.members:
            if not wanted:
                break
            number = before
            for number, place in _places(member, before):
                if number in wanted:
                    found[number] = place
                    wanted.remove(number)
                    if not wanted:
                        break
            before = number
    return found


def _places(member: Member, before: int) -> Iterator[tuple[int, Place]]:
    if member.kind == "parquet":
        count = (
            engine.connect()
            .con.execute(f"SELECT count(*) FROM read_parquet('{quoted(str(member.path))}')")
            .fetchone()[0]
        )
        yield from ((before + row, Place(member.name, row, None)) for row in range(1, count + 1))
        return
    for row in careful.rows(member.path):
        yield before + row.number, Place(member.name, row.number, row.line)
