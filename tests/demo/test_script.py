"""`make demo` may be run again, whatever an earlier run was killed at. Only the login is real here; the rest is said to
have been done."""

import os
import shutil
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.servers.installation import ROOT, new_installation

_STAND_IN = f"""#!/bin/sh
case "$*" in
  "manage.py demo "*) echo "$*" >>"$COSTOPS_HOME/simulated" && touch "$COSTOPS_HOME/demo/initiatives.csv" ;;
  -c* | "manage.py shell "* | "manage.py createsuperuser "*) cd {ROOT} && exec {sys.executable} "$@" ;;
  "manage.py source list "*) printf 'bill\\nusage\\n' ;;
esac
"""


@pytest.fixture
def house(tmp_path):
    """A home with a company in it, and the script in a place where it finds a stand-in for Python."""
    house = new_installation(tmp_path / "home")
    company = house.home / "demo"
    company.mkdir()
    for name in ("initiatives.csv", "budgets.csv", "invoices.csv", ".complete", ".budgeted", ".billed", ".letters"):
        (company / name).touch()
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/demo.sh", tmp_path / "scripts")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(_STAND_IN)
    python.chmod(0o755)
    return house


@pytest.fixture
def demo(house, tmp_path):
    """Runs the script to its end."""

    def run(**asked):
        environment = os.environ | house.environment | {"COSTOPS_BIND": "127.0.0.1:8000"} | asked
        script = tmp_path / "scripts/demo.sh"
        return subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, "COSTOPS_TIME_ZONE=Asia/Shanghai\nCOSTOPS_COMPANY=Lantern Learning\n{keys}", id="none"),
        pytest.param("COSTOPS_COMPANY=Ours\n", "COSTOPS_COMPANY=Ours\n{keys}", id="one's own"),
        pytest.param("COSTOPS_COMPANY=Ours", "COSTOPS_COMPANY=Ours\n{keys}", id="one without an end of its last line"),
        pytest.param("export COSTOPS_TAG_KEYS=app\n", "export COSTOPS_TAG_KEYS=app\n", id="one that says its keys"),
    ],
)
def test_settings_are_kept_and_told_by_which_keys(house, demo, before, after):
    (house.home / "demo-login").touch()
    file = house.home / "costops.env"
    if before is not None:
        file.write_text(before)
    done = demo()
    assert done.returncode == 0, done.stderr
    assert file.read_text() == after.format(keys="COSTOPS_TAG_KEYS=env,project\n")


OLD_END = "2026-11-01"


def _today():
    return str(datetime.now(ZoneInfo("Asia/Shanghai")).date())


@pytest.mark.parametrize(
    ("kept", "asked", "ends"),
    [
        pytest.param(None, {}, None, id="a new one with yesterday"),
        pytest.param(None, {"DEMO_END": "2025-03-01"}, "2025-03-01", id="a new one where it is told"),
        pytest.param("2026-02-01\n", {}, "2026-02-01", id="one that is there where it did"),
        pytest.param("2026-02-01\n", {"DEMO_END": "2025-03-01"}, "2026-02-01", id="whatever is told"),
        pytest.param("", {}, OLD_END, id="one of an earlier version where all did"),
    ],
)
def test_a_company_keeps_its_end(house, demo, kept, asked, ends):
    (house.home / "demo-login").touch()
    complete, initiatives = (house.home / "demo" / name for name in (".complete", "initiatives.csv"))
    complete.unlink() if kept is None else complete.write_text(kept)
    initiatives.unlink()  # so that an earlier version's company, too, is written again
    before = _today()
    for _ in range(2):
        done = demo(**asked)
        assert done.returncode == 0, done.stderr
    (simulated,) = (house.home / "simulated").read_text().splitlines()
    assert any(f" --end {end} " in simulated for end in ([ends] if ends else [before, _today()]))
    assert complete.read_text().strip() == simulated.split("--end ")[1].split()[0]


def test_a_company_of_days_to_come_is_refused(house, demo):
    (house.home / "demo/.complete").unlink()
    done = demo(DEMO_END="2999-01-01")
    assert (done.returncode, "is after today" in done.stderr) == (1, True)
    assert not (house.home / "simulated").exists()


SIGNS_IN = "from django.contrib.auth import authenticate; print(authenticate(username='demo', password={!r}))"


def test_the_login_that_is_told_signs_in_even_where_an_earlier_run_was_killed(house, demo):
    login = house.home / "demo-login"
    for _ in range(2):
        done = demo()
        assert done.returncode == 0, done.stderr
        password = login.read_text().strip()
        assert f"Log in as demo with the password {password};" in done.stdout
        assert house.manage("shell", "--no-imports", "-c", SIGNS_IN.format(password)).stdout.strip() == "demo"
        login.rename(f"{login}.new")
