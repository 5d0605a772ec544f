"""The cost of a node goes to those who claimed its hours; what nobody claimed is idle."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.allocation.conftest import Together
from tests.allocation.worlds import (
    ON_NODE,
    OWNED_BY_NAME,
    Row,
    World,
    allocated,
    by,
    charge,
    charged,
    node,
    pod,
    result,
    totals,
)

pytestmark = pytest.mark.django_db

usual = pytest.mark.usefixtures("home", "db")
IDLE = ("unallocated", "idle")
WEB, DATA = ("web", "direct"), ("data", "direct")
ALL_DAY = [charge("48", "i-n1")]
ONE_A_UNIT = [charge("48", "i-n1", start=hour, hours=1) for hour in range(24)]
"""One yuan per price unit and hour, on a node of 48 units."""
SPOT = [charge("48" if hour < 12 else "96", "i-n1", start=hour, hours=1) for hour in range(24)]

CASES = [
    pytest.param(
        ALL_DAY, node(), [*pod("web", "2", "8"), *pod("data", "1", "4")],
        {WEB: "24", DATA: "12", IDLE: "12"}, id="by what was requested",
    ),
    pytest.param(
        ALL_DAY, node(), [*pod("web", "1", "4", used="2", memory_used="8"), *pod("data", "1", "4", used="0.1")],
        {WEB: "24", DATA: "12", IDLE: "12"}, id="the larger of request and use, resource by resource",
    ),
    pytest.param(
        ALL_DAY, node(), [*pod("web", "4", "16")], {WEB: "48"}, id="a node that is full has nothing idle",
    ),
    pytest.param(
        [charge("688", "i-n1")], node(gpu="2"), [*pod("web", gpu="1"), *pod("data", "4", "16", gpu_used="0.5")],
        {WEB: "320", DATA: "208", IDLE: "160"}, id="a card costs forty cores",
    ),
    pytest.param(
        ALL_DAY, node(), [*pod("web", "6", "4"), *pod("data", "2", "4")],
        {WEB: "28", DATA: "12", IDLE: "8"}, id="claims beyond the cores scale down, memory does not",
    ),
    pytest.param(
        ONE_A_UNIT, node(), pod("web", "4", "16", hours=range(6)), {WEB: "288", IDLE: "864"},
        id="only the hours that ran",
    ),
    pytest.param(
        SPOT, node(), [*pod("web", "2", "8", hours=range(12)), *pod("data", "2", "8", hours=range(12, 24))],
        {WEB: "288", DATA: "576", IDLE: "864"}, id="a price that differs by hour",
    ),
    pytest.param(
        [*ONE_A_UNIT, charge("1152", "i-n1")], node(), pod("web", "4", "16", hours=range(6)),
        {WEB: "576", IDLE: "1728"}, id="hourly and daily charges together",
    ),
    pytest.param(
        [charge("48", "i-n1"), charge("96", "i-n1", start=12, hours=12)], node(),
        pod("web", "4", "16", hours=range(12)),
        {WEB: "24", IDLE: "120"}, id="a charge of half a day prices that half",
    ),
    pytest.param(
        [charge("60", "i-n1")], node(hours=[0], cpu="1", memory="4") + node(hours=range(1, 5)),
        pod("web", "1", "4", hours=[0]),
        {WEB: "3.529411764706", IDLE: "56.470588235294"}, id="a node that existed for a quarter of an hour",
    ),
    pytest.param(
        [*ONE_A_UNIT, charge("-24", "i-n1", ChargeCategory="Credit")], node(), pod("web", "2", "8"),
        {WEB: "564", IDLE: "564"}, id="a credit on the node is divided alike",
    ),
    pytest.param(
        [charge("-48", "i-n1")], node(), pod("web", "2", "8"), {WEB: "-24", IDLE: "-24"}, id="only a credit",
    ),
    pytest.param(
        [charge("-48", "i-n1"), *(charge("1", "i-n1", start=h, hours=1) for h in range(12))], node(),
        pod("web", "4", "16", hours=range(6)), {WEB: "-9", IDLE: "-27"},
        id="prices of both signs cannot weigh: units do",
    ),
    pytest.param(
        [charge("0", "i-n1", BilledCost="4.8")], node(), pod("web", "2", "8"), {}, id="a node-day that cost nothing",
    ),
    pytest.param(
        ALL_DAY, node(hours=[3, 4]), pod("web", "2", "8", hours=[3, 4]), {WEB: "24", IDLE: "24"},
        id="hours never measured follow those that were",
    ),
    pytest.param(
        [*ONE_A_UNIT], node(hours=[3]), pod("web", "1", "4", hours=[3]), {WEB: "288", IDLE: "864"},
        id="also when every hour is charged",
    ),
    pytest.param(
        [charge("48", "i-n1", start=0, hours=2)], node(hours=[5]), pod("web", "1", "4", hours=[5]),
        {WEB: "12", IDLE: "36"}, id="a charge of hours nobody measured goes by units",
    ),
    pytest.param(
        ALL_DAY, node(), pod("web", "2", "8", node="n2"), {IDLE: "48"}, id="usage of another node claims nothing here",
    ),
    pytest.param(
        ALL_DAY, node(), pod("web", "2", "8", cluster="batch"), {IDLE: "48"},
        id="the same node name in another cluster",
    ),
    pytest.param(
        ALL_DAY, [], pod("web", "2", "8"), {("unallocated", "unallocated"): "48"},
        id="a node never measured is a charge",
    ),
    pytest.param(
        ALL_DAY, node(cpu="0", memory="0"), pod("web", "2", "8"), {("unallocated", "unallocated"): "48"},
        id="a node measured without any capacity is a charge",
    ),
    pytest.param(
        ALL_DAY, node() + node(source="again"), pod("web", "2", "8") + pod("web", "2", "8", source="again"),
        {WEB: "24", IDLE: "24"}, id="measured by two sources: the same shares",
    ),
    pytest.param(
        ALL_DAY, node(), [*pod("", "1", "4"), *pod("web", "2", "8")],
        {WEB: "24", IDLE: "12", ("unallocated", "unallocated"): "12"},
        id="a pod without a namespace is nobody's, not idle",
    ),
    pytest.param(
        [charge("50000000", "i-n1", start=0, hours=1)], node(hours=[0], cpu="0.001", memory="0.004"),
        pod("web", "0.0005", "0.002", hours=[0]), {WEB: "25000000", IDLE: "25000000"},
        id="seconds of a node, in small coins",
    ),
    pytest.param(
        [charge("1", "i-n1", start=0, hours=1), charge("2", "i-n1", start=1, hours=1)], node(hours=[0, 1], cpu="10"),
        pod("web", "5", "8", hours=[0]), {WEB: "0.5", IDLE: "2.5"}, id="prices without end still give exact halves",
    ),
    pytest.param(
        [charge("3", "i-n1")], node(hours=range(3)),
        pod("web", "7", "16", hours=range(3)) + pod("data", "5", hours=range(3)),
        {WEB: "2.166666666667", DATA: "0.833333333333"}, id="overuse without end is divided to the last decimal",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(together: Together) -> list[list[Row]]:
    worlds = [World(case.values[0], {"node_hours": case.values[1], "workload_hours": case.values[2]}) for case in CASES]
    return together(worlds, OWNED_BY_NAME)


@pytest.mark.parametrize(
    ("number", "charges", "expected"),
    [pytest.param(at, case.values[0], case.values[3], id=case.id) for at, case in enumerate(CASES)],
)
def test_a_node_is_divided(
    found: list[list[Row]], number: int, charges: list[Row], expected: dict[tuple[str, str], str]
) -> None:
    assert by(found[number], "team", "kind") == {key: Decimal(part) for key, part in expected.items()}
    assert totals(found[number]) == charged(charges)


@usual
def test_a_ratio_may_have_seven_digits() -> None:
    ratio = "policy: {price_ratio: {cpu_core: 1000000, memory_gib: 0, gpu: 20000}}"
    rows = allocated(ALL_DAY, OWNED + ratio, node_hours=node(), workload_hours=pod("web", "1", "16"))
    assert by(rows, "team", "kind") == {WEB: 12, IDLE: 36}


OWNED = "rules: [{name: web, when: {namespace: web}, team: web}]\n"


@usual
def test_idle_belongs_to_the_owner_of_the_node_of_each_charge() -> None:
    rules = """
