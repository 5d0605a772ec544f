"""What parts weighed, and that every number re-adds from its parts, whatever the world."""

import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.allocation.services import allocate
from apps.finops.money import add_up
from apps.finops.tables import CHARGES, COSTS
from apps.finops.windows import ONE_DAY, Window
from apps.insights.behind import Behind
from apps.insights.explain import Part
from apps.insights.weights import weights
from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import answer, publication
from apps.marts.services import publish
from apps.warehouse.engine import Workspace
from tests.allocation.test_invariants import RULES as RANDOM_RULES
from tests.allocation.test_invariants import random_world
from tests.allocation.worlds import (
    DAY,
    NOW,
    Row,
    charge,
    claim,
    import_rules,
    moved,
    node,
    pod,
    put,
    put_usage,
    sent,
)

pytestmark = pytest.mark.usefixtures("home", "db")
RULES = """
rules:
  - {name: web, when: {namespace: web}, team: web}
  - {name: data, when: {namespace: data}, split: {data: 75, ops: 25}}
shared: [{name: platform, when: {namespace: kube}}]
"""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def world(charges: list[Row], rules: str = RULES, **usage: list[Row]) -> None:
    put(CHARGES, charges)
    put_usage(**usage)
    import_rules(rules)
    allocate(Window(DAY, DAY + ONE_DAY))
    publish(None, now=NOW)


def parts_of(**filters: str) -> list[Part]:
    given = tuple((name, (value,)) for name, value in filters.items())
    query = CostQuery(DAY, DAY + ONE_DAY, filters=given)
    pinned = publication()
    with Workspace() as workspace:
        found = [Part(*row) for row in Behind(query, pinned, workspace).parts(100)]
    return [
        Part(**(vars(part) | {"weight": weight})) for part, weight in zip(found, weights(found, pinned), strict=True)
    ]


def a_node() -> dict[str, list[Row]]:
    """A node of 96 core-hours and 384 GiB-hours, 144 core-hours' worth. `web` claims 24 and 96: 36 of them; `data` 12
    core-hours, `kube` 24; the rest is idle. A pod without a node, and a volume of two claims."""
    pods = [*pod("web", "1", "4"), *pod("data", "0.5"), *pod("kube", "1")]
    return {
        "node_hours": node(),
        "workload_hours": pods + pod("web", "1", node="virtual", resource_id="eci-1"),
        "volume_hours": claim("web", "30") + claim("data", "10"),
    }


CHARGES_OF_THE_DAY = [charge("144", "i-n1"), charge("7", "eci-1"), charge("8", "d-1")]


@pytest.mark.parametrize(
    ("filters", "weight", "total", "unit", "share"),
    [
        pytest.param(
            {"namespace": "web", "cluster": "online", "service": "Compute", "kind": "direct"},
            "36", "144", "core-hour equivalents", "0.25", id="a workload on a node",
        ),
        pytest.param({"kind": "idle"}, "72", "144", "core-hour equivalents", "0.5", id="what nobody claimed"),
        pytest.param(
            {"team": "data", "namespace": "data"}, "12", "144", "core-hour equivalents", "0.0625",
            id="three quarters of a workload: the rule's percent is in the share",
        ),
    ],
)  # fmt: skip
def test_a_part_of_a_node_says_its_weight(
    filters: dict[str, str], weight: str, total: str, unit: str, share: str
) -> None:
    world([charge("144", "i-n1")], **a_node())
    (part,) = [part for part in parts_of(**filters) if part.pool == "node"]
    assert part.weight
    assert (part.weight.weight, part.weight.total, part.weight.unit) == (Decimal(weight), Decimal(total), unit)
    assert (part.share, part.pool_amount) == (Decimal(share), 144)
    assert part.amount == 144 * Decimal(share)


def test_every_resource_is_told_by_itself() -> None:
    world([charge("144", "i-n1")], **a_node())
    (part,) = parts_of(namespace="web")
    assert part.weight
    told = [(one.resource, one.claimed, one.of) for one in part.weight.measured]
    assert told == [("cpu_core", 24, 96), ("memory_gib", 96, 384)]


def test_pods_volumes_and_platform_say_theirs() -> None:
    world(CHARGES_OF_THE_DAY, **a_node())
    found = {(part.pool, part.team): part.weight for part in parts_of() if part.kind != "idle"}
    told = {key: (weight.weight, weight.total, weight.unit) for key, weight in found.items() if weight}
    assert told["serverless", "web"] == (24, 24, "core-hour equivalents")
    assert told["volume", "web"] == (720, 960, "GiB-hours")
    assert told["volume", "data"] == (240, 960, "GiB-hours")
    cost = {"web": 36 + 7, "data": 9, "ops": 3}
    for team, mine in cost.items():
        assert told["shared", team] == (mine, 55, "of the cluster's claimed cost")


