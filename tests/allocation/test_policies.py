"""What becomes of cost that no single team used: every way of every policy, on a day of its own, added up by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.finops import yamls
from apps.finops.tables import ALLOCATED, COSTS, DRIVERS, PASSED_ON
from apps.finops.windows import ONE_DAY
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.conftest import Together
from tests.allocation.worlds import DAY, World, by, charge, charged, claim, labels, node, pod, put, sent, totals

pytestmark = pytest.mark.django_db
RULES: dict[str, Any] = {
    "rules": [
        {"name": "web", "when": {"namespace": "web*"}, "team": "web"},
        {"name": "data", "when": {"namespace": "data*"}, "team": "data"},
        {"name": "nodes", "when": {"node_pool": "*"}, "team": "ops"},
        {"name": "of web", "when": {"resource": "web-*"}, "team": "web"},
        {"name": "of data", "when": {"resource": "data-*"}, "team": "data"},
        {"name": "the rest", "when": {"service": "*"}, "team": "ops"},
    ],
    "clusters": [
        {"name": "fee", "when": {"service": "Fee"}, "cluster": "online"},
        {"name": "nat", "when": {"service": "NAT"}, "cluster": "online", "by": "internet"},
    ],
}
DRIVEN = [{"web": "1", "data": "3"}, {"web": "1e25", "data": "1e25", "ops": "2e25"}, {"web": "0"}]


def units(*, web: str = "1", data: str = "2", platform: str = "1", idle_only: bool = False) -> dict[str, list]:
    """A node of 48 units: `web` claims 12 of them, `data` 24 and the platform 12 for each core; the rest is idle."""
    pods = {"web": web, "data": data, "kube-system": platform}
    claimed = [row for name, cpu in pods.items() if cpu != "0" for row in pod(name, cpu, str(4 * int(cpu)))]
    return {"node_hours": node(), "workload_hours": [] if idle_only else claimed}


NODE = [charge("48", "i-n1")]
APART = units(platform="0")
FULL = units()
PLATFORM = {"when": {"namespace": "kube-*"}}
POOL = {"when": {"service": "Pool"}}
CLUSTER = {"when": {"namespace": "__cluster__"}}
OF_A_CLUSTER = [*NODE, charge("30", "c", ServiceName="Fee")]
ON_NODE = {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 12}
SHARED_CHARGE = charge("30", "p", ServiceName="Pool")
USED = [charge("30", "web-1"), charge("10", "data-1")]


def tax(cost: str, **given: Any) -> dict:
    return charge(cost, ChargeCategory="Tax", ServiceName="VAT", **given)


def credit(cost: str, resource: str = "", **given: Any) -> dict:
    return charge(cost, resource, **{"ChargeCategory": "Credit"} | given)


def unused(**given: Any) -> dict:
    given = {
        "CommitmentDiscountStatus": "Unused",
        "CommitmentDiscountId": "ri-1",
        "CommitmentDiscountType": "RI",
    } | given
    return charge("5", "web-1", **given)


TAXES = {"follow": "invoice", "when": {"charge_category": "Tax"}}
CASES = [
    # --- idle ------------------------------------------------------------------------------------------------------
    pytest.param([], NODE, APART, {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 12},
                 id="no policy: idle stays with the owner of the node"),
    pytest.param([{"idle": "owner"}, {"idle": "share", "when": {"cluster": "*"}}], NODE, APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 12},
                 id="the first policy decides: idle stays"),
    pytest.param([{"idle": "share"}], NODE, APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared_idle"): 4, ("data", "shared_idle"): 8},
                 id="idle is shared in proportion to what was claimed"),
    pytest.param([{"idle": "central", "team": "data"}], NODE, APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("data", "idle"): 12}, id="idle is central"),
    pytest.param([{"idle": "share"}], NODE, units(idle_only=True), {("ops", "idle"): 48},
                 id="nobody claimed anything: idle stays with its owner"),
    pytest.param([{"idle": "share", "when": {"node_pool": "gpu"}}],
                 [*NODE, charge("48", "i-n2")],
                 {"node_hours": node() + node("n2", node_pool="gpu"),
                  "workload_hours": pod("web", "1", "4") + pod("data", "2", "8", node="n2")},
                 {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 36, ("data", "shared_idle"): 24},
                 id="each node pool by itself: only one shares"),
    pytest.param([{"idle": "share"}, {"share": "fixed", "split": {"ops": 100}, **PLATFORM}], NODE,
                 units(web="1", data="0", platform="2"),
                 {("web", "direct"): 12, ("web", "shared_idle"): 12, ("ops", "shared"): 24},
                 id="the platform carries no idle of others"),
    pytest.param([{"idle": "share", "when": {"tag.env": "prod"}}], [charge("48", "i-n1", Tags='{"env":"prod"}')], APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared_idle"): 4, ("data", "shared_idle"): 8},
                 id="idle by a tag of the node's charges"),
    # --- shared pools of workloads ---------------------------------------------------------------------------------
    pytest.param([{"share": "proportional", **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 4, ("data", "shared"): 8},
                 id="a platform in proportion"),
    pytest.param([{"share": "even", **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 6, ("data", "shared"): 6},
                 id="a platform evenly between those that are there"),
    pytest.param([{"share": "even", "teams": ["web", "data", "ops"], **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 4, ("data", "shared"): 4,
                  ("ops", "shared"): 4}, id="a platform evenly between some teams, there or not"),
    pytest.param([{"share": "fixed", "split": {"web": 25, "ops": 75}, **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 3, ("ops", "shared"): 9},
                 id="a platform by fixed percentages"),
    pytest.param([{"share": "by_driver", "driver": "d0", **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 3, ("data", "shared"): 9},
                 id="a platform by a driver"),
    pytest.param([{"share": "by_driver", "driver": "d1", **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 3, ("data", "shared"): 3,
                  ("ops", "shared"): 6}, id="a driver of enormous quantities"),
    pytest.param([{"share": "by_driver", "driver": "d2", **PLATFORM}], NODE, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 4, ("data", "shared"): 8},
                 id="a driver without a quantity that day: in proportion"),
    pytest.param([{"share": "even", "when": {"label.tier": "base"}}], NODE,
                 FULL | {"label_hours": labels("kube-system", '{"tier":"base"}')},
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 6, ("data", "shared"): 6},
                 id="a platform by its label"),
    pytest.param([{"share": "even", **PLATFORM}], NODE, units(web="0", data="0"),
                 {("unallocated", "unallocated"): 12, ("ops", "idle"): 36},
                 id="a platform that serves nobody is unallocated"),
    pytest.param([{"share": "even", **PLATFORM}], [*NODE, charge("8", "d-1")],
                 FULL | {"volume_hours": claim("kube-system", "5")},
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 10, ("data", "shared"): 10},
                 id="a platform's volumes go with it"),
    # --- what a cluster costs as a whole ---------------------------------------------------------------------------
    pytest.param([], OF_A_CLUSTER, APART, ON_NODE | {("web", "shared"): 10, ("data", "shared"): 20},
                 id="a cluster in proportion: no policy says otherwise"),
    pytest.param([{"share": "even", **CLUSTER}], OF_A_CLUSTER, APART,
                 ON_NODE | {("web", "shared"): 15, ("data", "shared"): 15}, id="a cluster evenly"),
    pytest.param([{"share": "even", **CLUSTER}], [*NODE, charge("0.000000000003", "online")], APART,
                 ON_NODE | {("data", "shared"): "0.000000000002", ("web", "shared"): "0.000000000001"},
                 id="a cluster evenly: what no half divides is lost to nobody"),
    pytest.param([{"share": "even", "teams": ["web", "data", "ops"], **CLUSTER}], OF_A_CLUSTER, APART,
                 ON_NODE | {("web", "shared"): 10, ("data", "shared"): 10, ("ops", "shared"): 10},
                 id="a cluster evenly between some teams"),
    pytest.param([{"share": "fixed", "split": {"web": 20, "ops": 80}, **CLUSTER}], OF_A_CLUSTER, APART,
                 ON_NODE | {("web", "shared"): 6, ("ops", "shared"): 24}, id="a cluster by fixed percentages"),
    pytest.param([{"share": "by_driver", "driver": "d0", **CLUSTER}], OF_A_CLUSTER, APART,
                 ON_NODE | {("web", "shared"): "7.5", ("data", "shared"): "22.5"}, id="a cluster by a driver"),
    pytest.param([{"share": "even", "when": {"namespace": "__cluster__", "cluster": "other"}}], OF_A_CLUSTER, APART,
                 ON_NODE | {("web", "shared"): 10, ("data", "shared"): 20}, id="the policy of another cluster"),
    pytest.param([{"share": "even", **PLATFORM}], OF_A_CLUSTER, FULL,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("web", "shared"): 16, ("data", "shared"): 26},
                 id="a cluster in proportion beside a platform evenly"),
    pytest.param([{"share": "even", **CLUSTER}], [charge("30", "c", ServiceName="Fee")], {},
                 {("unallocated", "unallocated"): 30}, id="a cluster evenly: nobody is there"),
    pytest.param([{"share": "even", **CLUSTER}], [*NODE, charge("30", "n", ServiceName="NAT")],
                 APART | {"network_hours": sent("web", "9", internet_gib="4") + sent("data", "9", internet_gib="1")},
                 ON_NODE | {("web", "direct"): 36, ("data", "direct"): 30},
                 id="traffic that was measured is no cost of the cluster as a whole"),
    pytest.param([{"share": "even", **CLUSTER}], [*NODE, charge("30", "n", ServiceName="NAT")],
                 APART | {"network_hours": sent("web", "9")},
                 ON_NODE | {("web", "shared"): 15, ("data", "shared"): 15},
                 id="traffic that was not measured is divided like a cluster"),
    # --- shared pools of charges -----------------------------------------------------------------------------------
    pytest.param([{"share": "proportional", **POOL}], [*NODE, SHARED_CHARGE], APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 12, ("web", "shared"): 10,
                  ("data", "shared"): 20}, id="charges in proportion to what teams used"),
    pytest.param([{"share": "even", **POOL}], [*NODE, SHARED_CHARGE, charge("1")], APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 12, ("ops", "direct"): 1,
                  ("web", "shared"): 10, ("data", "shared"): 10, ("ops", "shared"): 10},
                 id="charges evenly between those that are there"),
    pytest.param([{"share": "even", "teams": ["web", "ops"], **POOL}], [SHARED_CHARGE], {},
                 {("web", "shared"): 15, ("ops", "shared"): 15}, id="charges evenly between some teams"),
    pytest.param([{"share": "fixed", "split": {"web": 10, "data": 90}, **POOL}], [SHARED_CHARGE], {},
                 {("web", "shared"): 3, ("data", "shared"): 27}, id="charges by fixed percentages"),
    pytest.param([{"share": "by_driver", "driver": "d0", **POOL}], [SHARED_CHARGE], {},
                 {("web", "shared"): "7.5", ("data", "shared"): "22.5"}, id="charges by a driver"),
    pytest.param([{"share": "by_driver", "driver": "none", **POOL}], [SHARED_CHARGE], {}, {("ops", "direct"): 30},
                 id="no driver and nobody to share with: the rules decide"),
    pytest.param([{"share": "proportional", **POOL}], [SHARED_CHARGE, charge("-9", "web-1")], {},
                 {("ops", "direct"): 30, ("web", "direct"): -9}, id="who costs less than nothing carries nothing"),
    pytest.param([{"share": "proportional", **POOL}],
                 [SHARED_CHARGE, *USED, charge("40", "p", ServiceName="Pool", BillingCurrency="USD")], {},
                 {("web", "direct"): 30, ("data", "direct"): 10, ("web", "shared"): "22.5", ("data", "shared"): "7.5",
                  ("ops", "direct"): 40}, id="no currency weighs for another"),
    # --- what follows ----------------------------------------------------------------------------------------------
    pytest.param([], [*USED, tax("4")], {}, {("web", "direct"): 30, ("data", "direct"): 10, ("ops", "direct"): 4},
                 id="no policy: the rules decide whose the tax is"),
    pytest.param([TAXES],
                 [charge("30", "web-1", InvoiceId="I1"), charge("10", "data-1", InvoiceId="I1"),
                  charge("100", "data-1", InvoiceId="I2"), tax("4", InvoiceId="I1")], {},
                 {("web", "direct"): 30, ("data", "direct"): 110, ("web", "shared"): 3, ("data", "shared"): 1},
                 id="tax follows its invoice"),
    pytest.param([TAXES],
                 [charge("30", "web-1", InvoiceId="I1"), charge("10", "data-1", InvoiceId="I1"),
                  charge("40", "data-1", BillingAccountId="200"), tax("4", InvoiceId="I9")], {},
                 {("web", "direct"): 30, ("data", "direct"): 50, ("web", "shared"): 3, ("data", "shared"): 1},
                 id="an invoice without other charges that day: tax follows its account"),
    pytest.param([TAXES], [*USED, tax("4", BillingAccountId="300")], {},
                 {("web", "direct"): 30, ("data", "direct"): 10, ("web", "shared"): 3, ("data", "shared"): 1},
                 id="an account without other charges that day: tax follows its source"),
    pytest.param([TAXES], [tax("4", InvoiceId="I1")], {}, {("ops", "direct"): 4},
                 id="nothing to follow: the rules decide"),
    pytest.param([{"follow": "service", "when": {"service": "Support", "charge_category": "Purchase"}}],
                 [charge("30", "web-1", ServiceName="Support"), charge("10", "data-1", ServiceName="Support"),
                  charge("60", "data-2"), charge("8", ServiceName="Support", ChargeCategory="Purchase")], {},
                 {("web", "direct"): 30, ("data", "direct"): 70, ("web", "shared"): 6, ("data", "shared"): 2},
                 id="support follows the charges of its service"),
    pytest.param([{"follow": "sub_account", "when": {"service": "Support"}}],
                 [charge("30", "web-1", SubAccountId="s1"), charge("10", "data-1", SubAccountId="s1"),
                  charge("60", "data-2"), charge("8", ServiceName="Support", SubAccountId="s1")], {},
                 {("web", "direct"): 30, ("data", "direct"): 70, ("web", "shared"): 6, ("data", "shared"): 2},
                 id="fees follow their sub-account"),
    pytest.param([{"share": "fixed", "split": {"web": 50, "data": 50}, **POOL}, {"follow": "account", "when":
                   {"charge_category": "Tax"}}], [*NODE, SHARED_CHARGE, tax("7.8")], APART,
                 {("web", "direct"): 12, ("data", "direct"): 24, ("ops", "idle"): 12, ("web", "shared"): "17.7",
                  ("data", "shared"): "18.9", ("ops", "shared"): "1.2"},
                 id="tax follows idle and received cost too"),
    # --- commitments and credits -----------------------------------------------------------------------------------
    pytest.param([], [unused()], {}, {("web", "direct"): 5}, id="no policy: unused commitments go by the rules"),
    pytest.param([{"unused": "central", "team": "data"}],
                 [unused(), charge("3", "web-1", CommitmentDiscountStatus="Used")], {},
                 {("data", "idle"): 5, ("web", "direct"): 3}, id="the unused part to a chosen owner"),
    pytest.param([{"unused": "owner", "when": {"commitment": "ri-*"}}, {"unused": "central", "team": "data"}],
                 [unused(), unused(CommitmentDiscountId="sp-1")], {}, {("web", "direct"): 5, ("data", "idle"): 5},
                 id="some commitments stay by the rules"),
    pytest.param([{"unused": "central", "team": "data", "when": {"commitment_type": "SP"}}], [unused()], {},
                 {("web", "direct"): 5}, id="another type of commitment"),
    pytest.param([], [*USED, credit("-4", "web-1", ServiceName="Promo")], {},
                 {("web", "direct"): 26, ("data", "direct"): 10}, id="no policy: credits go by the rules"),
    pytest.param([{"credits": "earners"}], [*USED, credit("-4", "web-1")], {},
                 {("web", "direct"): 30, ("data", "direct"): 10, ("web", "shared"): -4},
                 id="a credit to the owner of the resource"),
    pytest.param([{"credits": "earners"}],
                 [*USED, charge("60", "data-1", ServiceName="Log"), credit("-4")], {},
                 {("web", "direct"): 30, ("data", "direct"): 70, ("web", "shared"): -3, ("data", "shared"): -1},
                 id="a credit without resource by service and account"),
    pytest.param([{"credits": "earners"}], [*USED, credit("-4", ServiceName="Promo")], {},
                 {("web", "direct"): 30, ("data", "direct"): 10, ("ops", "direct"): -4},
                 id="a credit that nobody earned goes by the rules"),
    pytest.param([{"credits": "earners"}],
                 [*USED, credit("-4", "web-1", ChargeCategory="Adjustment"),
                  credit("2", "x", ChargeCategory="Adjustment")], {},
                 {("web", "direct"): 30, ("data", "direct"): 10, ("web", "shared"): -4, ("ops", "direct"): 2},
                 id="an adjustment that lowers the cost is a credit, one that raises it is not"),
    pytest.param([{"credits": "earners"}], [*NODE, credit("-24", "i-n1")], APART,
                 {("web", "direct"): 6, ("data", "direct"): 12, ("ops", "idle"): 6},
                 id="a credit on a node lowers the node's cost"),
    pytest.param([{"credits": "owner", "when": {"service": "Promo"}}, {"credits": "earners"}],
                 [*USED, credit("-4", "web-1", ServiceName="Promo")], {},
                 {("web", "direct"): 26, ("data", "direct"): 10},
                 id="some credits stay by the rules"),
]  # fmt: skip


def on_day(number: int, policies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Policies valid on the day of their case only."""
    day = DAY + number * ONE_DAY
    return [
        {"name": f"p{number}-{place}", **policy, "valid_from": str(day), "valid_to": str(day + ONE_DAY)}
        for place, policy in enumerate(policies)
    ]


