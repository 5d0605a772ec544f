"""Orphans of a lake on this machine: what no version names goes, after a grace period; nothing else ever does."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from apps.warehouse import failpoints, lake, orphans, stored
from tests.servers.installation import ROOT
from tests.warehouse.test_lake import MONDAY, SALES, TUESDAY, of_shop, sales, sold

NOW = datetime.now(UTC)
LATER = NOW + orphans.GRACE + timedelta(days=1)
POINTS = ("lake.write", "lake.sync", "lake.commit", "lake.committed")


def sell(amount: int, shop: str, day: Any = MONDAY, failing: str = "") -> None:
    """Replace a shop's window; with a failpoint, as a writer that dies there."""
    failpoints.arm(f"{failing}=raise" if failing else "")
    with suppress(failpoints.FailpointReached):
        lake.replace(SALES, sales((amount, shop, day)), of_shop(shop))
    failpoints.arm("")


def lying() -> set[str]:
    return {str(path.relative_to(lake.location(SALES))) for path in lake.location(SALES).rglob("*.parquet")}


def named() -> set[str]:
    return {file.path for at in range(lake.version(SALES) + 1) for file in lake.files(SALES, at=at)}


@pytest.fixture
def half(home: Path) -> Path:
    """A lake with one sale, and one that was written and never committed: its file."""
    sell(1, "a b")
    sell(2, "a b", failing="lake.commit")
    (orphan,) = lying() - named()
    return lake.location(SALES) / orphan


SALE = st.tuples(
    st.sampled_from(["north", "a/b", "数据"]), st.sampled_from([MONDAY, TUESDAY]), st.sampled_from(["", *POINTS])
)


