"""Keeping a source's files in the lake and in the database in step with what counts."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.finops.tables import LakeTable
from apps.ingest import guard
from apps.ingest.deliveries import Delivered, Policy, settle
from apps.ingest.models import LandedFile, Source
from apps.ingest.quality.checks import HOLDS, SEVERITY, SOURCE_CHECKS
from apps.ingest.reading import Content, Reading, problems_to_json
from apps.warehouse import fencing, lake
from apps.warehouse.failpoints import failpoint

State = LandedFile.State
Read = Callable[[LandedFile], Reading]
Pair = tuple[str, str]
"""(file id, window)."""


@dataclass(frozen=True)
class Ledger:
    """Where the files of one kind of source go: the tables, and how a stored file of a table is named as a window."""

    tables: tuple[LakeTable, ...]
    source_column: str
    file_column: str
    window_of: Callable[[LakeTable, Mapping[str, str]], str]
    windows: Callable[[Mapping[str, Any]], dict[str, frozenset[str]]]


@dataclass
class Settled:
    """What a run has read, by file id; `held` are the files held back → why."""

    readings: dict[str, Reading] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for reading in self.readings.values() for problem in reading.problems)

    def hold(self, file: LandedFile, why: str) -> None:
        """Keep a reading back, and say so among its problems."""
        check = SOURCE_CHECKS["held"]
        said = Problem(SEVERITY[check.then], check.code, file.path, f"{why} {check.way_out}")
        reading = self.readings[file.file_id]
        self.readings[file.file_id] = replace(reading, problems=(*reading.problems, said))
        self.held[file.file_id] = why


def fill(
    source: Source,
    ledger: Ledger,
    policy: Policy,
    read: Read,
    notes: Mapping[str, str],
    *,
    hold_below: Decimal = Decimal(0),
) -> StepResult:
    """Read what was landed, decide what counts, and make lake and database say so.

    A new issue that keeps less than `hold_below` of a window is held back, and so is a file that a check says to hold.
    Parquet is written first, then committed to the lake, then the database is told. Killed anywhere in between, the
    next run reads the same files again and compares what the lake holds with what should count.
    """
    files = {file.file_id: file for file in source.files.order_by("delivery", "path", "revision")}
    settled = Settled()
    with discarding(ledger, settled.readings):
        for key, file in files.items():
            if file.state == State.LANDED:
                settled.readings[key] = read(file)
        wanted = settle(_history(files, settled, ledger), policy)
        settled.held = _hold(files, wanted, settled, ledger, hold_below)
        if settled.held:
            wanted = settle(_history(files, settled, ledger), policy)
        held = _held(source, ledger)
        for key in {key for key, window in wanted if key not in settled.readings and (key, window) not in held}:
            settled.readings[key] = read(files[key])
    versions = _commit(ledger, wanted, held, settled, notes)
    _record(files, wanted, settled, ledger)
    return _result(settled, versions)


def _history(files: Mapping[str, LandedFile], settled: Settled, ledger: Ledger) -> Iterable[Delivered]:
    for key, file in files.items():
        reading = settled.readings.get(key)
        is_refused = file.state in (State.REFUSED, State.HELD) or bool(reading and reading.is_refused)
        is_refused = is_refused or key in settled.held
        if file.state == State.DUPLICATE:
            continue
        contents = _contents(file, reading)
        windows: dict[str, frozenset[str]] = {}
        for entry in contents:
            windows |= ledger.windows(entry)
        yield Delivered(
            key, file.path, file.delivery, file.revision, windows,
            period=file.period, release=file.release, is_refused=is_refused,
        )  # fmt: skip


def _hold(
    files: Mapping[str, LandedFile], wanted: set[Pair], settled: Settled, ledger: Ledger, below: Decimal
) -> dict[str, str]:
    """Hold back new files: those a check says so of, and all that leave a window much smaller than it was."""
    fresh = {
        key: files[key]
        for key, reading in settled.readings.items()
        if files[key].state == State.LANDED and not files[key].is_accepted and not reading.is_refused
    }
    for key, file in fresh.items():
        if reasons := [problem.message for problem in settled.readings[key].problems if problem.code in HOLDS]:
            settled.hold(file, reasons[0])
    counting = [entry for file in files.values() if file.state == State.CURRENT for entry in _counting(file)]
    after = [
        entry
        for key, file in files.items()
        for entry in _contents(file, settled.readings.get(key))
        if any((key, window) in wanted for window in ledger.windows(entry))
    ]
    shrunken = guard.shrunken(guard.totals(counting), guard.totals(after), below=below)
    touching = _touching(files, shrunken)
    for key, file in fresh.items():
        if key in settled.held:
            continue
        windows = {entry["window"] for entry in _contents(file, settled.readings[key])} | touching.get(file.path, set())
        if lost := [why for window, why in shrunken.items() if window in windows or file.period in touching]:
            settled.hold(file, f"The new issue is much smaller: {'; '.join(lost)}.")
    return settled.held


def _touching(files: Mapping[str, LandedFile], windows: Iterable[str]) -> dict[str, set[str]]:
    """The paths and periods whose files count in these windows: what replaces one of them touches the window."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in files.values():
        mine = {entry["window"] for entry in _counting(file)} & set(windows) if file.state == State.CURRENT else set()
        for name in filter(None, (file.path, file.period)):
            if mine:
                found[name] |= mine
    return found


