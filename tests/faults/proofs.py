"""Small worlds in which one promise can be seen to hold: each raises where it does not."""

import gzip
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from apps.audit import services as audit
from apps.audit.commands import recorded
from apps.audit.models import AuditEntry
from apps.channels import delivering
from apps.channels.models import Entry, Message
from apps.finops.tables import CHARGES
from apps.ingest import leftovers, scrub
from apps.ingest.bill import writer
from apps.ingest.landing import landed_path
from apps.ingest.models import LandedFile
from apps.marts.models import Publication
from apps.pipeline import leases, services
from apps.pipeline.models import StepRun
from apps.pipeline.work import Work
from apps.warehouse import durable, failpoints, lake, orphans
from tests.channels.worlds import a_channel, a_notice, deliver, send
from tests.faults.disks import watched
from tests.ingest.bills import NOW, bill, costs, errors, ingest, put, row, source

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
GOOD = bill(row("1"), row("2"))


def inbox() -> Path:
    return Path(settings.COSTOPS_HOME) / "in"


def a_damaged_archive_is_refused() -> None:
    packed = bytearray(gzip.compress(GOOD, mtime=0))
    packed[-8] ^= 1  # in the checksum: what it unpacks to is whole
    put(inbox(), "a.csv.gz", bytes(packed))
    assert errors(ingest(source(inbox()))), "a wrong checksum was taken"
    assert costs() == []


def a_file_is_read_by_a_process_of_its_own() -> None:
    log = Path(settings.COSTOPS_HOME) / "log"
    put(inbox(), "a.csv", GOOD)
    failpoints.arm(f"read.parse=log:{log}")
    try:
        with override_settings(COSTOPS_READ_APART=True):
            assert not errors(ingest(source(inbox())))
    finally:
        failpoints.arm("")
    (read_by,) = [int(line.split()[1]) for line in log.read_text().splitlines()]
    assert read_by != os.getpid(), "a crafted file would take the worker with it"
    assert not Path(f"/proc/{read_by}").exists(), "whoever read it is there for the next file"
    assert costs() == ["1", "2"]


def a_wrong_amount_refuses_its_file() -> None:
    put(inbox(), "a.csv", bill(row("1"), row("N/A")))
    assert errors(ingest(source(inbox()))), "an amount that is none was passed over"
    assert costs() == []


def a_row_lost_on_the_way_is_noticed() -> None:
    write_month = writer._write_month
    with pytest.MonkeyPatch.context() as patched:
        lossy: Callable[..., Any] = lambda connection, given, query, month: write_month(  # noqa: E731
            connection, given, f"SELECT * FROM ({query}) LIMIT 1", month
        )
        patched.setattr(writer, "_write_month", lossy)
        put(inbox(), "a.csv", GOOD)
        assert errors(ingest(source(inbox()))), "a row was lost, and nobody noticed"
    assert costs() == []


def every_digit_is_kept() -> None:
    put(inbox(), "a.csv", bill(row("9007199254740993.000000000001"), row("0.1"), row("0.2")))
    assert errors(ingest(source(inbox()))) == []
    assert costs() == ["0.1", "0.2", "9007199254740993.000000000001"]


def the_same_content_counts_once() -> None:
    put(inbox(), "a.csv", GOOD)
    put(inbox(), "b.csv", GOOD)
    ingest(source(inbox()))
    assert costs() == ["1", "2"]


def only_what_was_committed_is_read() -> None:
    put(inbox(), "a.csv", GOOD)
    ingest(source(inbox()))
    lake.write(CHARGES, lake.scan(CHARGES))  # and the writer is killed
    assert costs() == ["1", "2"], "what was never committed was read"


def a_sweep_takes_what_no_version_names() -> None:
    billing = source(inbox())
    for content in (GOOD, bill(row("3"))):
        put(inbox(), "a.csv", content)
        ingest(billing)
    lake.write(CHARGES, lake.scan(CHARGES))  # and the writer is killed
    named = {file.path for at in range(lake.version(CHARGES) + 1) for file in lake.files(CHARGES, at=at)}
    orphans.sweep(datetime.now(UTC))
    assert len(lying_charges()) > len(named), "what somebody may be about to commit was swept"
    orphans.sweep(datetime.now(UTC) + 2 * orphans.GRACE)
    assert lying_charges() == named, "more or less than the orphans was swept"