@given(st.lists(SALE, min_size=1, max_size=6))
@tried(max_examples=15, deadline=None)
def test_whatever_was_committed_stays_readable_and_nothing_else_stays(work: list[tuple[str, Any, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.conf.settings.COSTOPS_LAKE", Path(folder) / "lake")
        for amount, (shop, day, failing) in enumerate(work, 1):
            sell(amount, shop, day, failing)
        versions = range(lake.version(SALES) + 1)
        before, left = [sold(at) for at in versions], lying() - named()
        assert orphans.sweep(NOW) == 0
        assert orphans.sweep(LATER) == len(left) == sum(failing in ("lake.sync", "lake.commit") for *_, failing in work)
        assert lying() == named()
        stored.forget()
        assert [sold(at) for at in versions] == before
        assert orphans.sweep(LATER) == 0


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("bytes")
    return path


@pytest.mark.parametrize(
    ("where", "goes"),
    [
        pytest.param("sales/shop=x/day=2026-10-05/w1_0.parquet", True, id="a file of a killed writer"),
        pytest.param("sales/_w12/shop=x/part-0.parquet", True, id="what an executor of Spark wrote"),
        pytest.param("sales/_w12/_temporary/0/.part.crc", True, id="and what Spark notes beside it"),
        pytest.param("_kept/kept_12/part-0.parquet", True, id="a table kept for one computation"),
        pytest.param("sales/_delta_log/_commit_12.json.tmp", True, id="half a commit"),
        pytest.param("sales/_delta_log/00000000000000000009.json#1", True, id="half a commit, before it has its name"),
        pytest.param(".ready-12", True, id="a look whether the folder can be written"),
        pytest.param("sales/_delta_log/_last_checkpoint", False, id="a part of the log"),
        pytest.param("sales/_delta_log/00000000000000000000.checkpoint.parquet", False, id="a checkpoint"),
        pytest.param("notes/day=1/a.parquet", False, id="a folder that is no table"),
        pytest.param("notes.txt", False, id="somebody's file"),
    ],
)
def test_what_lies_in_the_lake(home: Path, where: str, goes: bool) -> None:
    sell(1, "north")
    path = put(home / "lake" / where)
    assert orphans.sweep(NOW) == 0
    assert orphans.sweep(LATER) == goes
    assert path.exists() is not goes
    path.unlink(missing_ok=True)
    assert sold() == [(1, "north", MONDAY)]


def test_folders_of_one_writer_go_with_their_files_and_partitions_stay(home: Path, half: Path) -> None:
    staged = put(lake.location(SALES) / "_w12" / "shop=x" / "part.parquet")
    orphans.sweep(LATER)
    assert not staged.parents[1].exists()
    assert half.parent.exists(), "somebody may be about to write there"


def test_a_copy_is_as_young_as_the_copying(half: Path) -> None:
    """A lake that is brought back with the times its files had: its logs may come last."""
    os.utime(half, (1_600_000_000, 1_600_000_000))
    assert orphans.sweep(NOW) == 0
    assert half.exists()


@pytest.mark.parametrize("damage", ["unlink", "cut"])
def test_a_table_whose_log_is_not_whole_is_left_alone(half: Path, damage: str) -> None:
    version = lake.location(SALES) / "_delta_log" / f"{0:020}.json"
    version.unlink() if damage == "unlink" else version.write_text('{"add": {"pa')
    assert orphans.sweep(LATER) == 0
    assert half.exists()


def test_links_lead_nowhere(home: Path, half: Path) -> None:
    outside = put(home / "elsewhere" / "shop=x" / "w1_0.parquet")
    (half.parent / "w2_0.parquet").symlink_to(outside)
    (lake.location(SALES) / "shop=linked").symlink_to(outside.parents[1], target_is_directory=True)
    (home / "lake" / "_kept").symlink_to(outside.parents[1], target_is_directory=True)
    assert orphans.sweep(LATER) == 1
    assert outside.exists()
    assert (half.parent / "w2_0.parquet").is_symlink()


def test_a_lake_that_is_a_link_itself_is_swept(home: Path, half: Path) -> None:
    (home / "lake").rename(home / "disk")
    (home / "lake").symlink_to(home / "disk", target_is_directory=True)
    assert orphans.sweep(LATER) == 1
    assert sold() == [(1, "a b", MONDAY)]


def test_it_is_said_what_went(half: Path, caplog: pytest.LogCaptureFixture) -> None:
    orphans.sweep(LATER)
    assert (
        f"1 orphans of the lake swept, which no version names: lake/sales/{half.relative_to(lake.location(SALES))}"
        in caplog.text
    )


def test_where_there_is_no_lake_there_is_nothing_to_sweep(home: Path) -> None:
    assert orphans.sweep(LATER) == 0


WRITER = """
import django; django.setup()
from apps.warehouse import lake
from tests.warehouse.test_lake import MONDAY, SALES, of_shop, sales
try:
    lake.replace(SALES, sales((2, "north", MONDAY)), of_shop("north"))
except lake.CommitConflict as conflict:
    print(conflict)
"""


@pytest.fixture
def frozen(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that wrote its files, and stands before its commit."""
    sell(1, "north")
    told = {"COSTOPS_HOME": str(home), "DJANGO_SETTINGS_MODULE": "costops.settings"}
    environment = os.environ | told | {failpoints.VARIABLE: "lake.commit=stop"}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while Path(f"/proc/{writer.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert writer.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield writer
    writer.kill()
    writer.communicate()


def test_a_writer_before_its_commit_keeps_its_files(frozen: subprocess.Popen[str]) -> None:
    assert orphans.sweep(NOW + timedelta(hours=47)) == 0
    frozen.send_signal(signal.SIGCONT)
    assert frozen.communicate(timeout=60)[0] == ""
    assert sold() == [(2, "north", MONDAY)]


def test_a_writer_that_comes_back_after_days_commits_nothing_that_is_gone(frozen: subprocess.Popen[str]) -> None:
    assert orphans.sweep(LATER) == 1
    frozen.send_signal(signal.SIGCONT)
    assert "is gone before it was committed" in frozen.communicate(timeout=60)[0]
    assert sold() == [(1, "north", MONDAY)]


def test_what_killed_processes_left_goes_after_the_same_grace(home):
    tmp = home / "tmp"
    for name in ("staging/old/lake/a.parquet", "engine/old.tmp", "matplotlib/old"):
        (tmp / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp / name).write_bytes(b"x")
    half = (
        "landing/.incoming-", "landing/ab/.incoming-", "uploads/bill/.incoming-", "lake/sales/day=1/.incoming-",
        "lake/sales/_delta_log/.incoming-",
    )  # fmt: skip
    incoming = [home / f"{name}{number:032x}" for number, name in enumerate(half)]
    whole = [home / name for name in ("landing/ab/abc", "landing/.receipts/abc", "uploads/bill/.incoming-mine.csv")]
    for path in (*incoming, *whole):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    outside = home / "outside"
    outside.write_bytes(b"x")
    (tmp / "staging" / "link").symlink_to(home)
    before = sorted(tmp.rglob("*"))
    orphans.sweep(NOW)
    assert sorted(tmp.rglob("*")) == before
    assert all(path.exists() for path in incoming)
    orphans.sweep(LATER)
    assert [path for path in incoming if path.exists()] == []
    assert all(path.exists() for path in whole)
    assert sorted(path.name for path in tmp.rglob("*")) == ["engine", "matplotlib", "old", "staging"]
    assert outside.exists()
