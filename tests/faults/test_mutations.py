"""Damaged files of every format: none crashes or hangs, none is taken in part, each refusal says what and where."""

import os

import pytest

from tests.faults.forking import Told
from tests.faults.mutations import batch
from tests.faults.runs import IS_SOAK, rig, soak

pytestmark = pytest.mark.timeout(int(os.environ.get("COSTOPS_TEST_SOAK_SECONDS", 7200)) * 2 if IS_SOAK else 600)


def test_damaged_files(tmp_path):
    count = soak(300, "COSTOPS_TEST_MUTATIONS", 10_000)
    told = rig(
        tmp_path, "mutations", "--kills", count, "--seconds", soak(120, "COSTOPS_TEST_SOAK_SECONDS", 7200),
        *(() if "COSTOPS_TEST_HUNT" in os.environ or IS_SOAK else ("--seed", "1")), name="mutations",
    )  # fmt: skip
    assert "violated" not in told, told
    assert told["files"] == int(count), "its time was over before"
    assert told["became"]["taken"] > 0, told
    assert len(told["became"]) > 8, told


@pytest.mark.parametrize(("seed", "count"), [pytest.param(139414704, 49, id="a page said to lie beyond the end")])
@pytest.mark.usefixtures("home")
def test_what_a_long_run_found(tmp_path, seed, count):
    batch(tmp_path, seed, count)
    assert [one for one in Told(tmp_path / "told").all() if "violated" in one] == []
