"""Work that kills its worker, a full disk, and two of everything: told, and done once."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from apps.api.services import issue_token
from apps.budgets.models import Budget
from apps.ingest.models import LandedFile
from apps.pipeline import leases, services
from apps.pipeline.models import StepRun
from apps.teams.models import Team
from tests.api.company import client_of
from tests.api.test_idempotency import post
from tests.ingest.bills import NOW, bill, costs, put, row, source
from tests.pipeline import school
from tests.racing import race
from tests.servers.installation import ROOT, Installation

pytestmark = pytest.mark.timeout(300)
AT_ONCE = 50 if "COSTOPS_TEST_SOAK" not in os.environ else 500


# --- Poison ---------------------------------------------------------------------------------------------------------
def said_by(installation: Installation, code: str, *prefix: str) -> list[str]:
    """What a program with Django set up prints after SAID."""
    command = [*prefix, sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=installation.environment, capture_output=True, text=True, check=False)
    said = [line.removeprefix("SAID ") for line in done.stdout.splitlines() if line.startswith("SAID ")]
    assert said, (done.stdout + done.stderr)[-3000:]
    return said


BEGIN = """
from django.core.management import call_command
call_command("source", "add", "bill", "--kind", "focus", "--location", {folder!r})
"""
DYING = """
import os
from datetime import UTC, datetime
from types import SimpleNamespace
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from apps.pipeline import failing, services
from apps.pipeline.models import StepRun
from apps.warehouse.failpoints import arm
connection.close()
for _ in range({attempts}):
    pid = os.fork()
    if not pid:
        arm("books.record=kill")
        call_command("fill", "--source", "bill")
        os._exit(0)
    print("SAID", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
now = datetime.now(UTC)
services.tick(now=now)
run = StepRun.objects.filter(step="normalize").order_by("-pk").first()
client = Client(headers={{"host": "localhost"}})
client.force_login(User.objects.create_superuser("han", "han@example.com", "h"))
page = client.get("/runs/").content.decode()
facts = [fact.severity for fact in failing.facts(SimpleNamespace(now=now))]
print("SAID", run.state, run.failure, run.attempt, "Set aside" in page, *facts)
"""


def test_work_that_kills_its_workers_is_set_aside_and_shown(installation, tmp_path):
    put(tmp_path / "in", "a.csv", bill(row("1")))
    code = BEGIN.format(folder=str(tmp_path / "in")) + DYING.format(attempts=leases.MOST_ATTEMPTS)
    *died, became = said_by(installation, code)
    assert died == [str(-signal.SIGKILL)] * leases.MOST_ATTEMPTS
    assert became == "failed quarantined 3 True critical"


# --- A full disk ----------------------------------------------------------------------------------------------------
CROWDED = """
import os, subprocess
from django.conf import settings
from django.core.management.base import CommandError
from tests.ingest.bills import total
call_command("fill", "--step", "land")
folder = settings.COSTOPS_{where}
os.makedirs(folder, exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size={kib}k", "tmpfs", folder], check=True)
try:
    call_command("fill", "--step", "{step}")
    print("SAID it went through")
except (CommandError, SystemExit) as error:
    print("SAID failed")
from apps.pipeline.models import StepRun
print("SAID", StepRun.objects.order_by("-pk").filter(step="{step}").first().message.replace(chr(10), " "))
os.chdir("/")
subprocess.run(["umount", folder], check=True)
os.chdir({root!r})
call_command("fill", "--step", "land", "--step", "normalize")
print("SAID", total())
"""


def can_mount() -> bool:
    """Whether a small disk of one's own may be made here."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return (
        shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    )


def test_a_full_disk_is_said_and_waited_for(installation, tmp_path):
    if not can_mount():
        pytest.skip("no small disk can be made here")
    days = school.days_from(NOW.date().replace(day=1), 28)
    rows = [row(f"1.{number:05}", day=str(day), ResourceId=f"i-{number}") for day in days for number in range(300)]
    put(tmp_path / "in", "a.csv", bill(*rows))
    code = BEGIN.format(folder=str(tmp_path / "in")) + CROWDED.format(
        where="LAKE", kib=32, step="normalize", root=str(ROOT)
    )
    status, message, found = said_by(installation, code, "unshare", "-rm")
    assert status == "failed"
    assert "No space left" in message
    assert Decimal(found) == sum(Decimal(one["BilledCost"]) for one in rows)


# --- Two of everything ----------------------------------------------------------------------------------------------
def by_two(work: Callable[[], object]) -> None:
    """Let two workers do the same so many times each, at the same time."""

    def again() -> None:
        for _ in range(AT_ONCE):
            work()

    race(again, again)


@pytest.mark.django_db(transaction=True)
def test_a_file_brought_again_and_again_counts_once(home):
    put(home / "in", "a.csv", bill(row("1"), row("2")))
    source(home / "in")

    def bring() -> None:
        services.ask_to_land("aliyun", now=NOW)
        while (run := leases.claim()) is not None:
            if run.step in ("land", "normalize"):
                services.execute(run, NOW)
            else:
                leases.release(run)
                break
        services.tick(now=NOW)

    by_two(bring)
    while (run := leases.claim()) is not None and run.step in ("land", "normalize"):
        services.execute(run, NOW)
    assert LandedFile.objects.count() == 1
    assert costs() == ["1", "2"]
    assert not StepRun.objects.filter(state="failed").exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_work_asked_for_again_and_again_is_done_by_one(home):
    source(home)
    by_two(lambda: services.ask_to_land("aliyun", now=NOW))
    assert StepRun.objects.count() == 1
    claimed: list[int] = []
    by_two(lambda: claimed.extend(run.pk for run in [leases.claim()] if run))
    assert claimed == [StepRun.objects.get().pk]


@pytest.mark.django_db(transaction=True)
def test_the_same_request_sent_again_and_again_is_done_once(settings):
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 0
    Team.objects.create(name="live-class")
    token = issue_token(User.objects.create_superuser("finance"), now=NOW, scopes=("write",))
    answers: list[int] = []

    def send() -> None:
        answers.append(post(client_of(token), "the same").status_code)

    by_two(send)
    assert Budget.objects.count() == 1
    assert set(answers) <= {201, 409}
    assert len(answers) == 2 * AT_ONCE
