"""Real processes that race and die: nobody's mail is lost, and a repetition is known by its Message-ID."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import F

from apps.reports.models import Delivery
from apps.reports.services import CLAIM_HOLDS
from tests.reports.weeks_of_cost import hire_lead, publish_weeks

NAMES = [f"team-{number}" for number in range(4)]
OFFICE = {"wang": ("finance",), "zhao": ("finance", "management"), "qian": ("management",)}
"""Who gets letters of the company, by the groups they are in."""
MAILS = sorted(
    [("lead", f"{name}@example.com") for name in NAMES]
    + [(group, f"{name}@example.com") for name, groups in OFFICE.items() for group in groups]
)
"""Every letter of the week, and to whom."""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def send(transactional_db: None, home: Path, mailbox: Any) -> Any:
    """Starts `manage.py send_weekly` for a published week as a process of its own, on this test's database and mail."""
    publish_weeks()
    for name in NAMES:
        hire_lead(name)
    for name, groups in OFFICE.items():
        user = User.objects.create_user(name, f"{name}@example.com")
        user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    environment = os.environ | {
        "COSTOPS_HOME": str(home),
        "COSTOPS_DATABASE_URL": database_url(),
        "COSTOPS_EMAIL_URL": mailbox.url,
    }
    command = [sys.executable, "manage.py", "send_weekly", "--week", "2026-W44"]
    return lambda: subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def database_url() -> str:
    """The address of the database this test uses."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, password, host, port = (database[name] for name in ("USER", "PASSWORD", "HOST", "PORT"))
    return f"postgres://{user}:{password}@{host}:{port}/{database['NAME']}"


def received(mailbox: Any) -> Counter[tuple[str, str]]:
    """What the mail server took, by report and recipient."""
    return Counter(
        (mail["Message-ID"].split(".")[1], recipient)
        for mail, (recipient,) in zip(mailbox.messages, mailbox.recipients, strict=True)
    )


def test_racing_processes_send_every_letter_once(send: Any, mailbox: Any) -> None:
    racing = [send(), send()]
    assert [process.wait(120) for process in racing] == [0, 0]
    assert sorted(received(mailbox).elements()) == MAILS
    assert set(Delivery.objects.values_list("state", "attempts")) == {(Delivery.State.SENT, 1)}


def test_a_killed_process_loses_no_mail(send: Any, mailbox: Any) -> None:
    victim = send()
    deadline = time.monotonic() + 120
    while len(mailbox.messages) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait(30) == -signal.SIGKILL
    assert 2 <= len(mailbox.messages) < len(MAILS)
    late = Delivery.objects.filter(state=Delivery.State.SENDING)
    late.update(claimed_at=F("claimed_at") - CLAIM_HOLDS - timedelta(seconds=1))  # its claim has run out
    assert send().wait(120) == 0
    found = received(mailbox)
    assert sorted(found) == MAILS
    assert found.total() <= len(MAILS) + 1
    assert len({mail["Message-ID"] for mail in mailbox.messages}) == len(MAILS), "a repetition is known by its id"
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.SENT}
