"""Beat on a machine whose clock jumps, with Celery's own scheduler and its file."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from celery.utils.imports import symbol_by_name

from costops.celery import app

BEGUN = datetime(2026, 11, 30, 2, tzinfo=UTC)
LOOK = timedelta(seconds=5)


class Machine:
    """A clock that may be wrong, and what beat rings by it."""

    def __init__(self, file: Path) -> None:
        self.file, self.passed, self.wrong = file, timedelta(0), timedelta(0)
        self.rung: Counter[str] = Counter()
        self.start()

    def now(self) -> datetime:
        return BEGUN + self.passed + self.wrong

    def start(self) -> None:
        kind = symbol_by_name(app.conf.beat_scheduler)
        self.beat = kind(app, schedule_filename=str(self.file))
        self.beat.producer = None
        self.beat.apply_entry = lambda entry, producer=None: self.rung.update([entry.name])

    def restart(self) -> None:
        self.beat.close()
        self.start()

    def run(self, minutes: int) -> Counter[str]:
        """What it rings in so many minutes."""
        self.rung.clear()
        end = self.passed + timedelta(minutes=minutes)
        while self.passed < end:
            self.beat.tick()
            self.passed += LOOK
        return Counter(self.rung)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made: list[Machine] = []
    before = current_app._get_current_object()
    app.set_current()  # schedules ask the newest of a process, and other tests make some
    monkeypatch.setattr(app, "now", lambda: made[0].now() if made else BEGUN, raising=False)
    made.append(Machine(tmp_path / "celerybeat-schedule"))
    yield made[0]
    made[0].beat.close()
    before.set_current()


def go_on(_machine: Machine) -> None: ...


@pytest.mark.parametrize(
    "meanwhile", [pytest.param(go_on, id="at work"), pytest.param(Machine.restart, id="restarted")]
)
@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)], ids=["ahead", "behind"])
def test_a_clock_that_was_wrong_for_minutes_stops_nothing(
    machine: Machine, jump: timedelta, meanwhile: Callable[[Machine], Any]
) -> None:
    assert machine.run(10)["tick"] in (9, 10)
    machine.wrong = jump
    meanwhile(machine)
    assert machine.run(5)["deliver"] in (4, 5, 6)
    machine.wrong = timedelta(0)
    meanwhile(machine)
    rung = machine.run(60)
    assert 55 <= rung["tick"] <= 61
    assert 55 <= rung["deliver"] <= 61
    assert 11 <= rung["watch"] <= 13
    assert machine.run(60 * 24)["scrub"] == 1


def test_a_file_of_days_to_come_is_read_as_of_now(machine: Machine) -> None:
    machine.run(10)
    machine.beat.close()
    machine.passed -= timedelta(days=30)
    machine.start()
    assert machine.run(10)["tick"] in (9, 10)


def test_a_clock_set_back_by_a_little_rings_nothing_twice(machine: Machine) -> None:
    machine.run(2 * 60)
    machine.wrong = timedelta(seconds=-20)
    assert machine.run(60)["tick"] in (58, 59, 60)


def test_what_a_full_disk_left_of_a_schedule_stops_no_beat(machine: Machine) -> None:
    """The name of a database of `dbm.ndbm` that was being made; with it no other can be made."""
    machine.beat.close()
    left = machine.file.with_name(f"__db.{machine.file.name}.db")
    left.touch()
    for path in machine.file.parent.glob(f"{machine.file.name}*"):
        path.write_bytes(b"damaged")
    machine.start()
    assert not left.exists()
    assert machine.run(minutes=3)["tick"] >= 2
