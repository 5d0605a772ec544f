"""Reading a landed bill: Parquet parts of the `charges` table, verified against an independent tally."""

import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

import duckdb

from apps.finops.money import NotAnAmount
from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest.bill import checks, tallies
from apps.ingest.bill.binding import other_days
from apps.ingest.bill.query import BillQuery
from apps.ingest.bill.sheets import Chunk, Sheet, in_rows, open_sheet
from apps.ingest.bill.writer import Bill, NothingToPlace, Parts, discard, verify, write
from apps.ingest.quality.rows import look
from apps.ingest.reading import Reading, refused
from apps.ingest.text import careful
from apps.ingest.text.answers import in_csv
from apps.ingest.text.cells import Misshapen
from apps.ingest.text.encoding import in_utf8
from apps.ingest.text.header import BadHeader, Header, read_header
from apps.ingest.unpack import Damaged, Unpacked, Unreadable, is_damage, unpacked
from apps.warehouse import engine
from apps.warehouse.failpoints import failpoint

STOPPED = (
    duckdb.DataError,
    duckdb.InvalidInputException,
    duckdb.InternalException,
    *tallies.UNREADABLE,
    Misshapen,
    NothingToPlace,
    UnicodeDecodeError,  # a currency that is not UTF-8, when the tally adds up
    NotAnAmount,
)
"""How a query says that it cannot take a value. A full disk, or a mistake of ours, is not the file's fault."""


class Refused(Exception):
    """The file is not taken; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message if problems else "")
        self.problems = problems


def read_bill(bill: Bill) -> Reading:
    """Read a bill. Its parts lie in the lake's folder, uncommitted; a refused bill publishes nothing."""
    parts: Parts = defaultdict(list)
    failpoint("read.unpack")
    try:
        with unpacked(bill.path, bill.name) as bundle:
            reading = replace(_read_members(bill, bundle, parts), content_sha256=bundle.content_sha256)
            if not reading.is_refused and bill.rows not in (None, reading.rows):
                reading = refused([_wrong_count(bill, reading.rows)])
    except Unreadable as error:
        reading = refused([Problem("error", "damaged", bill.name, str(error))])
    except BadHeader as bad:
        reading = refused([bad.problem])
    except Refused as bad:
        reading = refused(bad.problems)
    except (OSError, UnicodeDecodeError, duckdb.Error) as error:
        if not is_damage(error):
            raise
        reading = refused([Problem("error", "damaged", bill.name, str(Damaged(bill.name, error)))])
    if reading.is_refused:
        discard(parts)
    return reading


def _wrong_count(bill: Bill, rows: int) -> Problem:
    message = f"The file has {rows} rows, its manifest says {bill.rows}; fetch it again."
    return Problem("error", "row_count", bill.name, message)


def _read_members(bill: Bill, bundle: Unpacked, parts: Parts) -> Reading:
    problems: list[Problem] = []
    total = tallies.Tally()
    controls: set[str] = set()
    is_every_row = False
    sheets: list[Sheet] = []
    for member in bundle.members:
        failpoint("read.parse")
        text = in_utf8(member, bundle.folder, bill.encodings)
        text = in_csv(text, bundle.folder) if bill.is_answer else text
        sheet, said = open_sheet(in_rows(text, bundle.folder, bill.mappings), bill.mappings)
        problems += [*said, *_ending(sheet)]
        sheets.append(sheet)
        written, counted = _read_sheet(bill, sheet, bundle.folder, first_row=total.rows)
        for month, files in written.items():
            parts[month] += files
        total.add(counted)
        controls |= sheet.bound.controlled
        is_every_row |= not sheet.bound.mapping.only
    contents, said = verify(bill, parts, total, sorted(controls), is_every_row=is_every_row)
    for sheet in sheets:
        problems += other_days(sheet.bound, sheet.member.name, bill.zone, contents)
    if not any(problem.severity == "error" for problem in said):
        said += look(bill.name, [part for files in parts.values() for part in files])
    if any(problem.severity == "error" for problem in said):
        return refused((*problems, *said))
    return Reading({CHARGES.name: [part for files in parts.values() for part in files]}, contents, (*problems, *said))


def _ending(sheet: Sheet) -> list[Problem]:
    """A last line without a line break may be cut: fatal where `33` could have been `33.10`, else worth a warning."""
    if sheet.origin:
        return []
    with sheet.member.path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) in (b"\n", b"\r"):
            return []
    last = len(sheet.bound.columns) - 1
    where = f"{sheet.member.name}, last line, column {sheet.bound.columns[last]}"
    read = {at: sheet.bound.input(alias) for alias, at in sheet.bound.positions.items()}
    if (one := read.get(last)) and one.kind in ("money", "time"):
        raise Refused(
            Problem("error", "cut_off", where, "The file ends inside a value, without a line break: fetch it again.")
        )
    return [Problem("warning", "no_line_break", where, "The file ends without a line break; it may be cut off.")]


