"""Reading one landed bill into Parquet parts of the `charges` table, verified against an independent tally."""

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from apps.finops import focus
from apps.finops.problems import Problem
from apps.finops.tables import CHARGES
from apps.ingest.bill import checks, tallies
from apps.ingest.bill.parquet import as_csv
from apps.ingest.bill.query import MONEY, TIMES, BillQuery
from apps.ingest.bill.writer import Bill, NothingToPlace, Parts, verify, write
from apps.ingest.reading import Reading, refused
from apps.ingest.text import careful
from apps.ingest.text.header import BadHeader, Header, notes, read_header
from apps.ingest.unpack import Member, Unpacked, Unreadable, unpacked

NUMBER_UP_TO = 64 << 20
"""Larger files of one month keep the order of their rows instead of a stored `x_Row`: numbering is the one thing the
engine cannot do in parallel, and `apps.ingest.lines` tells the number from the order when somebody asks."""

STOPPED = (duckdb.DataError, duckdb.InvalidInputException, pa.ArrowInvalid, NothingToPlace)
"""How a query says that it cannot take a value. A full disk, or a mistake of ours, is not the file's fault."""


class Refused(Exception):
    """The file is not taken; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message if problems else "")
        self.problems = problems


def read_bill(bill: Bill) -> Reading:
    """Read a bill. Its parts lie in the lake's folder, uncommitted; a refused bill publishes nothing."""
    try:
        with unpacked(bill.path, bill.name) as bundle:
            return _read_members(bill, bundle)
    except Unreadable as error:
        return refused([Problem("error", "damaged", bill.name, str(error))])
    except BadHeader as bad:
        return refused([bad.problem])
    except Refused as bad:
        return refused(bad.problems)


def _read_members(bill: Bill, bundle: Unpacked) -> Reading:
    parts: Parts = defaultdict(list)
    problems: list[Problem] = []
    total = tallies.Tally()
    for member in bundle.members:
        query, said = _prepare(bill, member, bundle, first_row=total.rows)
        written, counted = _engine_or_careful(bill, member, query, bundle.folder)
        for month, files in written.items():
            parts[month] += files
        total.add(counted)
        problems += said
    contents, said = verify(bill.name, parts, total)
    if any(problem.severity == "error" for problem in said):
        return refused((*problems, *said))
    return Reading({CHARGES.name: [part for files in parts.values() for part in files]}, contents, (*problems, *said))


def _prepare(bill: Bill, member: Member, bundle: Unpacked, *, first_row: int) -> tuple[BillQuery, list[Problem]]:
    path, said = (member.path, []) if member.kind == "csv" else as_csv(member, bundle.folder)
    header = read_header(path, member.name, focus.REQUIRED)
    said = [*notes(header, member.name), *said, *_ending(path, member.name, header)]
    is_numbered = len(bundle.members) > 1 or path.stat().st_size <= NUMBER_UP_TO
    return BillQuery(path, header, bill.zone, is_numbered=is_numbered, first_row=first_row), said


def _ending(path: Path, name: str, header: Header) -> list[Problem]:
    """A last line without a line break may be cut: fatal where `33` could have been `33.10`, else worth a warning."""
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) in (b"\n", b"\r"):
            return []
    last = header.columns[-1]
    where = f"{name}, last line, column {last}"
    if last in (*MONEY, *TIMES):
        raise Refused(
            Problem("error", "cut_off", where, "The file ends inside a value, without a line break: fetch it again.")
        )
    return [Problem("warning", "no_line_break", where, "The file ends without a line break; it may be cut off.")]


def _engine_or_careful(bill: Bill, member: Member, query: BillQuery, folder: Path) -> tuple[Parts, tallies.Tally]:
    """The plain query, else the general one; where that stops, the careful reader says why, or mends line breaks."""
    general = replace(query, is_plain=False)
    for attempt in (query, general):
        try:
            return _write_and_tally(bill, attempt)
        except STOPPED:
            continue
    if problems := careful.examine(query.path, member.name, checks.plan(query.header), by_row=member.kind == "parquet"):
        raise Refused(*problems)
    mended = folder / "mended.csv"
    careful.rewrite(query.path, query.header, mended)
    try:
        return _write_and_tally(bill, replace(general, path=mended, header=replace(query.header, lines=1)))
    except STOPPED as error:
        message = f"The engine cannot read the file: {str(error).splitlines()[0][:300]}"
        raise Refused(Problem("error", "engine", member.name, message)) from error


def _write_and_tally(bill: Bill, query: BillQuery) -> tuple[Parts, tallies.Tally]:
    with ThreadPoolExecutor(1) as aside:
        counting = aside.submit(tallies.tally, query.path, query.header, is_plain=query.is_plain)
        return write(bill, query), counting.result()
