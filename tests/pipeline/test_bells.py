"""The file of messages, by the library that keeps it: what was heard goes, what was not stays."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Queue
from kombu.transport.virtual import Channel

from apps.pipeline import bells
from apps.pipeline.tasks import forget_heard
from costops import celery, loading

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader")  # it is the library's own


@pytest.fixture
def channel(tmp_path: Path, settings: Any) -> Iterator[Channel]:
    settings.CELERY_BROKER_URL = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}"
    with Connection(settings.CELERY_BROKER_URL) as connection:
        yield connection.channel()


def ring(channel: Channel, *told: str) -> None:
    with channel.connection.client.Producer(channel) as producer:
        for one in told:
            producer.publish({"says": one}, routing_key="io", declare=[Queue("io", routing_key="io")])


def hear(channel: Channel) -> str:
    message = Queue("io", channel=channel).get()
    return str(message.payload["says"]) if message else ""


def kept(path: Path) -> int:
    return int(sqlite3.connect(path).execute("SELECT count(*) FROM kombu_message").fetchone()[0])


def test_what_was_heard_goes_and_what_was_not_is_heard_in_its_order(channel, tmp_path, monkeypatch):
    monkeypatch.setattr(bells, "_AT_ONCE", 2)
    ring(channel, "a", "b", "c", "d", "e", "f", "g")
    assert [hear(channel) for _ in range(5)] == ["a", "b", "c", "d", "e"]
    assert kept(tmp_path / "broker.sqlite3") == 7
    assert forget_heard(later="a word of a newer sender") == 5
    assert kept(tmp_path / "broker.sqlite3") == 2
    ring(channel, "h")
    assert [hear(channel) for _ in range(4)] == ["f", "g", "h", ""]


def test_what_a_worker_gives_back_is_heard_again(channel):
    ring(channel, "a")
    Queue("io", channel=channel).get().requeue()
    assert forget_heard() == 1
    assert hear(channel) == "a"


def test_a_worker_begins_with_what_was_not_heard(channel, tmp_path, monkeypatch):
    ring(channel, "a", "b")
    hear(channel)
    monkeypatch.setattr(loading, "end", lambda: None)  # of this process it is not the beginning
    celery.end_loading()
    assert kept(tmp_path / "broker.sqlite3") == 1


def test_to_listen_does_not_take_longer_the_more_was_heard(channel, tmp_path):
    ring(channel, "a")
    hear(channel)
    with sqlite3.connect(tmp_path / "broker.sqlite3") as file:
        some = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
        columns = "visible, timestamp, payload, version, queue_id"
        file.execute(f"INSERT INTO kombu_message ({columns}) {some} SELECT {columns} FROM kombu_message, n")
    before = seconds(channel)
    assert forget_heard() == 40001
    assert seconds(channel) < before / 3


def seconds(channel: Channel) -> float:
    """How long it takes to hear nothing: the shortest of five."""
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        with pytest.raises(Empty):
            channel._get("io")
        took.append(time.perf_counter() - begun)
    return min(took)


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "sqla+sqlite:////nowhere/broker.sqlite3"])
def test_there_is_nothing_to_do_without_such_a_file(settings, broker):
    settings.CELERY_BROKER_URL = broker
    assert forget_heard() == 0


def test_a_file_where_nobody_rang_yet_stops_nobody(settings, tmp_path):
    (tmp_path / "broker.sqlite3").touch()
    settings.CELERY_BROKER_URL = f"sqla+sqlite:///{tmp_path / 'broker.sqlite3'}"
    assert forget_heard() == 0