def _read_sheet(bill: Bill, sheet: Sheet, folder: Path, *, first_row: int) -> tuple[Parts, tallies.Tally]:
    """By the engine; where that stops, the careful reader says why, or mends line breaks."""
    try:
        return _write_chunks(bill, sheet, first_row)
    except STOPPED:
        plan = checks.plan(sheet.header if sheet.header.columns else Header(sheet.bound.columns), sheet.bound)
    if sheet.origin:
        raise Refused(*_examine_parquet(sheet, plan, folder))
    if problems := careful.examine(sheet.member.path, sheet.member.name, plan, by_row=sheet.member.kind == "json"):
        raise Refused(*problems)
    mended = folder / "mended.csv"
    careful.rewrite(sheet.member.path, sheet.header, mended)
    again = replace(sheet, member=replace(sheet.member, path=mended), header=read_header(mended, sheet.member.name))
    try:
        return _write_chunks(bill, again, first_row)
    except STOPPED as error:
        raise Refused(_unexplained(sheet, error)) from error


def _unexplained(sheet: Sheet, error: Exception) -> Problem:
    message = f"The engine cannot read the file: {str(error).splitlines()[0][:300]}"
    return Problem("error", "engine", sheet.member.name, message)


def _examine_parquet(sheet: Sheet, plan: careful.Plan, folder: Path) -> list[Problem]:
    """What is wrong with the rows of a Parquet file: written out as text, and read by the careful reader."""
    if sheet.origin is None:
        return []
    target = folder / "rows.csv"
    texts = ", ".join(f"({sheet.origin.text(at)})::VARCHAR AS c{at}" for at in range(len(sheet.bound.columns)))
    connection = engine.connect().con
    connection.execute(
        f"COPY (SELECT {texts} FROM {sheet.origin.relation} ORDER BY file_row_number) "  # noqa: S608  # declared names
        f"TO '{target}' (FORMAT csv, HEADER, FORCE_QUOTE *)"
    )
    problems = careful.examine(target, sheet.member.name, plan, by_row=True)
    if problems:
        return problems
    message = "The engine cannot read the file, and no value of it is to blame; please report this."
    return [Problem("error", "engine", sheet.member.name, message)]


def _write_chunks(bill: Bill, sheet: Sheet, first_row: int) -> tuple[Parts, tallies.Tally]:
    """Write the chunks of a sheet: as many workers as the engine may use threads take those of a long one in turn."""
    parts: Parts = defaultdict(list)
    total = tallies.Tally()
    chunks = sheet.chunks(first_row)
    turn = Lock()

    def take_and_write() -> None:
        try:
            while True:
                with turn:
                    chunk, month = next(chunks, None), next(reversed(parts), None)
                if chunk is None:
                    return
                written = _write_chunk(bill, sheet, chunk, month)
                with turn:
                    total.add(chunk.counted)
                    for month, files in written.items():
                        parts[month] += files
        except BaseException:
            with turn:
                chunks.close()  # nobody takes another
            raise

    try:
        if sheet.is_long:
            _side_by_side(take_and_write)
        else:
            take_and_write()
    except BaseException:
        discard(parts)
        raise
    return parts, total


def _side_by_side(work: Callable[[], None]) -> None:
    """Do the same in several threads, each with an engine of one thread; the first error is raised when all ended."""
    count = engine.threads()
    with ThreadPoolExecutor(count, initializer=engine.use_one_thread) as pool:
        running = [pool.submit(work) for _ in range(count)]
    for each in running:
        each.result()


def _write_chunk(bill: Bill, sheet: Sheet, chunk: Chunk, month: str | None) -> Parts:
    """In the plain form, else in the general one; `month` is the likely one."""
    query = BillQuery(chunk.origin, sheet.bound, bill.zone, first_row=chunk.first_row, told=bill.told)
    try:
        return _write(bill, query, month)
    except STOPPED:
        if not query.origin.is_plain:
            raise
        return _write(bill, query.general, month)


def _write(bill: Bill, query: BillQuery, month: str | None) -> Parts:
    """Some rows that are cut make the engine stumble and then refuse every other file; so it is left behind."""
    try:
        with query.origin.opened():
            return write(bill, query, month)
    except duckdb.InternalException:
        engine.renew()
        raise
