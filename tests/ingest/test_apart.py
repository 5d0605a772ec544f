"""Files read in a process of its own: what kills, fills or holds up that process refuses the file, and harms nobody."""

import errno
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from apps.finops.tables import CHARGES
from apps.ingest.apart import asking, reader, words
from apps.ingest.apart.confined import confine
from apps.ingest.bill.mapping import Told
from apps.ingest.kinds import BILLS
from apps.ingest.models import LandedFile
from apps.ingest.reading import Reading
from apps.warehouse import failpoints, lake
from tests.faults import mutations
from tests.faults.forking import fork, readers
from tests.ingest.bills import bill, costs, errors, ingest, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture(autouse=True)
def _apart(settings):
    settings.COSTOPS_READ_APART = True
    yield
    failpoints.arm("")


def left() -> list[Path]:
    """Whatever a reader left behind."""
    staging, table = Path(django_settings.COSTOPS_HOME) / "tmp" / "staging", lake.location(CHARGES)
    return [*staging.glob("*"), *table.rglob("*.parquet")]


def test_a_good_file_is_read_as_ever(tmp_path):
    put(tmp_path / "in", "a.csv", bill(row("1.5"), row("2.000000000001", day="2026-11-02")))
    assert errors(ingest(source(tmp_path / "in"))) == []
    assert costs() == ["1.5", "2.000000000001"]
    assert len(left()) == len(lake.files(CHARGES)) == 2


def test_what_is_wrong_is_said_as_ever(tmp_path, settings):
    put(tmp_path / "in", "a.csv", bill(row("1"), row("N/A")))
    put(tmp_path / "in", "b.csv.gz", b"\x1f\x8bno")
    said = {}
    for is_apart in (True, False):
        settings.COSTOPS_READ_APART = is_apart
        said[is_apart] = errors(ingest(source(tmp_path / "in", name=f"apart-{is_apart}")))
    assert {line.partition(",")[0].partition(":")[0] for line in said[True]} == {"error a.csv", "error b.csv.gz"}
    assert said[True] == said[False]
    assert left() == []


@pytest.mark.parametrize(
    ("action", "limits", "codes", "says"),
    [
        pytest.param("crash", {}, {"reader_died"}, "SIGSEGV", id="a mistake of a library"),
        pytest.param("kill", {}, {"reader_died"}, "SIGKILL", id="killed twice"),
        pytest.param(
            "hoard",
            {"COSTOPS_READ_MEMORY_GIB": 1},
            {"too_much_memory", "reader_died"},
            "1",
            id="memory without end: some libraries say so, others give up",
        ),
        pytest.param("spin", {"COSTOPS_READ_MINUTES": 0.02}, {"too_slow"}, "0.02 minutes", id="work without end"),
        pytest.param("stop", {"COSTOPS_READ_MINUTES": 0.02}, {"too_slow"}, "0.02 minutes", id="no work at all"),
    ],
)
def test_a_reader_that_does_not_survive_refuses_its_file_only(tmp_path, settings, action, limits, codes, says):
    put(tmp_path / "in", "a.csv", bill(row("1")))
    one = source(tmp_path / "in")
    ingest(one)
    before = left()
    put(tmp_path / "in", "b.csv", bill(row("2", day="2026-11-02")))
    failpoints.arm(f"read.verify={action}")
    usual = {name: getattr(settings, name) for name in limits}
    for name, value in limits.items():
        setattr(settings, name, value)
    (said,) = errors(ingest(one))
    for name, value in usual.items():
        setattr(settings, name, value)
    assert said.startswith("error b.csv: ")
    assert says in said
    assert "option of its source" in said
    refused = LandedFile.objects.get(path="b.csv")
    assert refused.state == "refused"
    assert refused.problems[0]["code"] in codes
    assert (costs(), left()) == (["1"], before)
    failpoints.arm("")
    put(tmp_path / "in", "c.csv", bill(row("3", day="2026-12-02")))
    assert errors(ingest(one)) == []
    assert costs() == ["1", "3"]
    assert len(readers()) == 1


def a_bill(folder: Path, name: str = "a.csv") -> asking.Bill:
    return asking.Bill(put(folder, name, bill(row("1"))), name, "s", "f1", "UTC", BILLS["focus"].mappings)


def lines(log: Path, count: int = 1) -> list[int]:
    """The processes that wrote into a log, once there are so many."""
    deadline = time.monotonic() + 60
    while not log.exists() or len(log.read_text().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(line.split()[1]) for line in log.read_text().splitlines()]


