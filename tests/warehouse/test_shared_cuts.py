"""A lake in a bucket after what happens to single machines: a power cut, a disk of its own, a sweep, another at it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apps.warehouse import commits, lake, logs, stored
from apps.warehouse.commits import CommitConflict
from tests.warehouse.machines import Machines, sell
from tests.warehouse.test_lake import MONDAY, SALES, sold

ALL = [(1, "north", MONDAY), (2, "south", MONDAY), (4, "east", MONDAY)]


def cut(path: Path, left: Callable[[bytes], bytes]) -> None:
    """As a power cut leaves a file whose name was on the disk before its content, for a process that begins then."""
    was = path.read_bytes()
    path.chmod(0o644)
    path.unlink()
    path.write_bytes(left(was))
    stored.forget()
    logs._WHOLE.clear()


def empty(path: Path) -> None:
    cut(path, lambda was: b"")


def version_file(at: int) -> Path:
    return lake.location(SALES) / "_delta_log" / f"{at:020}.json"


@pytest.fixture
def last(machines: Machines) -> int:
    """The newest version of a table that three shops sold."""
    return [sell(amount, shop) for amount, shop, _day in ALL][-1]


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize(
    "left",
    [
        pytest.param(lambda was: b"", id="nothing"),
        pytest.param(lambda was: bytes(len(was)), id="nothing but its length"),
        pytest.param(lambda was: was[: len(was) // 2], id="half of it"),
    ],
)
def test_versions_that_a_power_cut_took_are_brought_again(
    machines: Machines, last: int, lost: int, left: Callable[[bytes], bytes]
) -> None:
    for at in range(last - lost + 1, last + 1):
        cut(version_file(at), left)
    assert sold() == sorted(ALL)
    empty(version_file(last))
    sell(8, "west")
    for machine in ("one", "two"):
        machines.on(machine)
        assert sold() == sorted([*ALL, (8, "west", MONDAY)])


@pytest.mark.parametrize("left", [pytest.param(0, id="nothing"), pytest.param(2, id="half of it")])
def test_a_checkpoint_that_a_power_cut_took_is_brought_again(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    monkeypatch.setattr(logs, "EVERY", 2)
    for amount in range(1, 6):
        sell(amount, f"shop {amount}")
    machines.on("two")
    whole = sold()
    found = sorted((lake.location(SALES) / "_delta_log").glob("*.checkpoint.parquet"))
    cut(found[-1], lambda was: was[: len(was) // left] if left else b"")
    assert sold() == whole


def test_no_checkpoint_is_written_of_what_a_power_cut_left(
    machines: Machines, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "EVERY", last + 1)
    empty(version_file(last))
    sell(8, "west")
    machines.on("two")
    assert any("checkpoint" in key for key in machines.keys("_delta_log"))
    assert sold() == sorted([*ALL, (8, "west", MONDAY)])


def test_what_a_machine_committed_is_on_its_disk_before_it_has_its_name(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, str]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        told = os.stat(handle)
        synced.append((told.st_ino, os.readlink(f"/proc/self/fd/{handle}")))

    monkeypatch.setattr(os, "fsync", fsync)
    at = sell(1, "north")
    (file,) = lake.files(SALES)
    for path in (version_file(at), lake.location(SALES) / file.path):
        (name,) = [name for inode, name in synced if inode == path.stat().st_ino]
        assert Path(name).name != version_file(at).name, "it gets its name afterwards"


def test_a_copy_that_a_power_cut_emptied_is_fetched_again(machines: Machines, last: int) -> None:
    for file in lake.files(SALES):
        empty(lake.location(SALES) / file.path)
    assert sold() == sorted(ALL)


@pytest.fixture
def another_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))  # the one other file system there is everywhere
    yield folder
    shutil.rmtree(folder)


def test_what_a_machine_keeps_of_the_bucket_may_lie_on_another_disk(machines: Machines, another_disk: Path) -> None:
    home = machines.folder / "one"
    home.mkdir(exist_ok=True)
    if home.stat().st_dev == another_disk.stat().st_dev:
        pytest.skip("there is one disk only")
    (home / "cache").symlink_to(another_disk)
    assert [sell(amount, shop) for amount, shop, _day in ALL] == [1, 2, 3]
    assert sold() == sorted(ALL)


def test_files_that_were_swept_from_the_bucket_are_not_committed(
    machines: Machines, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = machines.keys(".parquet")

    def sleep_for_days() -> None:
        for key in {*machines.keys(".parquet")} - {*before}:
            machines.store.client().delete_object(Bucket="lake", Key=f"{machines.prefix}/{key}")

    monkeypatch.setattr(commits.fencing, "check", sleep_for_days)
    with pytest.raises(CommitConflict, match="is gone before it was committed"):
        sell(8, "west")
    assert sold() == sorted(ALL)


def test_two_machines_of_a_new_release_open_a_table_of_the_one_before(
    machines: Machines, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = replace(SALES, columns={**SALES.columns, "note": "string"})
    publish, others = logs._publish, []

    def after_another(table: Path, version: Path) -> None:
        if not others:
            others.append("two")
            machines.on("two")
            assert lake.version(grown) == last + 1
            machines.on("one")
        publish(table, version)

    monkeypatch.setattr(logs, "_publish", after_another)
    assert lake.version(grown) == last + 1
    assert others == ["two"]
