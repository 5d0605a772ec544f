"""What a backup copies of a lake: the log of each table, then all that it names, whatever is committed meanwhile."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from apps.backups import services, zones
from apps.warehouse import lake, stored
from tests.warehouse.test_lake import MONDAY, SALES, of_shop, sales


def sell(amount, shop):
    lake.replace(SALES, sales((amount, shop, MONDAY)), of_shop(shop))


def copied(home, to, said=None):
    """The home folder as a backup copies it."""
    for file in zones.files(([] if said is None else said).append):
        (to / file.path).parent.mkdir(parents=True, exist_ok=True)
        file.copy_to(to / file.path)
    return to


def read(home):
    """The amounts of the newest version of the table in a home folder."""
    delta = DeltaTable(str(home / "lake" / SALES.name))
    assert all(Path(path).exists() for path in delta.file_uris())
    return len(delta.file_uris())


def log_of(home):
    return home / "lake" / SALES.name / "_delta_log"


def test_what_is_committed_while_files_are_listed_is_whole(home, tmp_path, monkeypatch):
    sell(1, "north")
    walk, done = os.walk, []

    def committing(top, *args, **more):
        found = list(walk(top, *args, **more))
        done.append(sell(2, "north"))  # a fill commits between any two looks
        return found

    monkeypatch.setattr(os, "walk", committing)
    copied(home, tmp_path / "copy")
    assert len(done) > 2
    assert read(tmp_path / "copy") == 1


def test_a_version_that_was_not_seen_beside_a_later_one_is_looked_for_again(home, tmp_path, monkeypatch):
    for shop in ("north", "south", "west"):
        sell(1, shop)
    walk, blind = os.walk, ["00000000000000000002.json"]

    def overlooking(top, *args, **more):
        hidden = blind.pop() if str(top).rstrip("/").endswith("_delta_log") and blind else ""
        for folder, folders, names in walk(top, *args, **more):
            yield folder, folders, [name for name in names if name != hidden]

    monkeypatch.setattr(os, "walk", overlooking)
    copied(home, tmp_path / "copy")
    assert not blind
    assert read(tmp_path / "copy") == 3


def test_a_file_that_the_newest_version_names_must_be_there(home, tmp_path):
    sell(1, "north")
    (path,) = lake.paths(SALES, lake.files(SALES))
    path.unlink()
    with pytest.raises(zones.FilesMissing, match=rf"names 1 files that are not there, the first is .*{path.name}"):
        copied(home, tmp_path / "copy")


def test_a_file_of_an_older_version_is_said_to_be_gone(home, tmp_path):
    sell(1, "north")
    (path,) = lake.paths(SALES, lake.files(SALES))
    sell(2, "north")
    path.unlink()
    said = []
    copied(home, tmp_path / "copy", said)
    assert said == [f"1 files of older versions of the table {SALES.name} are not there any more."]
    assert read(tmp_path / "copy") == 1


def test_a_log_that_lacks_a_version_is_told(home, tmp_path):
    for shop in ("north", "south", "west"):
        sell(1, shop)
    (log_of(home) / "00000000000000000002.json").unlink()
    with pytest.raises(zones.FilesMissing, match="lacks its version 2"):
        copied(home, tmp_path / "copy")


def test_a_checkpoint_stands_for_versions_that_are_gone(home, tmp_path):
    for shop in ("north", "south", "a b"):
        sell(1, shop)
    DeltaTable(str(lake.location(SALES))).create_checkpoint()
    sell(2, "a b")
    for number in range(3):
        (log_of(home) / f"{number:020}.json").unlink()
    copied(home, tmp_path / "copy")
    assert read(tmp_path / "copy") == 3


def test_what_is_just_written_is_not_copied(home, tmp_path):
    sell(1, "north")
    (log_of(home) / "_commit_1.json.tmp").write_text("{")
    (log_of(home) / "00000000000000000009.json#1").write_text("{")
    (lake.location(SALES) / "half.parquet").write_text("half")
    copied(home, tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").rglob("*")}
    assert not names & {"_commit_1.json.tmp", "00000000000000000009.json#1", "half.parquet"}


@pytest.fixture
def folder(home, tmp_path, transactional_db):
    return tmp_path / "backups"


def make(folder):
    """A backup, a day after the one before."""
    day = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=len(services.backups(folder)))
    return services.make(folder, now=day, say=print)


def brought_back(folder, backup, home):
    """The files of a backup in a home folder of their own."""
    services.check(folder, backup, say=print)
    shutil.rmtree(home, ignore_errors=True)
    for file in backup.files:
        (home / file.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(services.place_of(folder, backup, file), home / file.path)
    return home


def amounts(home):
    table = DeltaTable(str(home / "lake" / SALES.name))
    return sorted(int(row["amount"]) for row in table.to_pyarrow_table().to_pylist())


@pytest.mark.parametrize(
    "again", [pytest.param(9, id="as long as before"), pytest.param(10**6, id="of another length")]
)
def test_versions_that_are_numbered_again_after_a_restore_are_kept_beside_those_of_before(
    folder, home, tmp_path, again
):
    sell(1, "north")
    first = make(folder)
    sell(2, "north")
    DeltaTable(str(lake.location(SALES))).create_checkpoint()
    second = make(folder)
    brought_back(folder, first, home)
    stored.forget()
    sell(again, "north" if again == 9 else "a shop with a longer name")
    DeltaTable(str(lake.location(SALES))).create_checkpoint()
    third = make(folder)
    expected = {first: [1], second: [2], third: [9] if again == 9 else [1, again]}
    for backup, held in expected.items():
        assert amounts(brought_back(folder, backup, tmp_path / backup.name)) == held


def test_a_file_that_is_another_under_its_name_lies_beside_the_one_of_before(folder, home):
    landed = home / "landing" / "ab" / "abc"
    landed.parent.mkdir(parents=True)
    landed.write_text("before")
    first = make(folder)
    landed.write_text("cut")
    second = make(folder)
    for backup in (first, second):
        services.check(folder, backup, say=print)


def test_a_copy_that_went_missing_comes_again_under_its_name(folder, home):
    landed = home / "landing" / "ab" / "abc"
    landed.parent.mkdir(parents=True)
    landed.write_text("landed")
    first = make(folder)
    (folder / "files" / "landing" / "ab" / "abc").unlink()
    make(folder)
    services.check(folder, first, say=print)


def test_what_people_brought_is_kept_and_another_file_of_its_name_too(folder, home, tmp_path):
    brought = home / "uploads" / "hosting" / "bill.csv"
    brought.parent.mkdir(parents=True)
    held = {}
    for content in ("october", "october", "october, again"):
        if not brought.exists() or brought.read_text() != content:
            brought.write_text(content)
        held[make(folder)] = content
    for backup, content in held.items():
        back = brought_back(folder, backup, tmp_path / backup.name)
        assert (back / "uploads" / "hosting" / "bill.csv").read_text() == content
    assert len(list((folder / "files" / "by-sha256").glob("*/*"))) == 2


def test_what_only_older_versions_have_may_go_meanwhile(home, tmp_path):
    for amount in (1, 2, 3):
        sell(amount, "north")
    (newest,) = lake.files(SALES)
    found = {file.path: file.may_go for file in zones.files([].append) if file.path.endswith(".parquet")}
    assert len(found) == 3
    assert [path for path, may_go in found.items() if not may_go] == [f"lake/{SALES.name}/{newest.path}"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_newest", [False, True])
def test_a_backup_beside_who_tidies(home, tmp_path, monkeypatch, is_newest):
    """The file is taken away after it was listed, before it is copied."""
    for amount in (1, 2, 3):
        sell(amount, "north")
    of, said = zones.files, []

    def tidied(say):
        for file in of(say):
            if file.path.endswith(".parquet") and file.may_go is not is_newest:
                (home / file.path).unlink()
            yield file

    monkeypatch.setattr(zones, "files", tidied)
    if is_newest:
        with pytest.raises(zones.FilesMissing, match="no backup was made"):
            services.make(tmp_path / "kept", now=datetime.now(UTC), say=said.append)
        assert services.backups(tmp_path / "kept") == []
    else:
        services.make(tmp_path / "kept", now=datetime.now(UTC), say=said.append)
        assert sum("was taken away before it was copied" in line for line in said) == 2
