"""Reading CSV of another tool, row by row; whatever cannot be read refuses the file, by line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.ingest.text import careful
from apps.ingest.text.header import read_header, refuse_twins
from apps.ingest.unpack import Member
from apps.ingest.usage_formats.base import BadUsage


@dataclass(frozen=True)
class Line:
    """One row: cells by column, and where it stands."""

    cells: Mapping[str, str]
    where: str

    def text(self, column: str) -> str:
        return self.cells.get(column, "")


def columns_of(member: Member) -> tuple[str, ...]:
    """The columns in the first line of a file, each there once."""
    header = read_header(member.path, member.name)
    refuse_twins(header.columns, member.name, header.columns)
    return tuple(header.columns)


def refuse_missing(member: Member, columns: Sequence[str], needs: Sequence[str]) -> None:
    if missing := [name for name in needs if name not in columns]:
        raise BadUsage("missing_column", f"{member.name}, line 1", f"Missing columns: {', '.join(missing)}.")


def lines(member: Member, columns: Sequence[str]) -> Iterator[Line]:
    """The rows below the first line."""
    try:
        for row in careful.rows(member.path):
            where = f"{member.name}, line {row.line}"
            if len(row.cells) != len(columns):
                said = f"{len(row.cells)} values for {len(columns)} columns; export it again."
                raise BadUsage("columns", where, said)
            yield Line(dict(zip(columns, row.cells, strict=True)), where)
    except careful.Broken as broken:
        raise BadUsage(broken.code, f"{member.name}, line {broken.line}", broken.message) from broken
