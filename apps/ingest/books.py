"""Keeping a source's files in the lake and in the database in step with what counts."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.finops.tables import LakeTable
from apps.ingest import guard
from apps.ingest.apart.asking import ReaderFailed
from apps.ingest.deliveries import Dispute, Policy, Settlement, settle
from apps.ingest.history import Told, contents_of, history, told_without_accounts
from apps.ingest.models import LandedFile, Source
from apps.ingest.quality.checks import HOLDS, SEVERITY, SOURCE_CHECKS
from apps.ingest.reading import Content, Reading, problems_to_json, refused
from apps.warehouse import fencing, lake
from apps.warehouse.failpoints import failpoint

State = LandedFile.State
Read = Callable[[LandedFile], Reading]
Pair = tuple[str, str]
"""(file id, window)."""
UNREAD = refused([Problem("error", "unread", "", "")])
"""Of a file that CostOps fails at: it counts as little as one that is refused, and is read again by the next run."""


@dataclass(frozen=True)
class Ledger:
    """Where the files of one kind of source go: the tables, and how a stored file of a table is named as a window.

    `by_account`: its files tell accounts, and it is settled by them.
    """

    tables: tuple[LakeTable, ...]
    source_column: str
    file_column: str
    window_of: Callable[[LakeTable, Mapping[str, str]], str]
    windows: Callable[[Mapping[str, Any]], dict[str, frozenset[str]]]
    by_account: bool = False


@dataclass
class Settled:
    """What a run has read, by file id; `ways` is how, `held` are the files held back → what is said of it, `asked` →
    what somebody is to answer, `faults` what CostOps failed at."""

    readings: dict[str, Reading] = field(default_factory=dict)
    ways: Mapping[str, str] = field(default_factory=dict)
    held: dict[str, Problem] = field(default_factory=dict)
    asked: dict[str, Dispute] = field(default_factory=dict)
    faults: list[ReaderFailed] = field(default_factory=list)

    @property
    def problems(self) -> tuple[Problem, ...]:
        read = (problem for reading in self.readings.values() for problem in reading.problems)
        return (*read, *self.held.values())

    def attempt(self, read: Read, file: LandedFile) -> Reading:
        """What is read of a file: nothing where CostOps fails at it, which is told in the end."""
        try:
            return read(file)
        except ReaderFailed as fault:
            self.faults.append(fault)
            return UNREAD

    def failure(self) -> ReaderFailed:
        failed = ReaderFailed("; ".join(map(str, self.faults[:3])))
        failed.__cause__ = ExceptionGroup("of files", self.faults)
        return failed

    def hold(self, file: LandedFile, why: str) -> None:
        """Keep a file back, and say so among its problems."""
        check = SOURCE_CHECKS["held"]
        self.held[file.file_id] = Problem(SEVERITY[check.then], check.code, file.path, f"{why} {check.way_out}")


def fill(
    source: Source,
    ledger: Ledger,
    policy: Policy,
    read: Read,
    notes: Mapping[str, str],
    *,
    way_of: Callable[[LandedFile], str] = lambda _: "",
    hold_below: Decimal = Decimal(0),
    same_anywhere: bool = False,
) -> StepResult:
    """Read what was landed, decide what counts, and make lake and database say so.

    A new issue that keeps less than `hold_below` of a window or day is held back, and so is a file that a check says to
    hold, or of which nobody knows whether it replaces others. `way_of` tells how a file is read: the same bytes read
    another way are not the same. `same_anywhere`: but of two periods they are.
    Parquet is written first, then committed to the lake, then the database is told. Killed anywhere in between, the
    next run reads the same files again and compares what the lake holds with what should count. Raises ReaderFailed
    where CostOps failed at files: others count by then if all they do is add, and nothing is committed if they do more.
    """
    files = {file.file_id: file for file in source.files.order_by("delivery", "path", "revision")}
    settled = Settled(ways={key: way_of(file) for key, file in files.items()})
    with discarding(ledger, settled.readings):
        for key, file in files.items():
            if file.state == State.LANDED:
                settled.readings[key] = settled.attempt(read, file)
        _let_wait(files, settled.readings)
        if ledger.by_account and policy != "parts":
            for key in told_without_accounts(files, settled.readings):
                if not (again := settled.attempt(read, files[key])).is_refused:
                    settled.readings[key] = again
        settlement = _settle(files, settled, ledger, policy, hold_below, same_anywhere=same_anywhere)
        wanted = settlement.counting
        held = _held(source, ledger)
        if settled.faults and held.keys() - wanted:
            raise settled.failure()
        for key in {key for key, window in wanted if key not in settled.readings and (key, window) not in held}:
            settled.readings[key] = read(files[key])
    versions = _commit(ledger, wanted, held, settled, notes)
    _record(files, settlement, settled, ledger)
    if settled.faults:
        raise settled.failure()
    return _result(settled, versions)


def _let_wait(files: Mapping[str, LandedFile], readings: dict[str, Reading]) -> None:
    """Count as unread what was found with a file that CostOps fails at: without it they would replace what they tell
    anew together. Their parts stay until nobody compares with them any more."""

    def found_with(key: str) -> tuple[int, str, str]:
        return files[key].delivery, files[key].period, files[key].release

    failed = {found_with(key) for key, reading in readings.items() if reading is UNREAD}
    for key in [key for key in readings if found_with(key) in failed]:
        readings[key] = replace(UNREAD, parts=readings[key].parts)


def _settle(
    files: Mapping[str, LandedFile],
    settled: Settled,
    ledger: Ledger,
    policy: Policy,
    below: Decimal,
    *,
    same_anywhere: bool,
) -> Settlement:
    """What counts, without the files that are held back: to hold one may leave others to be asked about."""
    while True:
        told = Told.of(files, settled.readings, settled.held, settled.ways)
        delivered = history(files, settled.readings, settled.held, told, ledger.windows)
        settlement = settle(delivered, policy, same_anywhere=same_anywhere)
        already = len(settled.held)
        _hold(files, told, settlement, settled, ledger, below)
        if len(settled.held) == already:
            return settlement


def _hold(
    files: Mapping[str, LandedFile],
    told: Told,
    settlement: Settlement,
    settled: Settled,
    ledger: Ledger,
    below: Decimal,
) -> None:
    """Hold back what is to be asked about, what a check says so of, and all that leave a window much smaller."""
    fresh = {
        key: files[key]
        for key, reading in settled.readings.items()
        if files[key].state == State.LANDED and not files[key].is_accepted and not reading.is_refused
    }
    checked = {
        key: next((problem.message for problem in settled.readings[key].problems if problem.code in HOLDS), "")
        for key in fresh.keys() - settlement.duplicates - settled.held.keys()
    }
    for key in {key for key, why in checked.items() if why} | settlement.disputed.keys():
        reasons = (checked.get(key, ""), settlement.disputed.get(key, ""))
        settled.hold(files[key], " ".join(str(why) for why in reasons if why))
    settled.asked |= settlement.disputed
    counting = [
        entry
        for key, file in files.items()
        if file.state == State.CURRENT and key not in settled.held
        for entry in _counting(file, settled.readings.get(key))
    ]
    after = [
        entry
        for key, entries in told.entries.items()
        for entry in entries
        if any((key, window) in settlement.counting for window in ledger.windows(entry))
    ]
    shrunken = guard.shrunken(guard.totals(counting), guard.totals(after), below=below)
    touching = _touching(files, shrunken)
    for key, file in fresh.items():
        if key in settled.held or key in settlement.duplicates:
            continue
        windows = {content.window for content in settled.readings[key].contents} | touching.get(file.path, set())
        if lost := [why for window, why in shrunken.items() if window in windows or file.period in touching]:
            settled.hold(file, f"The new issue is much smaller: {'; '.join(lost)}.")


def _touching(files: Mapping[str, LandedFile], windows: Iterable[str]) -> dict[str, set[str]]:
    """The paths and periods whose files count in these windows: what replaces one of them touches the window."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in files.values():
        mine = {entry["window"] for entry in _counting(file)} & set(windows) if file.state == State.CURRENT else set()
        for name in filter(None, (file.path, file.period)):
            if mine:
                found[name] |= mine
    return found


