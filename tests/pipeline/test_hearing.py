"""Bells through beat's own publisher and a worker's own reading of them: clocks that differ, and a worker long away."""

import datetime as real
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import beat
from celery.worker import request as reading
from kombu import Connection

from apps.pipeline import services, tasks
from costops import hearing
from costops.celery import app

HOUR = timedelta(hours=1)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    app.loader.import_default_modules()
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setattr(app.conf, "broker_url", "memory://")
    with Connection("memory://") as connection:
        yield connection
        for queue in ("io", "compute", "learn"):
            connection.default_channel.queue_purge(queue)


@pytest.fixture
def ring(broker: Connection) -> Callable[[str], None]:
    scheduler = beat.Scheduler(app, lazy=True)
    entries = {name: beat.ScheduleEntry(name=name, app=app, **bell) for name, bell in app.conf.beat_schedule.items()}

    def one(name: str) -> None:
        with app.amqp.Producer(broker) as producer:
            scheduler.apply_async(entries[name], producer=producer, advance=False)

    return one


def heard(broker: Connection) -> Iterator[Any]:
    """The messages as a worker reads them."""
    for queue in ("io", "compute", "learn"):
        channel = broker.default_channel
        channel.queue_declare(queue)
        while message := channel.basic_get(queue):
            message.ack()
            task = app.tasks[message.headers["task"]]
            yield reading.Request(message, app=app, task=task, hostname="w", eventer=None, connection_errors=())


@pytest.mark.parametrize("ahead", [HOUR / 60, 8 * HOUR, -8 * HOUR], ids=["a minute", "a zone", "behind"])
def test_clocks_that_differ_silence_no_bell(broker, ring, monkeypatch, ahead):
    for name in app.conf.beat_schedule:
        ring(name)
    monkeypatch.setattr(tasks.services, "at_hand", lambda: {"io": 1})
    with monkeypatch.context() as own:
        run_due = tasks.run_due.apply_async
        own.setattr(tasks.run_due, "apply_async", lambda **given: run_due(**given, connection=broker))
        tasks._ring()

    class Clock(real.datetime):
        @classmethod
        def now(cls, tz=None):
            return real.datetime.now(tz) + ahead

    monkeypatch.setattr(reading, "datetime", Clock)
    late = {request.name: request.maybe_expire() for request in heard(broker)}
    assert len(late) == len(app.conf.beat_schedule) + 1
    assert not any(late.values())


def test_who_was_away_follows_one_of_a_thousand_bells(broker, ring, monkeypatch):
    looks = []
    monkeypatch.setattr(services, "tick", lambda *, now: looks.append(now))
    hearing.listen(["apps.pipeline.tasks.tick"])
    at = [0.0]
    monkeypatch.setattr(hearing.time, "monotonic", lambda: at[0])

    def hear(send: Callable[[], object], times: int) -> int:
        looks.clear()
        for _ in range(times):
            send()
        for request in heard(broker):
            request.execute()
        return len(looks)

    assert hear(lambda: ring("tick"), 1000) == 1
    assert hear(lambda: tasks.tick.apply_async(connection=broker, queue="io"), 3) == 3, "who is not beat is heard"
    at[0] += 60
    assert hear(lambda: ring("tick"), 2) == 1


@pytest.mark.django_db
def test_a_bell_where_there_is_nothing_to_do_holds_nobody_up(django_assert_num_queries):
    with django_assert_num_queries(1):
        tasks.run_due(queue="io")