def test_the_share_of_platform_cost_is_the_weight() -> None:
    world(CHARGES_OF_THE_DAY, **a_node())
    shared = [part for part in parts_of(kind="shared") if part.service == "Compute"]
    assert {part.pool_amount for part in shared} == {Decimal(24)}
    for part in shared:
        assert part.weight
        due = 24 * Fraction(part.weight.weight) / Fraction(part.weight.total)
        assert abs(Fraction(part.amount) - due) < Fraction(1, 10**11)


TRAFFIC_RULES = """
clusters:
  - {name: nat, when: {service: NAT}, cluster: online, by: internet}
  - {name: of nodes, when: {service: Traffic, resource: "prefix:i-"}, cluster: online, by: traffic}
  - {name: zones, when: {service: Zones}, cluster: online, by: cross_zone}
  - {name: regions, when: {service: Zones, resource: "re:z-[0-9]"}, cluster: online, by: cross_region}
"""


def test_traffic_says_what_was_sent() -> None:
    """`web` sends 24 GiB from the node, 12 of them out of the cloud; `data` 48 and 12, and as much from another node.
    Whether zones or regions placed a charge the part does not tell, so it has no weight."""
    kinds = {"internet_gib": "0.5", "cross_zone_gib": "1", "cross_region_gib": "1"}
    network = sent("web", "1", **kinds) + sent("data", "2", **kinds) + sent("data", "2", node="n2", **kinds)
    services = {"NAT": "nat-1", "Traffic": "i-n1", "Zones": "z-1"}
    charges = [charge("9", resource, ServiceName=name) for name, resource in services.items()]
    world([charge("144", "i-n1"), *charges], RULES + TRAFFIC_RULES, network_hours=network, **a_node())
    parts = [part for part in parts_of() if part.pool == "network"]
    told = {(part.service, part.team): part.weight and (part.weight.weight, part.weight.total) for part in parts}
    assert told == {
        ("NAT", "web"): (12, 36), ("NAT", "data"): (24, 36), ("NAT", "ops"): (24, 36),
        ("Traffic", "web"): (24, 72), ("Traffic", "data"): (48, 72), ("Traffic", "ops"): (48, 72),
        ("Zones", "web"): None, ("Zones", "data"): None, ("Zones", "ops"): None,
    }  # fmt: skip
    for part in parts:
        whole = {"data": Fraction(3, 4), "ops": Fraction(1, 4)}.get(part.team, 1)
        if part.weight:
            due = 9 * whole * Fraction(part.weight.weight) / Fraction(part.weight.total)
            assert abs(Fraction(part.amount) - due) < Fraction(1, 10**11)


def test_a_charge_has_a_share_and_no_weight() -> None:
    world([charge("10", "log", ServiceName="Log")])
    (part,) = parts_of()
    assert (part.weight, part.share, part.kind) == (None, 1, "unallocated")


@pytest.mark.timeout(300)
@hypothesis_settings(max_examples=2, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@example(seed=3)
@given(seed=st.integers(0, 2**64))
def test_every_cell_of_a_random_world_re_adds(seed: int) -> None:
    """Bill rows to pools, pools to parts, parts to the answer: to the last decimal, for every cell and cost."""
    rng = random.Random(seed)
    worlds = [random_world(rng) for _ in range(2)]
    charges = [row for at, one in enumerate(worlds) for row in moved(one.charges, at)]
    usage: dict[str, list[Row]] = {}
    for at, one in enumerate(worlds):
        for name, rows in one.usage.items():
            usage.setdefault(name, []).extend(moved(rows, at))
    put(CHARGES, charges)
    put_usage(**usage)
    import_rules(RANDOM_RULES)
    allocate(Window(DAY, DAY + 2 * ONE_DAY))
    publish(None, now=NOW)
    pinned = publication()
    whole = CostQuery(DAY, DAY + 2 * ONE_DAY)
    cells: list[dict[str, Any]] = [{"scope": Scope(frozenset({"web", "ops"}))}, {}]
    for name in ("team", "namespace", "kind", "service"):
        values = [row[0] for row in answer(whole.grouped(name)).rows]
        cells += [{"filters": ((name, (rng.choice(values),)),)} for _ in range(2)]
    for cell in cells:
        query = CostQuery(DAY, DAY + rng.randint(1, 2) * ONE_DAY, metric=rng.choice([*COSTS]), **cell)
        with Workspace() as workspace:
            lake = Behind(query, pinned, workspace)
            expected = answer(query).totals
            assert lake.totals == expected
            if not expected:
                continue
            parts = [Part(*row) for row in lake.parts(10_000)]
            assert len(parts) == lake.part_count
            assert {"CNY": add_up(part.amount for part in parts)} == expected
            assert lake.pool_total == lake.bill_total
            assert len(lake.bill_rows(10_000)) == lake.bill_row_count
            assert {"CNY": add_up(row[-1] for row in lake.bill_rows(10_000))} == lake.bill_total
            for part, weight in zip(parts, weights(parts, pinned), strict=True):
                assert part.share is None or abs(part.share * part.pool_amount - part.amount) < Decimal("0.000001")
                assert weight is None or 0 <= weight.weight <= weight.total or weight.unit.startswith("core")
