"""The lake in a bucket: several machines see one lake, and none overtakes another unseen."""

import hashlib
import os
import time
import uuid
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from apps.warehouse import commits, lake, logs, objects, orphans, shared
from tests.servers.objects import ObjectStore, lay_lake
from tests.warehouse.machines import NORTH, Fault, Machines, failed, sell
from tests.warehouse.test_lake import MONDAY, SALES, TUESDAY, sales, sold

MODES = pytest.mark.parametrize("commit", ["s3", "oss"])


def test_what_one_machine_commits_another_reads_and_fetches_once(machines: Machines) -> None:
    sell(1)
    sell(2, "south")
    machines.on("two")
    assert sold() == [(1, "north", MONDAY), (2, "south", MONDAY)]
    machines.store.asked.clear()
    assert sold() == [(1, "north", MONDAY), (2, "south", MONDAY)]
    assert machines.asked("GET", ".parquet") == []
    machines.on("one")
    assert sold() == [(1, "north", MONDAY), (2, "south", MONDAY)]
    assert machines.asked("GET", ".parquet") == [], "what was written here lies here"


def test_only_the_files_a_question_needs_are_fetched(machines: Machines) -> None:
    for day in (MONDAY, TUESDAY):
        sell(1, day=day)
    machines.on("two")
    assert len(lake.files(SALES)) == 2
    assert machines.asked("GET", f"/{SALES.name}/{NORTH}") == []
    assert lake.between(SALES, "day", TUESDAY, TUESDAY + timedelta(days=1)).count().execute() == 1
    assert len(machines.asked("GET", f"/{SALES.name}/{NORTH}")) == 1


def test_a_name_tells_the_content(machines: Machines) -> None:
    sell(1)
    (file,) = lake.files(SALES)
    content = lake.paths(SALES, [file])[0].read_bytes()
    assert hashlib.sha256(content).hexdigest() in file.path


def test_a_machine_that_begins_reads_from_the_last_checkpoint(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "EVERY", 4)
    for amount in range(1, 11):
        sell(amount)
    machines.on("two")
    machines.store.asked.clear()
    assert sold() == [(10, "north", MONDAY)]
    assert len(machines.asked("GET", "_delta_log/0")) == 4, "the checkpoint of version 8, versions 8 to 10"
    assert sold(6) == [(6, "north", MONDAY)]
    assert sold(1) == [(1, "north", MONDAY)]
    sell(11)
    machines.on("one")
    assert sold() == [(11, "north", MONDAY)]


def _sell_often(home: Path, store: ObjectStore, prefix: str, shops: tuple[str, ...]) -> int:
    """In a process that is a machine of its own: conflicts it met."""
    import django
    from django.conf import settings

    django.setup()
    machine = Machines(store, home, settings)
    machine.prefix = prefix
    lay_lake(settings, store, prefix)
    machine.on(uuid.uuid4().hex)
    conflicts = 0
    for amount in range(4):
        for shop in shops:
            try:
                sell(amount, shop)
            except lake.CommitConflict:
                assert shop == "north", "nobody else writes there"
                conflicts += 1
    return conflicts


def test_machines_that_commit_at_the_same_time_lose_and_double_nothing(machines: Machines) -> None:
    lake.version(SALES)
    store = ObjectStore(machines.store.address)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        told = [
            pool.submit(_sell_often, machines.folder, store, machines.prefix, shops)
            for shops in (("north", "south"), ("north", "west"))
        ]
        conflicts = sum(one.result() for one in told)
    assert lake.version(SALES) == 16 - conflicts
    for at in range(1, lake.version(SALES) + 1):
        shops = Counter(shop for _, shop, _ in sold(at))
        assert max(shops.values()) == 1


def like_oss(store: ObjectStore) -> Fault:
    """OSS knows no If-None-Match of S3, but a header of its own and another answer."""

    def fault(environ: dict[str, Any], start: Any) -> Any:
        environ.pop("HTTP_IF_NONE_MATCH", None)
        if environ["REQUEST_METHOD"] == "PUT" and environ.get("HTTP_X_OSS_FORBID_OVERWRITE") == "true":
            key = environ["PATH_INFO"].removeprefix("/lake/")
            if store.client().list_objects_v2(Bucket="lake", Prefix=key)["KeyCount"]:
                return failed(start, "409 Conflict", b"<Error><Code>FileAlreadyExists</Code></Error>")
            environ["HTTP_IF_NONE_MATCH"] = "*"
        return None

    return fault


@MODES
def test_of_many_who_put_at_once_exactly_one_is_first(
    lake_bucket: ObjectStore, tmp_path: Path, settings: Any, commit: str
) -> None:
    Machines(lake_bucket, tmp_path, settings, commit)
    lake_bucket.fault = like_oss(lake_bucket) if commit == "oss" else None
    for key in ("a", "b", "c", "d", "e"):
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(partial(shared.bucket().put_new, key), [b"%d" % who for who in range(8)]))
        assert sum(won) == 1
        assert shared.bucket().read(key) == b"%d" % won.index(True)


@pytest.mark.parametrize(
    ("commit", "fault", "is_safe"),
    [
        pytest.param("s3", None, True, id="a store that knows If-None-Match"),
        pytest.param("oss", like_oss, True, id="OSS, told so"),
        pytest.param("s3", like_oss, False, id="OSS, not told so"),
        pytest.param("oss", None, False, id="OSS with versioning, where its header means nothing"),
    ],
)
def test_a_store_that_writes_over_what_is_there_is_never_written_to(
    lake_bucket: ObjectStore, tmp_path: Path, settings: Any, monkeypatch: Any, commit: str, fault: Any, is_safe: bool
) -> None:
    machines = Machines(lake_bucket, tmp_path, settings, commit)
    monkeypatch.setattr(logs, "_PROBED", set())
    lake_bucket.fault = fault(lake_bucket) if fault else None
    if is_safe:
        assert sell(1) == 1
        assert sold() == [(1, "north", MONDAY)]
    else:
        with pytest.raises(logs.StoreOverwrites, match="COSTOPS_LAKE_COMMIT"):
            sell(1)
        assert machines.keys("_delta_log") == []
    assert machines.keys(".probe") == []


