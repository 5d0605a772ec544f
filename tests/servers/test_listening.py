"""The health check of a worker: ended is one that does not answer, never one whose broker is away."""

import os
import signal

import pytest

from tests.servers.installation import new_installation
from tests.servers.redis import running_redis

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def house(tmp_path):
    with running_redis(tmp_path) as broker:
        house = new_installation(tmp_path / "home")
        house.environment["COSTOPS_REDIS_URL"] = broker.url
        yield house, broker
        house.stop()


def status(house):
    return house.run("-m", "costops.listening", "3").returncode


def test_a_worker_is_ended_for_its_own_silence_only(house):
    installation, broker = house
    assert status(installation) == 1, "nobody listens"
    worker = installation.start_worker()
    assert status(installation) == 0
    os.killpg(worker.popen.pid, signal.SIGSTOP)
    assert status(installation) == 1, "it is there and does not answer"
    os.killpg(worker.popen.pid, signal.SIGCONT)
    assert status(installation) == 0
    os.kill(broker.process.popen.pid, signal.SIGSTOP)
    assert status(installation) == 0, "the broker does not answer"
    broker.process.kill()
    assert status(installation) == 0, "the broker is away"
    worker.kill()