rules:
  - {name: pool, when: {node_pool: general, charge_category: Usage}, split: {ops: 75, data: 25}}
  - {name: tax, when: {service: Tax}, team: web}
"""
    charges = [charge("48", "i-n1"), charge("4.8", "i-n1", ChargeCategory="Tax", ServiceName="Tax")]
    rows = allocated(charges, rules, node_hours=node(), workload_hours=pod("x", "1", "4"))
    assert by(rows, "team", "kind", "service") == {
        ("unallocated", "unallocated", "Compute"): 12,
        ("unallocated", "unallocated", "Tax"): Decimal("1.2"),
        ("ops", "idle", "Compute"): 27,
        ("data", "idle", "Compute"): 9,
        ("web", "idle", "Tax"): Decimal("3.6"),
    }
    assert {row["node_pool"] for row in rows if row["kind"] == "idle"} == {"general"}


@usual
def test_every_charge_of_a_resource_is_divided_alike_and_apart() -> None:
    charges = [
        charge("48", "i-n1"),
        charge("-4.8", "i-n1", ChargeCategory="Credit", ServiceName="Savings", BilledCost="-9.6"),
        charge("2.4", "i-n1", ChargeCategory="Tax", ServiceName="Tax", ListCost=None, ContractedCost=None),
    ]
    rows = allocated(charges, node_hours=node(), workload_hours=pod("web", "1", "4"))
    web = [row for row in rows if row["team"] == "web"]
    assert by(web, "charge_category") == {"Usage": 12, "Credit": Decimal("-1.2"), "Tax": Decimal("0.6")}
    assert by(web, "charge_category", basis="billed_cost") == {
        "Usage": 12, "Credit": Decimal("-2.4"), "Tax": Decimal("0.6"),
    }  # fmt: skip
    assert by(web, "charge_category", basis="list_cost") == {"Usage": 12, "Credit": Decimal("-1.2")}


@usual
def test_currencies_do_not_weigh_for_one_another() -> None:
    """Dear yuan in the morning, cheap dollars in the evening: each by its own hours."""
    charges = [
        *(charge("48", "i-n1", start=h, hours=1) for h in range(12)),
        *(charge("1", "i-n1", start=h, hours=1, BillingCurrency="USD") for h in range(12, 24)),
    ]
    rows = allocated(charges, node_hours=node(), workload_hours=pod("web", "4", "16", hours=range(12)))
    assert by(rows, "team", "currency") == {("web", "CNY"): 576, ("unallocated", "USD"): 12}


@usual
def test_billing_months_that_meet_in_a_day_do_not_weigh_for_one_another(settings: object) -> None:
    """A day of Shanghai has eight hours of the old month."""
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"  # type: ignore[attr-defined]
    hours = range(-8, 16)
    charges = [
        charge("48", "i-n1", start=h, hours=1, month="2026-09" if h < 0 else "2026-10", x_FileId=str(h < 0))
        for h in hours
    ]
    pods = [*pod("web", "2", "8", hours=range(-8, 0)), *pod("data", "4", "16", hours=range(16))]
    rows = allocated(charges, node_hours=node(hours=hours), workload_hours=pods)
    assert by(rows, "billing_month", "team") == {
        ("2026-09", "web"): 192, ("2026-09", "unallocated"): 192, ("2026-10", "data"): 768,
    }  # fmt: skip


@usual
def test_what_has_no_bill_and_what_claims_too_much_is_told(home: Path) -> None:
    nodes = node() + node("n2", range(3), provider_id="i-other") + node("n3", [0])
    pods = pod("web", "8", "4", hours=range(2))
    allocated([charge("48", "i-n1"), charge("1", "i-n3")], node_hours=nodes, workload_hours=pods)
    told = {problem.code: problem for problem in result().problems}
    assert told.keys() == {"unpriced_node", "overuse"}
    assert told["unpriced_node"].subject == "online/n2"
    assert "3 node-hours (12 core-hours) have no charge" in told["unpriced_node"].message
    assert told["overuse"].subject == "online/n1"
    assert "In 2 hours" in told["overuse"].message
    assert "50.0%" in told["overuse"].message


@pytest.mark.parametrize(
    ("charges", "usage", "expected"),
    [
        pytest.param([], ON_NODE, {}, id="a node without a bill, and nothing else"),
        pytest.param([charge("7", "log")], ON_NODE, {"unallocated": "7"}, id="a charge beside a node without a bill"),
        pytest.param([charge("7", "log")], {}, {"unallocated": "7"}, id="a charge where no cluster is"),
        pytest.param(ALL_DAY, ON_NODE, {"web": "24", "data": "12", "idle": "12"}, id="a node alone"),
    ],
)
def test_nodes_are_divided_only_where_they_are_billed(home: Path, charges: list, usage: dict, expected: dict) -> None:
    rows = allocated(charges, **usage)
    told = {"idle" if row["kind"] == "idle" else row["team"]: f"{row['effective_cost'].normalize():f}" for row in rows}
    assert told == expected