def test_what_was_not_read_longest_is_forgotten_and_comes_again(machines: Machines) -> None:
    for shop in ("north", "south", "west"):
        sell(1, shop)
    there = {file.partition["shop"]: lake.paths(SALES, [file])[0] for file in lake.files(SALES)}
    machines.settings.COSTOPS_CACHE_GIB = 0
    os.utime(there["north"], (1, 1))
    uncommitted = lake.write(SALES, sales((5, "east", MONDAY)))
    assert shared.trim(at_once=True) == 1
    assert [shop for shop, path in there.items() if not path.exists()] == ["north"]
    assert (lake.location(SALES) / uncommitted[0].path).exists()
    assert len(sold()) == 3


def test_orphans_are_swept_after_a_grace_period(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(1)
    with monkeypatch.context() as broken:
        broken.setattr(commits, "_write", lambda *_: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            sell(2)
    sell(3)
    now = datetime.now(UTC)
    assert len(machines.keys(NORTH)) == 3
    assert orphans.sweep(now) == 0
    assert orphans.sweep(now + orphans.GRACE + timedelta(minutes=1)) == 1
    machines.on("two")
    assert [sold(at) for at in (1, 2)] == [[(1, "north", MONDAY)], [(3, "north", MONDAY)]]


def test_a_sweep_reads_each_version_once_and_forgets_none(machines: Machines) -> None:
    for amount in (1, 2, 3):
        sell(amount)
    later = datetime.now(UTC) + orphans.GRACE + timedelta(minutes=1)

    def reads_of_a_sweep() -> int:
        machines.store.asked.clear()
        assert orphans.sweep(later) == 0
        return len(machines.asked("GET", f"/{SALES.name}/_delta_log/0000"))

    assert reads_of_a_sweep() == 4
    assert reads_of_a_sweep() == 0
    sell(4)
    assert reads_of_a_sweep() == 1
    (kept,) = (machines.folder / "one").rglob("named/*.jsonl")
    kept.write_bytes(kept.read_bytes()[:-5])  # killed while it was written
    assert reads_of_a_sweep() == 1
    kept.write_bytes(kept.read_bytes().replace(b"north", b"south", 1))
    assert reads_of_a_sweep() == 1, "damaged on the disk"
    machines.on("two")
    assert [sold(at) for at in range(1, 5)] == [[(amount, "north", MONDAY)] for amount in range(1, 5)]


def test_a_lake_that_was_begun_anew_is_not_swept_by_the_versions_of_the_one_before(machines: Machines) -> None:
    sell(1)
    later = datetime.now(UTC) + orphans.GRACE + timedelta(minutes=1)
    orphans.sweep(later)
    lake.drop(SALES)
    time.sleep(1.1)  # the store tells whole seconds
    sell(2)
    assert orphans.sweep(later) == 0
    machines.on("two")
    assert sold() == [(2, "north", MONDAY)]


def test_a_sweep_that_does_not_come_to_its_end_has_done_a_part(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(1)
    shared.bucket().put("lake/_kept/old/a.parquet", next(lake.location(SALES).rglob("*.parquet")))
    monkeypatch.setattr(orphans, "_named", lambda *_: (_ for _ in ()).throw(RuntimeError("its time is up")))
    with pytest.raises(RuntimeError):
        orphans.sweep(datetime.now(UTC) + orphans.GRACE + timedelta(minutes=1))
    assert machines.keys("_kept") == []


def test_what_was_written_here_and_never_sent_is_swept_after_the_same_grace(machines: Machines) -> None:
    sell(1)
    (unsent,) = lake.write(SALES, sales((5, "east", MONDAY)))
    path, now = lake.location(SALES) / unsent.path, datetime.now(UTC)
    orphans.sweep(now)
    assert path.exists()
    copies = set(lake.location(SALES).rglob("*.parquet")) - {path}
    orphans.sweep(now + orphans.GRACE + timedelta(minutes=1))
    assert set(lake.location(SALES).rglob("*.parquet")) == copies
    assert sold() == [(1, "north", MONDAY)]


def test_a_large_file_goes_in_parts(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART", 5 << 20)
    path = machines.folder / "large"
    path.write_bytes(os.urandom(11 << 20))
    shared.bucket().put("landing/large", path)
    assert len(machines.asked("PUT", "partNumber")) == 3
    assert (
        shared.bucket().fetch("landing/large", machines.folder / "back")
        == hashlib.sha256(path.read_bytes()).hexdigest()
    )


def test_a_folder_that_people_fill_is_the_same_everywhere(machines: Machines) -> None:
    for name in ("one", "two"):
        machines.on(name)
        folder = machines.settings.COSTOPS_HOME / "uploads" / "bill"
        folder.mkdir(parents=True)
        (folder / ".came").write_text(name)
        shared.keep_in_folder(folder / ".came", folder / f"{name}.csv")
    shared.bring_folder(folder)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"one.csv": "one", "two.csv": "two"}
    machines.store.asked.clear()
    shared.bring_folder(folder)
    assert machines.asked("PUT", "uploads") == []
    assert machines.asked("GET", ".csv") == []
    modified = {(machines.folder / name / "uploads/bill/one.csv").stat().st_mtime_ns for name in ("one", "two")}
    assert len(modified) == 1, "a file is known by when it was changed"
