"""Killed again and again between a bill and its publication: no cent is lost or doubled, and nobody reads a half."""

import os
import re

import pytest

from apps.warehouse.failpoints import STAGES
from tests.conftest import ON_POSTGRES
from tests.faults.runs import IS_SOAK, rig, soak
from tests.faults.sabotage import SABOTAGES
from tests.servers.installation import migrated_database

pytestmark = pytest.mark.timeout(int(os.environ.get("COSTOPS_TEST_SOAK_SECONDS", 7200)) * 2 if IS_SOAK else 600)
SAMPLE = "publish.pin:,lake.commit@3:publish.check"
SECONDS = 240
"""Far more than the kills of the suite take: they end by their number."""
BROKEN = [name for name, one in SABOTAGES.items() if one.run]


@pytest.fixture
def database_url(request):
    """SQLite, or a database of its own where the suite runs on PostgreSQL."""
    if not ON_POSTGRES:
        return None
    name = f"faults_{os.getpid()}_{request.node.name[:20]}".lower()
    return migrated_database(request.getfixturevalue("postgres"), name)


def test_kills(tmp_path, database_url):
    kills, seconds = soak(20, "COSTOPS_TEST_KILLS", 1000), soak(SECONDS, "COSTOPS_TEST_SOAK_SECONDS", 7200)
    told = rig(
        tmp_path, "kills", "--kills", kills, "--seconds", seconds, "--each", soak(1, "COSTOPS_TEST_KILLS_EACH", 20),
        name="kills", database_url=database_url,
    )  # fmt: skip
    assert "violated" not in told, told
    assert told["kills_at_random"] >= told["asked"] == int(kills), "its time was over before"
    least = 20 if IS_SOAK else 1
    assert {stage for stage, hits in told["stages"].items() if hits >= least} >= set(STAGES), told
    assert told["publications"] > 2, told
    assert told["issues_seen"] > 1, told
    assert told["reads"] > 10, told


def test_zombies(tmp_path, database_url):
    """A sample of the pairs of places; in a soak all of them, as far as its time goes."""
    pairs = ("--seconds", soak(0, "COSTOPS_TEST_SOAK_SECONDS", 7200)) if IS_SOAK else ("--points", SAMPLE)
    told = rig(tmp_path, "zombies", *pairs, name="zombies", database_url=database_url)
    assert "violated" not in told, told
    assert told["schedules"] >= 2, told
    assert told["reads"] > 1, told


@pytest.mark.parametrize("name", BROKEN if IS_SOAK else BROKEN[:2])
def test_a_run_notices(tmp_path, name):
    """One of zombies and one of kills; in a soak all of them."""
    told = rig(tmp_path, *SABOTAGES[name].run, name=f"sabotage {name}", sabotage=name)
    assert re.search(SABOTAGES[name].reason, told["violated"]), told
