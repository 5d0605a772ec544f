"""The lake: a window is replaced in one commit, older versions stay, what a killed writer left behind is not there."""

import os
import uuid
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from apps.finops.tables import LakeTable
from apps.warehouse import commits, lake, stored
from apps.warehouse.engine import rows_of
from tests.servers.objects import lay_lake

SALES = LakeTable("sales", {"amount": "decimal(38, 12)", "shop": "string", "day": "date"}, ("shop", "day"))
MONDAY, TUESDAY, WEDNESDAY = date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 7)

pytestmark = pytest.mark.usefixtures("place")
here = pytest.mark.parametrize("place", ["on this machine"], indirect=True)
"""Of a lake in a bucket `test_shared.py` says the same, with machines of their own."""


@pytest.fixture(params=["on this machine", "in a bucket"])
def place(request: pytest.FixtureRequest, home: Path, settings: Any) -> None:
    """Where the lake lies."""
    if request.param == "in a bucket":
        lay_lake(settings, request.getfixturevalue("lake_bucket"), uuid.uuid4().hex)


def sales(*rows: tuple[int, str, date]) -> ibis.Table:
    columns = {name: list(values) for name, values in zip(SALES.columns, zip(*rows, strict=True), strict=True)}
    return ibis.memtable(pa.table(columns, schema=SALES.schema.to_pyarrow()), schema=SALES.schema)


def sold(at: int | None = None) -> list[tuple[Any, ...]]:
    return sorted(rows_of(lake.scan(SALES, at=at)))


def of_shop(shop: str) -> list[lake.StoredFile]:
    return [file for file in lake.files(SALES) if file.partition["shop"] == shop]


def test_a_table_nobody_wrote_is_empty() -> None:
    assert (lake.version(SALES), lake.files(SALES), sold()) == (0, (), [])


def test_a_window_is_replaced_and_nothing_else() -> None:
    lake.replace(SALES, sales((1, "north", MONDAY), (2, "north", TUESDAY), (3, "south", MONDAY)), [])
    lake.replace(SALES, sales((9, "north", TUESDAY)), of_shop("north"))
    assert sold() == [(3, "south", MONDAY), (9, "north", TUESDAY)]


def test_older_versions_stay_readable() -> None:
    versions = [
        lake.replace(SALES, sales((amount, "north", MONDAY)), of_shop("north"), note={"step": "test"})
        for amount in (1, 2, 3)
    ]
    assert versions == [1, 2, 3]
    assert [sold(at) for at in (0, *versions)] == [[], *([(amount, "north", MONDAY)] for amount in (1, 2, 3))]
    assert DeltaTable(str(lake.location(SALES))).history(1)[0]["step"] == "test"


class Counted(DeltaTable):
    """A table of the lake; how often one was opened."""

    times = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        Counted.times += 1
        super().__init__(*given, **named)


def test_a_version_is_opened_once_to_be_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    lake.replace(SALES, sales((1, "north", MONDAY)), [])
    stored.forget()
    monkeypatch.setattr(stored, "DeltaTable", Counted)
    monkeypatch.setattr(Counted, "times", 0)
    newest = lake.files(SALES)
    assert Counted.times == 1
    assert lake.files(SALES, at=1) == newest != lake.files(SALES, at=0)
    assert Counted.times == 2, "version 1 is remembered, version 0 was not"


@pytest.mark.parametrize("is_only", [True, False], ids=["and no other file has it", "and another file has it"])
def test_a_text_that_came_later_is_unknown_in_older_files(is_only: bool) -> None:
    lake.replace(SALES, sales((1, "north", MONDAY)), [])
    grown = LakeTable("sales", SALES.columns | {"till": "string"}, ("shop", "day"), True, ("till",))
    if not is_only:
        row = pa.table({"amount": [2], "shop": ["south"], "day": [MONDAY], "till": ["two"]})
        lake.replace(grown, ibis.memtable(row), [])
    found = {row[0]: row[-1] for row in rows_of(lake.scan(grown).select("amount", "till"))}
    assert found == ({1: None} if is_only else {1: None, 2: "two"})


@here
def test_versions_are_kept_for_ever() -> None:
    """Publications pin versions; the format's habit is to forget them after thirty days, at every hundredth commit."""
    for amount in range(1, 103):
        lake.replace(SALES, sales((amount, "north", MONDAY)), of_shop("north"))
        if amount == 50:
            _make_old(lake.location(SALES) / "_delta_log")
    assert list((lake.location(SALES) / "_delta_log").glob("*.checkpoint.parquet"))
    assert sold(3) == [(3, "north", MONDAY)]
    assert sold() == [(102, "north", MONDAY)]


def _make_old(folder: Path) -> None:
    for path in folder.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))


def test_what_was_written_and_never_committed_is_not_there() -> None:
    lake.replace(SALES, sales((1, "north", MONDAY)), [])
    orphans = lake.write(SALES, sales((2, "north", MONDAY), (3, "west", MONDAY)))
    assert all((lake.location(SALES) / orphan.path).exists() for orphan in orphans)
    assert sold() == [(1, "north", MONDAY)]


def test_a_window_that_lost_everything_is_empty() -> None:
    lake.replace(SALES, sales((1, "north", MONDAY), (2, "south", MONDAY)), [])
    lake.replace(SALES, sales((1, "north", MONDAY)).filter(ibis._.amount > 5), of_shop("north"))
    assert sold() == [(2, "south", MONDAY)]