def _counting(file: LandedFile, reading: Reading | None = None) -> list[Mapping[str, Any]]:
    """The windows of a file that count, as they were just read, or else as they were kept."""
    kept = [entry for entry in file.contents if entry.get("counts", True)]
    windows = {entry["window"] for entry in kept}
    return [entry for entry in contents_of(file, reading) if entry["window"] in windows] if reading else kept


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


def _record(files: Mapping[str, LandedFile], settlement: Settlement, settled: Settled, ledger: Ledger) -> None:
    with transaction.atomic():
        fencing.check()
        for key, file in files.items():
            if file.state in (State.REFUSED, State.HELD):
                continue
            reading = settled.readings.get(key)
            if reading and reading.problems == UNREAD.problems:
                continue
            if settled.faults and key in settled.held:
                continue  # perhaps only for want of what could not be read: the next run tells
            before = _kept(file)
            if reading:
                _take_over(file, reading)
            if key in settled.held:
                file.state = State.HELD
                file.problems = [*file.problems, asdict(settled.held[key])]
                if key in settled.asked:
                    file.answers = (file.answers or {}) | {settled.asked[key].key: ""}
            elif file.state != State.REFUSED:
                _mark(file, key, settlement, ledger)
            if before != _kept(file):
                file.save(update_fields=KEPT)
        failpoint("books.record")


KEPT = ("state", "contents", "problems", "rows", "content_sha256", "answers")


def _kept(file: LandedFile) -> list[Any]:
    return [getattr(file, name) for name in KEPT]


def _take_over(file: LandedFile, reading: Reading) -> None:
    file.problems = problems_to_json(reading.problems)
    file.rows = reading.rows
    file.content_sha256 = reading.content_sha256
    file.contents = [content.to_json(counts=True) for content in reading.contents]
    if reading.is_refused:
        file.state, file.contents, file.rows = State.REFUSED, [], 0


def _mark(file: LandedFile, key: str, settlement: Settlement, ledger: Ledger) -> None:
    is_duplicate = key in settlement.duplicates or (file.state == State.DUPLICATE and not file.contents)
    file.contents = [
        entry | {"counts": any((key, window) in settlement.counting for window in ledger.windows(entry))}
        for entry in file.contents
    ]
    if any(entry["counts"] for entry in file.contents) or not (file.contents or is_duplicate):
        file.state = State.CURRENT
    else:
        file.state = State.DUPLICATE if is_duplicate else State.SUPERSEDED


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
