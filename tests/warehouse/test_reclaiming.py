"""Files that no version has that somebody may ask for are taken away, and no other, whatever was written in between."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from apps.warehouse import lake, orphans, reclaiming, stored
from apps.warehouse.reclaiming import Reclaimed, reclaim
from tests.warehouse.machines import Machines
from tests.warehouse.test_lake import MONDAY, SALES, TUESDAY, sold
from tests.warehouse.test_orphans import LATER, NOW, lying, named, sell

SALE = st.tuples(
    st.sampled_from(["north", "a/b", "数据"]), st.sampled_from([MONDAY, TUESDAY]),
    st.sampled_from(["", "", "", "lake.commit"]),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """These lakes have no database beside them."""
    monkeypatch.setattr(reclaiming, "_held_by", {})


def files_of(versions: set[int]) -> set[str]:
    return {file.path for at in versions for file in lake.files(SALES, at=at)}


@given(st.lists(SALE, min_size=1, max_size=8), st.data())
@tried(max_examples=15, deadline=None)
def test_what_is_pinned_and_what_is_newer_is_read_as_before(work: list[tuple[str, Any, str]], data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.conf.settings.COSTOPS_LAKE", Path(folder) / "lake")
        for amount, (shop, day, failing) in enumerate(work, 1):
            sell(amount, shop, day, failing)
        newest, orphaned = lake.version(SALES), lying() - named()
        pinned = data.draw(st.sets(st.integers(0, newest), min_size=1))
        held = data.draw(st.sets(st.integers(0, newest)))
        patched.setitem(reclaiming._held_by, "test", lambda: [(SALES.name, at) for at in held])
        readable = pinned | held | {*range(max(pinned), newest + 1)}
        before, gone = {at: sold(at) for at in readable}, named() - files_of(readable)
        assert reclaim({SALES.name: pinned}, NOW) == Reclaimed(), "whoever began to read may read on"
        assert reclaim({SALES.name: pinned}, LATER, dry_run=True).files == len(gone)
        assert reclaim({SALES.name: pinned}, LATER).files == len(gone)
        assert lying() == files_of(readable) | orphaned
        stored.forget()
        assert {at: sold(at) for at in readable} == before
        assert reclaim({SALES.name: pinned}, LATER) == Reclaimed()
        sell(99, "north")
        assert (99, "north", MONDAY) in sold()
        orphans.sweep(LATER)
        assert lying() == files_of(readable | {newest + 1})


def test_a_file_that_was_taken_out_and_put_back_stays(home: Path) -> None:
    sell(1, "north")
    (file,) = lake.files(SALES)
    lake.commit(SALES, add=[], remove=[file])
    back = lake.WrittenFile(file.path, file.partition, file.size, file.rows)
    lake.commit(SALES, add=[back], remove=[])
    assert reclaim({SALES.name: [3]}, LATER) == Reclaimed()
    assert sold() == [(1, "north", MONDAY)]


def test_of_a_table_that_lacks_what_is_pinned_nothing_goes(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    for amount in (1, 2, 3):
        sell(amount, "north")
    assert reclaim({SALES.name: [4]}, LATER) == Reclaimed()
    assert "is this the database of that lake?" in caplog.text
    assert reclaim({SALES.name: [3]}, LATER).files == 2


def test_in_a_bucket_the_files_go_from_there(machines: Machines) -> None:
    for amount in (1, 2, 3):
        sell(amount, "north")
    there = machines.keys("parquet")
    assert reclaim({SALES.name: [1, 3]}, LATER).files == 1
    assert len(machines.keys("parquet")) == len(there) - 1
    machines.on("two")
    assert [sold(at) for at in (1, 3)] == [[(amount, "north", MONDAY)] for amount in (1, 3)]