def is_at_work(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # of a zombie there is none
    return False


def gone(pid: int) -> bool:
    """Whether a process ends soon."""
    deadline = time.monotonic() + 30
    while is_at_work(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_at_work(pid)


def test_a_reader_that_is_gone_is_replaced(tmp_path):
    assert not asking.read_bill(a_bill(tmp_path)).is_refused
    (pid,) = readers()
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert not asking.read_bill(a_bill(tmp_path)).is_refused
    assert len(readers()) == 1


def test_a_reader_killed_at_work_has_another_try(tmp_path):
    log = tmp_path / "log"
    failpoints.arm(f"read.parse=log:{log};read.parse=freeze:1")
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(asking.read_bill, a_bill(tmp_path))
        os.kill(lines(log)[0], signal.SIGKILL)
        assert not reading.result().is_refused
    assert len(lines(log)) == 2


def test_threads_read_at_the_same_time_and_end_without_harm(tmp_path):
    log = tmp_path / "log"
    failpoints.arm(f"read.parse=log:{log};read.parse=freeze:1")
    bills = [a_bill(tmp_path, "a.csv"), a_bill(tmp_path, "b.csv")]
    with ThreadPoolExecutor(2) as threads:
        assert not any(reading.is_refused for reading in threads.map(asking.read_bill, bills))
    assert len(lines(log)) == 2, "one died and was tried again"
    failpoints.arm("")
    before = sorted(readers())
    assert len(before) == 2
    assert not asking.read_bill(bills[0]).is_refused
    assert sorted(readers()) == before, "the end of a thread took its reader with it"


def test_a_forked_worker_has_readers_of_its_own(tmp_path):
    assert not asking.read_bill(a_bill(tmp_path)).is_refused
    before = readers()
    bad = replace(a_bill(tmp_path, "b.csv"), rows=2)

    def work() -> None:
        assert [problem.code for problem in asking.read_bill(bad).problems] == ["row_count"]
        assert len(readers()) == 1

    assert fork(work).wait(60) == 0
    assert not asking.read_bill(a_bill(tmp_path)).is_refused
    assert readers() == before


def test_a_fault_of_ours_is_no_fault_of_the_file(tmp_path):
    put(tmp_path / "in", "a.csv", bill(row("1")))
    one = source(tmp_path / "in")
    failpoints.arm("read.write=raise")
    with pytest.raises(asking.ReaderFailed, match=r"a\.csv: FailpointReached: read\.write"):
        ingest(one)
    failpoints.arm("")
    assert left() == []
    assert errors(ingest(one)) == []
    assert costs() == ["1"]


def test_a_disk_without_room_is_no_fault_of_the_file():
    told = {"errno": errno.ENOSPC, "strerror": "No space left on device", "filename": "x"}
    with pytest.raises(OSError, match="No space left") as raised:
        asking._understood(told, "a.csv", Path("/nowhere"))
    assert raised.value.errno == errno.ENOSPC


def test_parts_are_taken_over_together_or_not_at_all(tmp_path):
    part = lake.WrittenFile("source=s/a.parquet", {"source": "s"}, rows=1, size=1)
    put(tmp_path / "charges", part.path, b"x")
    read = Reading({CHARGES.name: [part, replace(part, path="source=s/b.parquet")]})
    with pytest.raises(FileNotFoundError):
        asking._taken_over(read, tmp_path)
    assert not (tmp_path / "charges" / part.path).exists()
    assert left() == []


@pytest.mark.parametrize("action", ["spin", "stop"])
def test_a_worker_takes_its_reader_with_it(tmp_path, action):
    log = tmp_path / "log"
    worker = fork(asking.read_bill, a_bill(tmp_path), failing=f"read.parse=log:{log};read.parse={action}")
    (reading,) = lines(log)
    worker.kill()
    assert gone(reading), "it reads on for nobody"


def test_a_reader_knows_no_secret(monkeypatch):
    monkeypatch.setenv("COSTOPS_SECRET_KEY", "a secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    one, known, deadline = asking._Reader(), b"", time.monotonic() + 10
    try:
        while not known and time.monotonic() < deadline:  # a process that just begins says nothing yet
            known = Path(f"/proc/{one._process.pid}/environ").read_bytes()
    finally:
        one.end()
    assert b"PATH=" in known
    assert b"secret" not in known.lower()


def test_a_reader_reaches_neither_the_network_nor_other_programs():
    if not (sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")):
        pytest.skip("the kernel cannot see to it here")

    def work() -> None:
        socket.socket().close()
        assert confine()
        with pytest.raises(PermissionError):
            socket.socket()
        with pytest.raises(PermissionError):
            subprocess.run([sys.executable], check=False)

    assert fork(work).wait(10) == 0


@pytest.mark.parametrize(("confined", "warnings"), [(True, 0), (False, 1)])
def test_whether_the_kernel_confines_readers_is_said_once(monkeypatch, caplog, confined, warnings):
    said = json.dumps({"failed": "it did", "trace": "", "confined": confined})
    monkeypatch.setattr(asking, "_asked", lambda _request: {"ended": 0, "said": said})
    asking._say_that_readers_are_loose.cache_clear()
    for _ in range(2):
        assert asking._told({})["failed"] == "it did"
    assert len([line for line in caplog.records if "does not confine" in line.getMessage()]) == warnings


def test_damaged_files_become_the_same_here_and_apart(tmp_path, settings):
    dice = random.Random(11)
    became = Counter()
    for sample in mutations.samples() * 3:
        content = mutations.damaged(sample, dice)
        path = put(tmp_path, "file", content)
        settings.COSTOPS_READ_APART = False
        here = mutations.read(sample, path)
        settings.COSTOPS_READ_APART = True
        apart = mutations.read(sample, path)
        assert replace(apart, parts={}) == replace(here, parts={}), sample.name
        for name, parts in here.parts.items():
            for part in parts:
                (Path(settings.COSTOPS_LAKE) / name / part.path).unlink()
        became[mutations.judge(sample, content, apart)] += 1
    assert became["taken"] > 3, became
    assert len(became) > 4, became


@pytest.mark.parametrize("kind", BILLS)
def test_whatever_is_asked_arrives(kind, tmp_path):
    mappings = BILLS[kind].mappings_for("a.csv", "")
    given = asking.Bill(
        tmp_path, "帐单.csv", "s", "f1", "UTC", tuple(mappings), encodings=("utf-8",), told={"path": "a"}
    )
    assert words.understand(words.spell(given), reader.ASKED) == given


def test_an_answer_is_of_known_classes_only():
    with pytest.raises(KeyError, match="Told"):
        words.understand(words.spell(Told("path")), reader.ANSWERED)
