"""A Redis server of its own for the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.servers.process import Process, find_program, free_port, start


@dataclass(frozen=True)
class Redis:
    """Where the server listens, and its process, which a test may kill."""

    port: int
    process: Process

    @property
    def url(self) -> str:
        """The address, as `COSTOPS_REDIS_URL` takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything: queues, locks and cached answers."""
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def answers(self) -> bool:
        """Whether the server takes commands."""
        try:
            with redis.Redis(port=self.port, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running_redis(folder: Path) -> Iterator[Redis]:
    """A new, empty server that writes nothing to disk."""
    port = free_port()
    command = [find_program("redis-server", package="redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    server = Redis(port, start(command, log=folder / "redis.log"))
    server.process.wait_until(server.answers, what="Redis")
    try:
        yield server
    finally:
        server.process.stop()
