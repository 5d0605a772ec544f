"""Our own mechanisms, each taken away: what proves that somebody would notice."""

import io
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults import proofs

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Sabotage:
    """What is broken, and what must turn red by it: a proof, or a run of the rig with these arguments, which then says
    something like `reason`."""

    patch: Patch
    proof: Callable[[], None] | None = None
    run: tuple[str, ...] = ()
    reason: str = ""

    def apply(self) -> None:
        """For the whole life of this process."""
        self.patch(pytest.MonkeyPatch())


def replaced(where: str, what: Any) -> Patch:
    return lambda patched: patched.setattr(where, what)


def _nothing(*_given: Any, **_named: Any) -> None:
    return None


# --- Reading --------------------------------------------------------------------------------------------------------
def _no_crc(patched: pytest.MonkeyPatch) -> None:
    def careless(path: Path, _mode: str) -> io.BytesIO:
        return io.BytesIO(zlib.decompressobj(-15).decompress(path.read_bytes()[10:]))

    patched.setattr("apps.ingest.unpack.igzip.open", careless)


def _by_the_worker(patched: pytest.MonkeyPatch) -> None:
    from apps.ingest.apart import asking

    patched.setattr(asking, "_read", lambda what, file: asking.READ[what](file))


def _ignored_errors(patched: pytest.MonkeyPatch) -> None:
    from apps.ingest.bill import reader

    def without_bad_rows(member: Any, folder: Path, encodings: Any) -> Any:
        lines = member.path.read_bytes().splitlines(keepends=True)
        target = folder / "left.csv"
        target.write_bytes(b"".join(line for line in lines if not line.startswith(b"N/A")))
        return type(member)(member.name, target, member.kind)

    patched.setattr(reader, "in_utf8", without_bad_rows)


def _no_tally(patched: pytest.MonkeyPatch) -> None:
    from apps.ingest.bill import reader, writer

    verify = writer.verify

    def trusting(*given: Any, **named: Any) -> Any:
        contents, problems = verify(*given, **named)
        return contents, [problem for problem in problems if problem.code != "tally"]

    patched.setattr(reader, "verify", trusting)


def _floats(patched: pytest.MonkeyPatch) -> None:
    from apps.ingest.bill import writer

    write_month = writer._write_month

    def floating(connection: Any, bill: Any, query: str, month: str) -> Any:
        money = ", ".join(f'"{name}"::DOUBLE::DECIMAL(38,12) AS "{name}"' for name in ("BilledCost", "EffectiveCost"))
        return write_month(connection, bill, f"SELECT * REPLACE ({money}) FROM ({query})", month)

    patched.setattr(writer, "_write_month", floating)


def _no_digests(patched: pytest.MonkeyPatch) -> None:
    from apps.ingest import history, services

    enter = services._enter

    def every_file_new(source: Any, *given: Any) -> None:
        enter(source, *given)
        source.files.filter(state="duplicate").update(state="landed")

    patched.setattr(services, "_enter", every_file_new)
    patched.setattr(history, "_contents", lambda files, _readings: {key: key for key in files})


# --- The lake -------------------------------------------------------------------------------------------------------
def _glob(patched: pytest.MonkeyPatch) -> None:
    from apps.warehouse import lake

    scan = lake.scan

    def found(table: Any, *, at: int | None = None, only: Any = None) -> Any:
        folder = lake.location(table)
        paths = (path.relative_to(folder) for path in sorted(folder.rglob("*.parquet")))
        every = [lake.StoredFile(str(path), {}, 1, 1) for path in paths]
        return scan(table, only=every if only is None and every else only, at=at)

    patched.setattr(lake, "scan", found)


def _only_the_newest(patched: pytest.MonkeyPatch) -> None:
    from apps.finops.tables import LAKE
    from apps.warehouse import lake, orphans

    tables = {table.name: table for table in LAKE}

    def newest(_place: object, name: str) -> set[str]:
        return {file.path for file in lake.files(tables[name])}

    patched.setattr(orphans, "_named", newest)


