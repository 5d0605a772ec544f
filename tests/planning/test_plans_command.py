"""Plans at the terminal."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.planning import services
from apps.planning.planners import pools, upgrades
from tests.planning import worlds

pytestmark = pytest.mark.django_db


def told(*words: str) -> str:
    out = StringIO()
    call_command("plans", *words, stdout=out)
    return out.getvalue()


def test_plans_are_listed_shown_exported_and_chosen(home: Path, tmp_path: Path) -> None:
    worlds.publish()
    services.plan(now=worlds.NOW, planners=[pools.PLANNER, upgrades.PLANNER])
    listed = told("list", "--format", "csv").splitlines()
    assert listed[0].startswith("planner,subject,currency,cost_per_month")
    assert [line.split(",")[:3] for line in listed[1:]] == [["pools", "online", "CNY"], ["upgrades", "online", "CNY"]]
    shown = told("show", "pools")
    assert "Keep 2 nodes standing in online instead of 3" in shown
    assert "holds  every hour is served or told unmet" in shown
    assert "Keep the 3 nodes" in told("show", "pools", "--set", "burst_price=200")
    assert told("show", "pools", "--file", "replay.csv").startswith("plan,nodes,cost_per_month")
    assert "pools online is planned by" in told("choose", "pools", "--set", "fill=90")
    for wrong in (
        ("show", "pools", "--set", "fill"), ("show", "pools", "--set", "fill=900"),
        ("show", "pools", "--file", "no.csv"), ("show", "pools", "--subject", "moon"),
        ("bring", "timetable", str(tmp_path / "none.csv")),
    ):  # fmt: skip
        with pytest.raises(CommandError):
            told(*wrong)
