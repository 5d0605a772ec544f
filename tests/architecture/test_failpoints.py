"""Failpoints: each that is named is somewhere in the code once or more, and none is there that is not named."""

import re
from pathlib import Path

from apps.warehouse.failpoints import POINTS

APPS = Path(__file__).parents[2] / "apps"


def test_every_failpoint_is_named_and_placed() -> None:
    placed = {
        name
        for path in APPS.rglob("*.py")
        if path.name != "failpoints.py"
        for name in re.findall(r'failpoint\("([a-z.]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert placed == POINTS.keys()
