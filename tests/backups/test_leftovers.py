"""What a `make` that was killed left behind goes with a later one; nothing else does."""

import os
from datetime import UTC, datetime

import pytest

from apps.backups import services

NOW = datetime(2026, 11, 30, 2, 20, tzinfo=UTC)
HOUR = 3600


@pytest.fixture
def folder(home, tmp_path, transactional_db):
    return tmp_path / "backups"


def left(folder, name, *, hours, holds=("database",), database_hours=None):
    """A folder of so many hours ago, whose files may be newer."""
    path = folder / "backups" / name
    path.mkdir(parents=True)
    began = path.stat().st_mtime
    for file in holds:
        (path / file).write_text("half")
        os.utime(path / file, times=(0, began - HOUR * (hours if database_hours is None else database_hours)))
    os.utime(path, times=(0, began - HOUR * hours))
    return path


@pytest.mark.parametrize(
    ("name", "told", "stays"),
    [
        pytest.param("20261128T022000Z", {"hours": 48}, False, id="of the night before last"),
        pytest.param("20261128T022000Z", {"hours": 48, "holds": ()}, False, id="killed before anything was in it"),
        pytest.param("20261129T222000Z", {"hours": 4}, True, id="of this night: it may be at work"),
        pytest.param(
            "20261128T022000Z", {"hours": 48, "database_hours": 1}, True, id="begun long ago, and still written into"
        ),
        pytest.param("kept-by-hand", {"hours": 48}, True, id="what is no backup of ours"),
    ],
)
def test_what_a_killed_make_left_goes_after_a_day(folder, name, told, stays):
    path = left(folder, name, **told)
    said = []
    services.make(folder, now=NOW, say=said.append)
    assert path.exists() == stays
    assert (f"{name} was never complete and is deleted." in said) != stays


def test_a_complete_backup_stays_however_old_it_is(folder):
    first = services.make(folder, now=NOW.replace(day=1), say=print)
    path = folder / "backups" / first.name
    for one in (*path.iterdir(), path):
        os.utime(one, times=(0, 0))
    second = services.make(folder, now=NOW, say=print)
    assert [one.name for one in services.backups(folder)] == [first.name, second.name]
    services.check(folder, first, say=print)
