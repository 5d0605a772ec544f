"""Servers that answer and take no writes are away: PostgreSQL after a failover, Redis that is full or a replica."""

import shutil
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import ConnectionHandler, InternalError, ProgrammingError, connection, transaction

from apps.pipeline import retries
from apps.warehouse.database import is_away
from tests.conftest import ON_POSTGRES
from tests.servers import postgres as servers
from tests.servers.process import free_port
from tests.servers.redis import running_redis


def test_a_standby_is_away_and_its_connection_is_not_kept(postgres, django_db_blocker):
    postgres.create_database("standby")
    here = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": postgres.port, "NAME": "standby"}
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "USER": servers.USER}
    ours = ConnectionHandler({"default": here | kept})["default"]

    def write() -> None:
        with ours.cursor() as cursor:
            cursor.execute("INSERT INTO told VALUES (1)")

    def say(statement: str, database: str = "postgres") -> None:
        with psycopg.connect(postgres.url(database), autocommit=True) as other:
            other.execute(statement)

    say("CREATE TABLE told (number int)", "standby")
    say("ALTER DATABASE standby SET default_transaction_read_only = on")
    with django_db_blocker.unblock():
        with pytest.raises(InternalError) as refused:
            write()
        assert retries.kind_of(refused.value) == "unavailable"
        say("ALTER DATABASE standby SET default_transaction_read_only = off")
        ours.close_if_unusable_or_obsolete()
        write()
        with pytest.raises(ProgrammingError) as wrong, ours.cursor() as cursor:
            cursor.execute("SELECT nothing FROM told")
        ours.close()
    assert not is_away(wrong.value)


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite has no standby")
@pytest.mark.django_db(transaction=True)
def test_who_writes_to_a_standby_is_told_to_come_again(client):
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    client.raise_request_exception = False
    try:
        answered = client.post("/login/", {"login": "lilei@example.com", "password": "wrong"})
    finally:
        connection.close()
    assert (answered.status_code, "Retry-After" in answered.headers) == (503, True)


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite ends no transaction that is idle")
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_was_ended_because_it_was_idle_is_tried_again():
    @transaction.atomic
    def rest() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            time.sleep(0.3)
            cursor.execute("SELECT 1")

    try:
        with pytest.raises(InternalError) as ended:
            rest()
    finally:
        connection.close()
    assert retries.kind_of(ended.value) == "unavailable"


@pytest.mark.skipif(not ON_POSTGRES, reason="SQLite has no standby")
@pytest.mark.django_db(transaction=True)
def test_a_command_at_the_terminal_says_so_in_a_sentence():
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        with pytest.raises(CommandError, match=r"takes no writes for now .*read-only transaction"):
            call_command("source", "add", "bill", "--kind", "focus", "--location", "/nowhere")
    finally:
        connection.close()


@pytest.fixture
def server(tmp_path):
    """A Redis of the test's own, which it spoils."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with running_redis(folder) as running:
        yield running, folder


def fill_up(client: redis.Redis, _folder: Path) -> None:
    client.config_set("maxmemory", "1")


def become_a_replica(client: redis.Redis, _folder: Path) -> None:
    client.replicaof("127.0.0.1", free_port())


def lose_replicas(client: redis.Redis, _folder: Path) -> None:
    client.config_set("min-replicas-to-write", "1")


def lose_the_disk(client: redis.Redis, folder: Path) -> None:
    client.config_set("save", "3600 1")
    shutil.rmtree(folder)
    client.bgsave()
    deadline = time.monotonic() + 20
    while client.info("persistence")["rdb_last_bgsave_status"] == "ok" and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(fill_up, id="OOM: its memory is full"),
        pytest.param(become_a_replica, id="READONLY: it is a replica by now"),
        pytest.param(lose_replicas, id="NOREPLICAS: nobody would know of it"),
        pytest.param(lose_the_disk, id="MISCONF: its disk is full"),
    ],
)
def test_a_redis_that_takes_no_writes_is_away(server, spoil: Callable[[redis.Redis, Path], None], settings):
    running, folder = server
    settings.CACHES = {
        "default": {"BACKEND": "apps.signin.shared.RedisAndProcessCache", "LOCATION": running.url, "OPTIONS": {}}
    }
    from django.core.cache import cache

    with redis.Redis(port=running.port) as direct:
        spoil(direct, folder)
    with pytest.raises(redis.RedisError) as refused:
        cache.set("api-requests:1", 1)
    assert retries.kind_of(refused.value) == "unavailable"


def test_a_wrong_question_to_redis_is_no_server_that_is_away(redis_server):
    with redis.Redis(port=redis_server.port) as client, pytest.raises(redis.ResponseError) as wrong:
        client.execute_command("NONSENSE")
    assert not is_away(wrong.value)


def test_a_client_of_redis_that_is_half_loaded_has_no_errors_yet(monkeypatch):
    half = types.ModuleType("redis.exceptions")
    monkeypatch.setattr(half, "ConnectionError", redis.ConnectionError, raising=False)
    monkeypatch.setitem(sys.modules, "redis.exceptions", half)
    assert not is_away(ValueError("wrong"))
    assert is_away(redis.ConnectionError("away"))
