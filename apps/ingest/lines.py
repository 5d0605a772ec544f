"""From a charge in the lake back to the line of the file it came from."""

# ruff: noqa: S608  # identifiers are declared columns, and every text is quoted: engines take no parameters there

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apps.ingest import kinds
from apps.ingest.bill.origins import quoted
from apps.ingest.landing import at_hand
from apps.ingest.models import LandedFile
from apps.ingest.text import careful, jsonlines
from apps.ingest.text.answers import in_csv
from apps.ingest.text.counted import lines_of
from apps.ingest.text.encoding import in_utf8
from apps.ingest.unpack import Member, Unreadable, unpacked
from apps.warehouse import engine


@dataclass(frozen=True)
class Place:
    """Where a row stands: the file as received, inside an archive with its member, and the line.

    Of Parquet, and of an API's answer, the row.
    """

    file: str
    row: int
    line: int | None

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}" if self.line is None else f"{self.file}, line {self.line}"


def places(file_id: str, rows: Iterable[int]) -> dict[int, Place]:
    """Where rows of a landed file stand, by `x_Row`; read from the bytes as they were received.

    Of a file that is no longer kept (its source was removed, its bytes are gone), or is damaged, the row is all that is
    known.
    """
    wanted = set(rows)
    file = LandedFile.objects.select_related("source").filter(pk=int(file_id.removeprefix("f"))).first()
    if file is None or not _is_kept(file.sha256):
        return _unknown(f"{file.path if file else file_id} (no longer kept)", wanted)
    try:
        return _unknown(file.path, wanted) | _in_file(file, wanted)
    except (Unreadable, careful.Broken, OSError):
        return _unknown(f"{file.path} (cannot be read)", wanted)


def _is_kept(sha256: str) -> bool:
    try:
        return at_hand(sha256).exists()
    except FileNotFoundError:
        return False


def _unknown(name: str, wanted: set[int]) -> dict[int, Place]:
    return {row: Place(name, row, None) for row in wanted}


def _in_file(file: LandedFile, wanted: set[int]) -> dict[int, Place]:
    provider = kinds.BILLS.get(file.source.kind)
    encodings = provider.encodings if provider else ("utf-8",)
    with unpacked(at_hand(file.sha256), file.path) as bundle:
        texts = [in_utf8(member, bundle.folder, encodings) for member in bundle.members]
        plain = [in_csv(text, bundle.folder) if provider and provider.has_answers else text for text in texts]
        counted = _counted(plain, wanted, rows=file.rows) if plain == texts else None
        return counted or _read(plain, wanted, has_lines=[one == text for one, text in zip(plain, texts, strict=True)])


def _counted(members: Sequence[Member], wanted: set[int], *, rows: int) -> dict[int, Place] | None:
    """The places as quotes are counted; None where that cannot be, or does not come to as many rows as were read."""
    found: dict[int, Place] = {}
    before = 0
    for member in members:
        told = lines_of(member.path, {row - before for row in wanted}) if member.kind == "csv" else None
        if told is None:
            return None
        lines, count = told
        found |= {before + row: Place(member.name, row, line) for row, line in lines.items()}
        before += count
    return found if before == rows and found.keys() == wanted else None


def _read(members: Sequence[Member], wanted: set[int], *, has_lines: Sequence[bool]) -> dict[int, Place]:
    """The places as the careful reader tells them."""
    found: dict[int, Place] = {}
    left, before = set(wanted), 0
    for member, has_line in zip(members, has_lines, strict=True):
        number = before
        for number, place in _places(member, before, has_lines=has_line):
            if number in left:
                found[number] = place
                left.remove(number)
                if not left:
                    return found
        before = number
    return found


def _places(member: Member, before: int, *, has_lines: bool) -> Iterator[tuple[int, Place]]:
    if member.kind == "parquet":
        count = (
            engine.connect()
            .con.execute(f"SELECT count(*) FROM read_parquet('{quoted(str(member.path))}')")
            .fetchone()[0]
        )
        yield from ((before + row, Place(member.name, row, None)) for row in range(1, count + 1))
        return
    if member.kind == "json":
        for row_number, (line, _) in enumerate(jsonlines.lines(member.path), 1):
            yield before + row_number, Place(member.name, row_number, line)
        return
    for row in careful.rows(member.path):
        yield before + row.number, Place(member.name, row.number, row.line if has_lines else None)
