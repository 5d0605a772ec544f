"""Real processes that race and die: nothing is lost, and a repetition is known by its id."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from apps.channels.delivering import CLAIM_HOLDS
from apps.channels.models import Message
from tests.channels.worlds import a_channel, a_notice, send
from tests.reports.test_processes import database_url

ROOT = Path(__file__).parents[2]
COUNT = 5


@pytest.fixture
def deliver(transactional_db: None, home: Path, receiver: Any, settings: Any) -> Any:
    """Starts `manage.py channels deliver` as a process of its own, on this test's database and receiver."""
    channel = a_channel("webhook", url=receiver.url, secret="hush")
    for number in range(COUNT):
        send(a_notice(f"n {number}"), to=channel)
    environment = os.environ | {
        "COSTOPS_HOME": str(home),
        "COSTOPS_DATABASE_URL": database_url(),
        "COSTOPS_SECRET_KEY": settings.SECRET_KEY,
        "COSTOPS_CHANNEL_HOSTS": settings.COSTOPS_CHANNEL_HOSTS[0],
    }
    command = [sys.executable, "manage.py", "channels", "deliver"]
    return lambda: subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def ids(receiver: Any) -> list[str]:
    return [posted.headers["X-CostOps-Delivery"] for posted in receiver.posted]


def test_racing_processes_send_once(deliver: Any, receiver: Any) -> None:
    racing = [deliver(), deliver()]
    assert [process.wait(120) for process in racing] == [0, 0]
    assert sorted(ids(receiver)) == sorted(Message.objects.values_list("message_id", flat=True))
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_process_killed_after_the_other_side_took_it_repeats_the_same(deliver: Any, receiver: Any) -> None:
    receiver.gate.clear()  # it takes the first message, and its answer does not arrive
    victim = deliver()
    deadline = time.monotonic() + 120
    while not receiver.posted and time.monotonic() < deadline:
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(30) == -signal.SIGKILL
    receiver.gate.set()
    late = Message.objects.filter(state="sending")
    assert late.update(claimed_at=F("claimed_at") - CLAIM_HOLDS - timedelta(seconds=1)) == 1  # its claim has run out

    assert deliver().wait(120) == 0
    first, *others = receiver.posted
    again = [posted for posted in others if posted.headers["X-CostOps-Delivery"] == ids(receiver)[0]]
    assert [posted.body for posted in again] == [first.body]
    assert len(receiver.posted) == COUNT + 1
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