def _no_grace(patched: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    for grace in ("apps.warehouse.orphans.GRACE", "apps.ingest.leftovers.LANDED_GRACE"):
        patched.setattr(grace, timedelta(days=-1))


def _to_disk_later(patched: pytest.MonkeyPatch) -> None:
    from apps.warehouse import commits

    to_disk, write = commits._to_disk, commits._write
    waiting: list[tuple[Any, ...]] = []

    def afterwards(*given: Any) -> None:
        write(*given)
        while waiting:
            to_disk(*waiting.pop())

    patched.setattr(commits, "_to_disk", lambda *given: waiting.append(given))
    patched.setattr(commits, "_write", afterwards)


def _landed_at_once(patched: pytest.MonkeyPatch) -> None:
    def keep(temporary: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)

    patched.setattr("apps.ingest.landing.keep", keep)


# --- Work -----------------------------------------------------------------------------------------------------------
def _no_lease(patched: pytest.MonkeyPatch) -> None:
    patched.setattr("apps.pipeline.leases.is_abandoned", lambda run: run.state == "running")


def _no_attempts(patched: pytest.MonkeyPatch) -> None:
    from apps.pipeline import leases

    take = leases._take

    def uncounted(run: Any) -> bool:
        taken = take(run)
        type(run).objects.filter(pk=run.pk).update(attempt=0)
        return taken

    patched.setattr(leases, "_take", uncounted)


def _every_result(patched: pytest.MonkeyPatch) -> None:
    from apps.pipeline import leases

    patched.setattr(leases, "mine", lambda run: type(run).objects.filter(pk=run.pk))


def _unasked(patched: pytest.MonkeyPatch) -> None:
    from apps.pipeline import services

    ask_for = services.ask_for

    def again(works: list[Any], now: Any) -> None:
        from apps.pipeline.models import StepRun

        StepRun.objects.filter(state="waiting").update(key="another")
        ask_for(works, now)

    patched.setattr(services, "ask_for", again)


def _no_guard(patched: pytest.MonkeyPatch) -> None:
    """Nothing looks whether another took over, or published meanwhile."""
    from apps.marts import services as marts

    def careless(described: Any, _seen: Any) -> Any:
        from apps.warehouse.failpoints import failpoint

        described.save(force_insert=True)
        failpoint("publish.pinned")
        return described

    patched.setattr("apps.warehouse.fencing.check", _nothing)
    patched.setattr(marts, "_pin", careless)


def _split_publication(patched: pytest.MonkeyPatch) -> None:
    """A publication is seen before it names the tables that belong to it."""
    import time

    from apps.finops.tables import COST_MART
    from apps.marts import services as marts

    pin = marts._pin

    def in_two(described: Any, seen: Any) -> Any:
        whole = dict(described.versions)
        if seen is not None:
            described.versions = whole | {COST_MART.name: seen.versions[COST_MART.name]}
        published = pin(described, seen)
        time.sleep(0.5)
        type(published).objects.filter(pk=published.pk).update(versions=whole)
        return published

    patched.setattr(marts, "_pin", in_two)


# --- Telling --------------------------------------------------------------------------------------------------------
def _told_after_commit(patched: pytest.MonkeyPatch) -> None:
    from django.db import transaction

    from apps.channels import services

    put = services.put

    def later(notice: Any, channel: Any, *, now: Any) -> bool:
        transaction.on_commit(lambda: put(notice, channel, now=now))
        return True

    patched.setattr(services, "put", later)


def _sent_by_all(patched: pytest.MonkeyPatch) -> None:
    from django.db.models import Q

    from apps.channels import delivering

    patched.setattr(delivering, "_free", lambda _now: Q())


SABOTAGES: dict[str, Sabotage] = {
    "the checksum of archives is not looked at": Sabotage(_no_crc, proofs.a_damaged_archive_is_refused),
    "files are read by the worker itself": Sabotage(_by_the_worker, proofs.a_file_is_read_by_a_process_of_its_own),
    "rows that cannot be read are passed over": Sabotage(_ignored_errors, proofs.a_wrong_amount_refuses_its_file),
    "what was written is not counted again": Sabotage(_no_tally, proofs.a_row_lost_on_the_way_is_noticed),
    "money is a float": Sabotage(_floats, proofs.every_digit_is_kept),
    "content is not recognised": Sabotage(_no_digests, proofs.the_same_content_counts_once),
    "files are found by their names": Sabotage(_glob, proofs.only_what_was_committed_is_read),
    "a commit does not look what is there": Sabotage(
        replaced("apps.warehouse.commits._check_seen", _nothing), proofs.a_writer_who_saw_less_changes_nothing
    ),
    "nothing waits for the disk": Sabotage(
        replaced("apps.warehouse.commits._to_disk", _nothing), proofs.what_is_committed_lies_on_the_disk
    ),
    "a commit waits for the disk afterwards": Sabotage(_to_disk_later, proofs.what_is_committed_lies_on_the_disk),
    "a landed file does not wait for the disk": Sabotage(_landed_at_once, proofs.what_is_committed_lies_on_the_disk),
    "the log does not wait for the disk": Sabotage(
        replaced("apps.warehouse.durable.keep_version", _nothing), proofs.what_is_committed_lies_on_the_disk
    ),
    "checkpoints are Delta's own": Sabotage(
        replaced("apps.warehouse.durable.lay", shutil.copyfile), proofs.what_is_committed_lies_on_the_disk
    ),
    "the sweep looks at the newest version only": Sabotage(
        _only_the_newest, proofs.a_sweep_takes_what_no_version_names
    ),
    "the sweep waits for nobody": Sabotage(_no_grace, proofs.a_sweep_takes_what_no_version_names),
    "the sweep of landed files waits for nobody": Sabotage(_no_grace, proofs.a_sweep_takes_what_no_row_names),
    "the sweep of landed files asks for no row": Sabotage(
        replaced("apps.ingest.leftovers._named", lambda: set()), proofs.a_sweep_takes_what_no_row_names
    ),
    "what lies in store is not compared": Sabotage(
        replaced("apps.ingest.scrub._sha256", lambda path: path.name), proofs.a_flipped_bit_in_store_is_told
    ),
    "no leases": Sabotage(_no_lease, proofs.a_run_is_done_by_one),
    "work asked for is not compared": Sabotage(_unasked, proofs.work_asked_for_twice_is_written_once),
    "attempts are not counted": Sabotage(_no_attempts, proofs.poison_is_set_aside),
    "every result counts": Sabotage(_every_result, proofs.a_result_does_not_count_after_a_takeover),
    "what begins is not noted": Sabotage(
        replaced("apps.audit.services.begin", lambda _deed: ""), proofs.what_a_killed_process_began_is_in_the_audit_log
    ),
    "told after the commit": Sabotage(_told_after_commit, proofs.a_notice_is_there_with_its_fact),
    "messages are not claimed": Sabotage(_sent_by_all, proofs.a_message_is_sent_by_one),
    "publications do not look at each other": Sabotage(
        _no_guard, proofs.an_older_publication_never_becomes_the_newest
    ),
    "nothing guards against zombies": Sabotage(
        _no_guard, run=("zombies", "--points", "publish.pin:"), reason=r"^from issue \d+ back to \d+"
    ),
    "a publication in two transactions": Sabotage(
        _split_publication, run=("kills", "--kills", "1000", "--seconds", "120"), reason="its parts are not its total"
    ),
    "killed writers leave what is read": Sabotage(
        _glob, run=("kills", "--kills", "1000", "--seconds", "120"),
        reason="its parts are not its total|is the total of no issue|days of several issues",
    ),
}  # fmt: skip