def put_drivers(days: int) -> None:
    put(
        DRIVERS,
        [
            {"driver": f"d{number}", "scope": "team", "day": DAY + day * ONE_DAY, "subject": team, "line": 2,
             "version": 7, "quantity": Decimal(quantity)}
            for number, told in enumerate(DRIVEN) for team, quantity in told.items() for day in range(days)
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(together: Together) -> list[list[dict]]:
    put_drivers(len(CASES))
    policies = [policy for number, case in enumerate(CASES) for policy in on_day(number, case.values[0])]
    return together([World(*case.values[1:3]) for case in CASES], yamls.written(RULES | {"policies": policies}))


@pytest.mark.parametrize(
    ("number", "charges", "expected"),
    [pytest.param(at, case.values[1], case.values[3], id=case.id) for at, case in enumerate(CASES)],
)
def test_a_policy_decides(found: list, number: int, charges: list, expected: dict) -> None:
    rows = found[number]
    assert by(rows, "team", "kind") == {key: Decimal(cost) for key, cost in expected.items()}
    assert totals(rows) == charged(charges)


def number_of(case_id: str) -> int:
    return next(number for number, case in enumerate(CASES) if case.id == case_id)


@pytest.mark.parametrize(
    ("case_id", "label"),
    [
        pytest.param("idle is shared in proportion to what was claimed", "idle: p{}-0", id="idle shared"),
        pytest.param("idle is central", "idle: p{}-0", id="idle central"),
        pytest.param("a platform by a driver", "share: p{}-0 (d0 v7)", id="the version of a driver"),
        pytest.param("a driver without a quantity that day: in proportion", "share: p{}-0 (no quantities)", id="none"),
        pytest.param("a cluster evenly", "share: p{}-0", id="cluster"),
        pytest.param("tax follows its invoice", "follow: p{}-0", id="tax"),
        pytest.param("the unused part to a chosen owner", "unused: p{}-0", id="unused"),
        pytest.param("a credit to the owner of the resource", "credits: p{}-0", id="credit"),
    ],
)  # fmt: skip
def test_every_part_names_its_policy(found: list, case_id: str, label: str) -> None:
    number = number_of(case_id)
    told = {row["rule"] for row in found[number] if row["effective_cost"] and row["kind"] not in ("direct",)}
    assert told - {"nodes"} == {label.format(number)}


def test_what_is_received_and_what_is_gone_for_it_are_the_same(found: list) -> None:
    """By day, bill and place, in every cost."""
    key = ("day", "currency", "account", "service", "charge_category", "cluster", "node_pool", "namespace")
    gone = [dict(zip(PASSED_ON.columns, row, strict=True)) for row in rows_of(lake.scan(PASSED_ON))]
    received = [dict(zip(ALLOCATED.columns, row, strict=True)) for row in rows_of(lake.scan(ALLOCATED))]
    received = [row for row in received if row["pool"] == "shared"]
    assert len(gone) > 20
    for basis in COSTS:
        assert by(gone, *key, basis=basis) == by(received, *key, basis=basis)
    assert {row["kind"] for row in received} <= {"shared", "shared_idle", "unallocated"}
    assert DAY + timedelta(days=len(CASES)) > max(row["day"] for row in gone)