def a_sweep_takes_what_no_row_names() -> None:
    put(inbox(), "a.csv", GOOD)
    ingest(source(inbox()))
    kept, lost = landed_path(LandedFile.objects.get().sha256), landed_path("0" * 64)
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(b"of a worker that was killed")
    leftovers.sweep(datetime.now(UTC))
    assert lost.exists(), "what somebody may be about to enter was swept"
    leftovers.sweep(datetime.now(UTC) + 2 * leftovers.LANDED_GRACE)
    assert (kept.exists(), lost.exists()) == (True, False), "more or less than what no row names was swept"


def lying_charges() -> set[str]:
    folder = lake.location(CHARGES)
    return {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}


def a_writer_who_saw_less_changes_nothing() -> None:
    put(inbox(), "a.csv", GOOD)
    ingest(source(inbox()))
    rows = lake.scan(CHARGES).to_pyarrow()
    import ibis

    with pytest.raises(lake.CommitConflict):
        lake.replace(CHARGES, ibis.memtable(rows, schema=CHARGES.schema), [])
    assert costs() == ["1", "2"]


def what_is_committed_lies_on_the_disk() -> None:
    billing = source(inbox())
    with watched() as disk, patch.object(durable, "EVERY", 1):
        for content in (GOOD, bill(row("3"))):
            put(inbox(), "a.csv", content)
            ingest(billing)
    lakes, log = Path(settings.COSTOPS_LAKE), lake.location(CHARGES) / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet")), "there is no checkpoint to look at"
    assert lake.version(CHARGES) == 2, "there is no version that builds on another"
    assert not disk.early, "; ".join(disk.early)
    lost = [path.name for path in log.iterdir() if not disk.holds(path, lakes)]
    assert not lost, f"a power cut would lose {lost}"


def a_flipped_bit_in_store_is_told() -> None:
    put(inbox(), "a.csv", GOOD)
    ingest(source(inbox()))
    scrub.scrub(NOW)
    (stored,) = lake.files(CHARGES)
    path = lake.location(CHARGES) / stored.path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    scrub.scrub(NOW)
    assert [problem.code for problem in scrub.problems()] == ["scrub_changed"]


def a_run() -> StepRun:
    services.ask_for([Work("land", "bill")], NOW)
    return StepRun.objects.get()


def a_run_is_done_by_one() -> None:
    a_run()
    assert leases.claim() is not None
    assert leases.claim() is None, "two workers hold one run"


def work_asked_for_twice_is_written_once() -> None:
    a_run()
    services.ask_for([Work("land", "bill")], NOW)
    assert StepRun.objects.count() == 1


def poison_is_set_aside() -> None:
    a_run()
    for _ in range(leases.MOST_ATTEMPTS):
        assert leases.claim() is not None
        StepRun.objects.update(lease_until=LONG_AGO, worker="elsewhere 1 1 x")
    assert leases.claim() is None, "a run that kills its workers is begun for ever"
    assert StepRun.objects.get().failure == "quarantined"


def a_result_does_not_count_after_a_takeover() -> None:
    a_run()
    mine = leases.claim()
    assert mine is not None
    StepRun.objects.update(worker="another")
    services._finish(mine, state=StepRun.State.FAILED, message="late")
    assert StepRun.objects.get().state == StepRun.State.RUNNING, "a late result counted"


def a_notice_is_there_with_its_fact() -> None:
    channel = a_channel()
    with transaction.atomic():
        send(a_notice(), to=channel)
        assert Entry.objects.count() == 1, "whoever dies after the commit tells nobody"


def a_message_is_sent_by_one() -> None:
    send(a_notice(), to=a_channel())
    pk = Message.objects.get().pk
    assert delivering.claim(pk, NOW) is not None
    assert delivering.claim(pk, NOW) is None, "two workers send one message"
    assert deliver() == {}


def an_older_publication_never_becomes_the_newest() -> None:
    from apps.marts import services as marts

    def publication(version: int) -> Publication:
        return Publication(created_at=NOW, versions={"cost_mart": version}, ruleset=1, status="final")

    marts._pin(publication(1), None)
    with pytest.raises(marts.PublishedMeanwhile):
        marts._pin(publication(0), None)


def what_a_killed_process_began_is_in_the_audit_log() -> None:
    class Killed(BaseException):
        """As a kill: before the entry is written."""

    with suppress(Killed), patch.object(audit, "record", side_effect=Killed), recorded(["manage.py", "fill"]):
        pass
    assert not AuditEntry.objects.exists()
    audit.finish(timezone.now() + timedelta(days=7))
    assert [entry.outcome for entry in AuditEntry.objects.all()] == [AuditEntry.UNKNOWN], "nobody knows of it"
