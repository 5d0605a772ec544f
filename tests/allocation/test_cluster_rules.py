"""Rules of clusters are dated like every other: they decide on their days alone, and leave the past as it was."""

from decimal import Decimal

import pytest
import yaml

from apps.finops.windows import ONE_DAY
from tests.allocation.worlds import (
    DATA,
    DAY,
    NODE,
    ON_NODE,
    SHARED_DATA,
    SHARED_WEB,
    WEB,
    allocated,
    by,
    charge,
    charged,
    moved,
    sent,
    totals,
)
from tests.reference import attribute

pytestmark = pytest.mark.django_db

Expected = dict[tuple[str, ...], str]

DATED = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: data, when: {namespace: data*}, team: data}
  - {name: the rest, when: {service: "*"}, team: ops}
"""
FEE = "clusters:\n  - {name: fee, when: {service: Fee}, cluster: online"
OF_OPS = ("ops", "direct", "", "")
ALL = {SHARED_WEB: "6", SHARED_DATA: "3"}
SENT = {WEB: "3", DATA: "6"}
DAYS_OF_A_RULE = [
    pytest.param("", [{OF_OPS: "9"}] * 3, id="no rule of clusters"),
    pytest.param(f"{FEE}}}", [ALL] * 3, id="always"),
    pytest.param(f"{FEE}, valid_from: 2026-10-02}}", [{OF_OPS: "9"}, ALL, ALL], id="from the second day on"),
    pytest.param(f"{FEE}, valid_to: 2026-10-03}}", [ALL, ALL, {OF_OPS: "9"}], id="until the second day"),
    pytest.param(
        f"{FEE}, valid_from: 2026-10-02, valid_to: 2026-10-03}}", [{OF_OPS: "9"}, ALL, {OF_OPS: "9"}],
        id="on the second day alone",
    ),
    pytest.param(
        f"{FEE}, valid_to: 2026-10-02}}\n  - {{name: by bytes, when: {{service: Fee}}, cluster: online, by: traffic}}",
        [ALL, SENT, SENT], id="a version by claims, then one by what was sent",
    ),
    pytest.param(f"{FEE}, valid_from: 2026-10-04}}", [{OF_OPS: "9"}] * 3, id="of days to come"),
]  # fmt: skip


@pytest.mark.usefixtures("home", "db")
@pytest.mark.parametrize(("clusters", "expected"), DAYS_OF_A_RULE)
def test_a_rule_of_clusters_decides_on_its_days_alone(clusters: str, expected: list[Expected]) -> None:
    """Three days of a node and a fee of 9; `data` sends twice what `web` sends."""
    a_day = ON_NODE | {"network_hours": sent("web", "1") + sent("data", "2")}
    usage = {name: [row for number in range(3) for row in moved(found, number)] for name, found in a_day.items()}
    days = [row for number in range(3) for row in moved([NODE, charge("9", "c-1", ServiceName="Fee")], number)]
    rows = allocated(days, DATED + clusters, days=3, **usage)
    fees = [row for row in rows if row["service"] == "Fee"]
    for number, parts in enumerate(expected):
        mine = [row for row in fees if row["day"] == DAY + number * ONE_DAY]
        assert by(mine, "team", "kind", "namespace", "workload") == {key: Decimal(cost) for key, cost in parts.items()}
    assert totals(rows) == charged(days)
    assert by(rows, "day", "team", "namespace", "kind") == attribute(days, usage, yaml.safe_load(DATED + clusters))


@pytest.mark.usefixtures("home", "db")
def test_the_past_of_a_rule_of_clusters_does_not_move() -> None:
    """By the rules before and by those with a rule from the second day on, the first day's rows are the same."""
    charges = [row for number in range(2) for row in moved([NODE, charge("0.1", "c-1", ServiceName="Fee")], number)]
    usage = {name: rows + moved(rows, 1) for name, rows in ON_NODE.items()}
    before = allocated(charges, DATED, days=2, **usage)
    after = allocated(charges, f"{DATED}{FEE}, valid_from: 2026-10-02}}", days=2, **usage)
    first, second = ([row | {"ruleset": 0} for row in rows if row["day"] == DAY] for rows in (before, after))
    assert first == second
    assert [row | {"ruleset": 0} for row in before] != [row | {"ruleset": 0} for row in after]