def test_a_commit_of_nothing_makes_no_version() -> None:
    assert lake.commit(SALES, add=[], remove=[]) == 0


@pytest.mark.parametrize(
    "shop",
    ["a b", "a/b", "../up", "数据", "it's", 'q"x', "a=b", "a%20b", "[x]*?", "a+b", "#&;", ":", "\\", "123", ".", " "],
)
def test_a_partition_may_have_any_name(shop: str) -> None:
    lake.replace(SALES, sales((1, shop, MONDAY), (2, "other", MONDAY)), [])
    (file,) = of_shop(shop)
    assert file.partition == {"shop": shop, "day": "2026-10-05"}
    assert rows_of(lake.scan(SALES, only=[file])) == [(1, shop, MONDAY)]
    lake.replace(SALES, sales((3, shop, MONDAY)), [file])
    assert sold() == sorted([(3, shop, MONDAY), (2, "other", MONDAY)])


def test_a_home_folder_may_have_any_name(tmp_path: Path, settings: Any) -> None:
    settings.COSTOPS_LAKE = tmp_path / "it's [my] lake*?"
    lake.replace(SALES, sales((1, "north", MONDAY)), [])
    assert sold() == [(1, "north", MONDAY)]


def test_files_between_days() -> None:
    lake.replace(SALES, sales((1, "north", MONDAY), (2, "north", TUESDAY), (3, "north", WEDNESDAY)), [])
    assert rows_of(lake.between(SALES, "day", TUESDAY, WEDNESDAY)) == [(2, "north", TUESDAY)]


def test_amounts_keep_all_their_digits() -> None:
    largest = "99999999999999999999999999.999999999999"
    row = sales((0, "north", MONDAY)).mutate(amount=ibis.literal(largest).cast("decimal(38, 12)"))
    lake.replace(SALES, row, [])
    ((amount, *_),) = sold()
    assert f"{amount:f}" == largest


# --- Several writers ------------------------------------------------------------------------------------------------
def test_a_writer_who_saw_an_older_window_changes_nothing() -> None:
    lake.replace(SALES, sales((1, "north", MONDAY)), [])
    seen = of_shop("north")
    lake.replace(SALES, sales((2, "north", MONDAY)), seen)
    with pytest.raises(lake.CommitConflict, match="run the step again"):
        lake.replace(SALES, sales((3, "north", MONDAY)), seen)
    assert sold() == [(2, "north", MONDAY)]


def test_a_writer_who_saw_an_empty_window_does_not_double_it() -> None:
    lake.replace(SALES, sales((1, "north", MONDAY)), [])
    with pytest.raises(lake.CommitConflict, match="sales: somebody else changed shop=north"):
        lake.replace(SALES, sales((1, "north", MONDAY)), [])
    assert sold() == [(1, "north", MONDAY)]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets somebody else commit at the worst moment: after the next writer has looked, before it writes."""
    write, done = commits._write, []

    def let(shop: str, window: list[Any]) -> None:
        def late(*words: Any) -> None:
            if not done:
                done.append(shop)
                lake.replace(SALES, sales((7, shop, MONDAY)), window)
            write(*words)

        monkeypatch.setattr(commits, "_write", late)

    return let


def test_a_commit_to_another_window_in_between_changes_nothing_here(meanwhile: Any) -> None:
    lake.replace(SALES, sales((1, "north", MONDAY), (1, "south", MONDAY)), [])
    meanwhile("south", of_shop("south"))
    lake.replace(SALES, sales((2, "north", MONDAY)), of_shop("north"))
    assert sold() == [(2, "north", MONDAY), (7, "south", MONDAY)]


@pytest.mark.parametrize(
    "held", [pytest.param(True, id="the same window"), pytest.param(False, id="while it is empty")]
)
def test_a_commit_to_the_same_window_in_between_is_a_conflict(meanwhile: Any, held: bool) -> None:
    lake.replace(SALES, sales((1, "north" if held else "south", MONDAY)), [])
    meanwhile("north", of_shop("north"))
    with pytest.raises(lake.CommitConflict, match="run the step again"):
        lake.replace(SALES, sales((2, "north", MONDAY)), of_shop("north"))
    assert (7, "north", MONDAY) in sold()


def _replace_often(shop: str, home: Path) -> int:
    """In a process of its own, replace a shop's window five times; how often another writer was first."""
    os.environ["COSTOPS_HOME"] = str(home)
    conflicts = 0
    for amount in range(1, 6):
        try:
            lake.replace(SALES, sales((amount, shop, MONDAY)), of_shop(shop))
        except lake.CommitConflict:
            conflicts += 1
    return conflicts


@here
def test_writers_of_different_windows_all_land_and_of_the_same_window_never_double_it(home: Path) -> None:
    lake.version(SALES)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        told = list(pool.map(_replace_often, ["north", "north", "south"], [home] * 3))
    assert told[2] == 0
    assert lake.version(SALES) == 15 - sum(told)
    assert len(sold()) == 2
    for at in range(1, lake.version(SALES) + 1):
        shops = [shop for _, shop, _ in sold(at)]
        assert len(shops) == len(set(shops))
