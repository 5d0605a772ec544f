"""What Redis holds for all processes: counts and locks as JSON, and nothing that would run when it is read."""

import pickle
from decimal import Decimal

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings

from tests.servers.redis import running_redis


class Runs:
    """What an attacker would put there."""

    def __reduce__(self):
        return (pytest.fail, ("it ran",))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def held(server):
    """The cache of an installation with Redis, and what lies there."""
    told = settings.CACHES["default"] | {
        "BACKEND": "apps.signin.shared.RedisAndProcessCache",
        "LOCATION": server.url,
    }
    with override_settings(CACHES={"default": told}), redis.Redis(port=server.port) as raw:
        raw.flushall()
        cache.clear()
        yield raw
        cache.clear()


def test_counts_are_of_all_and_answers_of_one(held):
    assert cache.add("api-requests:1:2", 0, 60)
    assert not cache.add("api-requests:1:2", 0, 60)
    assert [cache.incr("api-requests:1:2") for _ in range(2)] == [1, 2]
    cache.set("allauth:rl:login", [1.5, 2.5], 60)
    assert cache.get("allauth:rl:login") == [1.5, 2.5]
    cache.set("answer:abc", [(Decimal("1.20"),)], 60)
    assert cache.get("answer:abc") == [(Decimal("1.20"),)]
    cache.clear()
    assert (cache.get("answer:abc"), cache.get("api-requests:1:2")) == (None, 2)
    assert {key.decode().partition(":1:")[2]: held.get(key) for key in held.scan_iter()} == {
        "api-requests:1:2": b"2",
        "allauth:rl:login": b"[1.5, 2.5]",
    }
    assert cache.delete("allauth:rl:login")
    assert cache.get("allauth:rl:login", "gone") == "gone"


def test_what_somebody_else_put_there_does_not_run(held):
    for name in ("allauth:rl:login", "answer:abc"):
        held.set(cache.make_key(name), pickle.dumps(Runs()))
        assert cache.get(name) is None


def test_no_other_cache_is_used(settings):
    assert settings.CACHES["default"]["BACKEND"].startswith("apps.signin.shared.")
