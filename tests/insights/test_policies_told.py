"""What policies passed on is explained down to the bill, told apart from what was caused, and compared."""

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from apps.allocation.services import allocate
from apps.books.changes import ChangeQuery, changes
from apps.finops.tables import DRIVERS
from apps.finops.windows import ONE_DAY, Window
from apps.insights.explain import explain
from apps.marts.query import CostQuery
from apps.marts.reconciling import reconciliation
from apps.marts.selectors import answer
from apps.pipeline import due
from tests.allocation.worlds import DAY, OWNED_BY_NAME, Row, charge, put
from tests.books.worlds import published, usage

POLICIES = """
  - {name: ops, when: {node_pool: "*"}, team: ops}
policies:
  - {name: nodes, idle: share}
  - {name: logs, share: by_driver, driver: requests, when: {service: Log}}
  - {name: tax, follow: account, when: {charge_category: Tax}}
  - {name: unused, unused: central, team: ops}
  - {name: later, credits: owner, valid_from: 2027-01-01}
shared:
  - {name: nothing, when: {namespace: kube-system}}
"""
RULES = OWNED_BY_NAME + POLICIES
BILL = [
    charge("48", "i-n1"),
    charge("9", "l-1", ServiceName="Log"),
    charge("6", "vat", ChargeCategory="Tax"),
    charge("3", "ri", ServiceName="Plan", CommitmentDiscountStatus="Unused"),
]
"""`web` claims 16, `data` 8, and 24 are idle: 16 and 8 of these are received. Of the 9 of Log `data` receives all; the
tax of 6 is of 60: 32 of `web`, 25 of `data`, 3 of `ops`."""
TOLD = {
    ("web", "direct"): "16", ("web", "shared_idle"): "16", ("web", "shared"): "3.2",
    ("data", "direct"): "8", ("data", "shared_idle"): "8", ("data", "shared"): "11.5",
    ("ops", "idle"): "3", ("ops", "shared"): "0.3",
}  # fmt: skip
WINDOW = {"start": DAY, "end": DAY + timedelta(days=1)}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def put_requests(quantity: str = "5", version: int = 1) -> None:
    put(
        DRIVERS,
        [{"driver": "requests", "scope": "team", "day": DAY, "subject": "data", "quantity": Decimal(quantity),
          "version": version, "line": 2}],
    )  # fmt: skip


def test_every_view_tells_received_cost_apart():
    put_requests()
    published(BILL, usage(), RULES)
    query = CostQuery(**WINDOW)
    by_kind = answer(query.grouped("team", "kind"))
    assert {(team, kind): cost for team, kind, _currency, cost in by_kind.rows if cost} == {
        key: Decimal(cost) for key, cost in TOLD.items()
    }
    (row,) = reconciliation()[1]
    assert [row.direct, row.shared, row.idle, row.shared_idle, row.unallocated] == [24, 15, 3, 24, 0]
    assert row.charged == row.allocated == 66
    assert row.difference == 0


@pytest.mark.parametrize(
    ("filters", "parts", "behind"),
    [
        pytest.param({"team": "web", "kind": "shared_idle"}, {("idle: nodes", "16", "24")}, {"48"}, id="idle"),
        pytest.param(
            {"team": "data", "kind": "shared", "service": "Log"}, {("share: logs (requests v1)", "9", "9")}, {"9"},
            id="a shared pool",
        ),
        pytest.param({"team": "ops", "kind": "shared"}, {("follow: tax", "0.3", "6")}, {"6"}, id="tax"),
        pytest.param({"team": "ops", "kind": "idle"}, {("unused: unused", "3", "3")}, {"3"}, id="a commitment"),
    ],
)  # fmt: skip
def test_what_is_received_is_explained_down_to_the_bill(filters, parts, behind, tmp_path, monkeypatch):
    put_requests()
    published(BILL, usage(), RULES)
    monkeypatch.setattr("apps.insights.explain.placed", lambda found: ())  # charges of no file
    found = explain(CostQuery(**WINDOW).narrowed(**filters))
    assert {(part.rule, part.amount, part.pool_amount) for part in found.parts if part.amount} == {
        (rule, Decimal(amount), Decimal(whole)) for rule, amount, whole in parts
    }
    assert found.adds_up
    assert found.bill_total == {"CNY": sum(Decimal(cost) for cost in behind)}


def test_a_new_policy_is_a_change_of_rules_and_adds_up():
    put_requests()
    first = published(BILL, usage(), OWNED_BY_NAME + POLICIES.partition("policies:")[0])
    second = published(BILL, usage(), RULES)
    found = changes(ChangeQuery(first, second, group_by=("team", "kind", "class")))
    moved = {}
    for team, kind, why, _currency, cost in found.rows:
        assert why == "re-ruled"
        moved[team, kind] = moved.get((team, kind), Decimal(0)) + cost
    assert moved == {
        ("web", "shared_idle"): 16, ("web", "shared"): Decimal("3.2"), ("data", "shared_idle"): 8,
        ("data", "shared"): Decimal("11.5"), ("ops", "idle"): 3 - 24, ("ops", "shared"): Decimal("0.3"),
        ("unallocated", "unallocated"): -18,
    }  # fmt: skip


def test_a_driver_that_is_told_anew_makes_its_days_due(monkeypatch):
    monkeypatch.setattr(due, "day_fingerprints", lambda: {DAY: "files", DAY + ONE_DAY: "files"})
    put_requests()
    published(BILL, usage(), RULES)
    before = due.inputs_of_allocation()
    put_requests("7", version=2)
    after = due.inputs_of_allocation()
    assert [day for day in before if before[day] != after[day]] == [DAY]


def test_a_driver_that_is_not_told_is_a_problem_and_loses_nothing():
    published(BILL, usage(), RULES)
    done = allocate(Window(DAY, DAY + ONE_DAY))
    (problem,) = [one for one in done.problems if one.code == "no_driver"]
    assert (problem.severity, problem.subject) == ("warning", "share: logs")
    assert "driver 'requests' has no quantity above 0" in problem.message
    assert done.cost_in == done.cost_out == {"CNY": Decimal(66)}


def told(*words: str) -> str:
    out = StringIO()
    call_command("policies", *words, stdout=out)
    return out.getvalue()


def test_policies_are_listed_at_the_terminal():
    put_requests()
    published(BILL, usage(), RULES)
    days = ("--start", "2026-10-01", "--end", "2026-10-02")
    rows: list[Row] = json.loads(told("list", *days, "--format", "json"))
    assert [(row["policy"], row["way"], row["cost"] and Decimal(row["cost"]), row["verdict"]) for row in rows] == [
        ("idle: nodes", "share", 24, ""),
        ("share: logs", "by_driver (requests)", 9, ""),
        ("follow: tax", "account", 6, ""),
        ("unused: unused", "central (ops)", 3, ""),
        ("credits: later", "owner", None, "not valid then"),
        ("share: nothing", "proportional", None, "decides nothing"),
    ]
    assert "6 policies of rules 1, 2 of them gave nothing to anybody" in told("list", *days)
    assert told("list") == told("list", *days), "the last days that are allocated"