def _counting(file: LandedFile) -> list[Mapping[str, Any]]:
    return [entry for entry in file.contents if entry.get("counts", True)]


def _contents(file: LandedFile, reading: Reading | None) -> list[Mapping[str, Any]]:
    return [content.to_json(counts=True) for content in reading.contents] if reading else list(file.contents)


def _held(source: Source, ledger: Ledger) -> dict[Pair, list[tuple[LakeTable, lake.StoredFile]]]:
    held: dict[Pair, list[tuple[LakeTable, lake.StoredFile]]] = defaultdict(list)
    for table in ledger.tables:
        for stored in lake.files(table):
            key = stored.partition[ledger.file_column]
            if stored.partition[ledger.source_column] == source.name and key != API_FILE_ID:
                held[key, ledger.window_of(table, stored.partition)].append((table, stored))
    return held


API_FILE_ID = "api"
"""The `file_id` of usage that was pulled from an API: not kept by these books."""


def _commit(
    ledger: Ledger,
    wanted: set[Pair],
    held: Mapping[Pair, list[tuple[LakeTable, lake.StoredFile]]],
    settled: Settled,
    notes: Mapping[str, str],
) -> dict[str, int]:
    versions = {}
    for table in ledger.tables:
        written = [
            ((key, ledger.window_of(table, part.partition)), part)
            for key, reading in settled.readings.items()
            for part in reading.parts.get(table.name, ())
        ]
        fresh = {pair for pair, _ in written}
        add = [part for pair, part in written if pair in wanted]
        _discard(table, (part for pair, part in written if pair not in wanted))
        remove = [
            stored
            for pair, stored_files in held.items()
            for owner, stored in stored_files
            if owner is table and (pair not in wanted or pair in fresh)
        ]
        if add or remove:
            versions[table.name] = lake.commit(table, add=add, remove=remove, note=notes)
    return versions


@contextmanager
def discarding(ledger: Ledger, readings: Mapping[str, Reading]) -> Iterator[None]:
    """Within, nothing is committed yet: what fails, or is ended, leaves nothing of what it wrote on the disk."""
    try:
        yield
    except BaseException:
        for table in ledger.tables:
            _discard(table, (part for reading in readings.values() for part in reading.parts.get(table.name, ())))
        raise


def _discard(table: LakeTable, parts: Iterable[lake.WrittenFile]) -> None:
    """Take what was written and does not count off the disk; what is accepted later is read again."""
    for part in parts:
        (lake.location(table) / part.path).unlink(missing_ok=True)


def _record(files: Mapping[str, LandedFile], wanted: set[Pair], settled: Settled, ledger: Ledger) -> None:
    with transaction.atomic():
        fencing.check()
        for key, file in files.items():
            if file.state in (State.REFUSED, State.DUPLICATE, State.HELD):
                continue
            reading = settled.readings.get(key)
            before = (file.state, file.contents, file.problems, file.rows, file.content_sha256)
            if reading:
                _take_over(file, reading)
            if key in settled.held:
                file.state = State.HELD
            elif file.state != State.REFUSED:
                _mark(file, key, wanted, ledger)
            if before != (file.state, file.contents, file.problems, file.rows, file.content_sha256):
                file.save(update_fields=["state", "contents", "problems", "rows", "content_sha256"])
        failpoint("books.record")


def _take_over(file: LandedFile, reading: Reading) -> None:
    file.problems = problems_to_json(reading.problems)
    file.rows = reading.rows
    file.content_sha256 = reading.content_sha256
    file.contents = [content.to_json(counts=True) for content in reading.contents]
    if reading.is_refused:
        file.state, file.contents, file.rows = State.REFUSED, [], 0


def _mark(file: LandedFile, key: str, wanted: set[Pair], ledger: Ledger) -> None:
    for entry in file.contents:
        entry["counts"] = any((key, window) in wanted for window in ledger.windows(entry))
    counts = not file.contents or any(entry["counts"] for entry in file.contents)
    file.state = State.CURRENT if counts else State.SUPERSEDED


def _result(settled: Settled, versions: dict[str, int]) -> StepResult:
    contents = [
        content
        for key, reading in settled.readings.items()
        if not reading.is_refused and key not in settled.held
        for content in reading.contents
    ]
    cost = effective_cost(contents)
    return StepResult(
        rows=sum(content.rows for content in contents),
        cost_in=cost,
        cost_out=cost,
        problems=settled.problems,
        versions=versions,
    )


def effective_cost(contents: Iterable[Content]) -> dict[str, Decimal]:
    """Effective cost by currency; what was written equals what the tally counted, or the file was refused."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for content in contents:
        for currency, by_basis in content.cost.items():
            total[currency] += by_basis["effective_cost"]
    return dict(total)
