"""Whatever the policies and the world: nothing is lost, and a plain reading of the policies comes to the same parts."""

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.finops import yamls
from apps.finops.tables import COSTS
from apps.finops.windows import ONE_DAY
from tests.allocation import policy_reference
from tests.allocation.conftest import Together
from tests.allocation.test_invariants import amount, doubled, is_near, random_world
from tests.allocation.test_policies import on_day, put_drivers
from tests.allocation.worlds import (
    DAY,
    Row,
    World,
    allocated,
    by,
    charge,
    charged,
    moved,
    result,
    rows_allocated,
    totals,
)

pytestmark = pytest.mark.django_db
RULES: dict[str, Any] = {
    "rules": [
        {"name": "web", "when": {"namespace": "web*"}, "team": "web"},
        {"name": "half", "when": {"namespace": "half"}, "split": {"web": 33.33, "data": 66.67}},
        {"name": "idle", "when": {"node_pool": "general"}, "split": {"ops": 50, "data": 50}},
        {"name": "of web", "when": {"resource": "web-*"}, "team": "web"},
        {"name": "of data", "when": {"resource": "data-*"}, "team": "data"},
    ]
}
DRIVERS = {"d0": {"web": "1", "data": "3"}, "d1": {"web": "1e25", "data": "1e25", "ops": "2e25"}, "d2": {"web": "0"}}
CELL = ("team", "kind", "service", "charge_category")
WAYS: list[dict[str, Any]] = [
    {"share": "proportional"},
    {"share": "even"},
    {"share": "even", "teams": ["ops", "web"]},
    {"share": "fixed", "split": {"web": 33.33, "data": 66.67}},
    {"share": "by_driver", "driver": "d0"},
    {"share": "by_driver", "driver": "d1"},
    {"share": "by_driver", "driver": "d2"},
]


def random_policies(rng: random.Random) -> list[dict[str, Any]]:
    """Some policies of every subject, in any order."""
    follow = rng.choice(["invoice", "service", "sub_account", "account", "source"])
    policies = [
        rng.choice([{"idle": "share"}, {"idle": "central", "team": "ops"}, {"idle": "owner"}])
        | rng.choice([{}, {"when": {"node_pool": "general"}}, {"when": {"cluster": "online"}}]),
        rng.choice(WAYS) | {"when": {"namespace": "kube"}},
        rng.choice(WAYS) | {"when": {"service": "Pool"}},
        {"follow": follow, "when": {"charge_category": "Tax"}},
        {"follow": follow, "when": {"service": "Sup*"}},
        rng.choice([{"unused": "central", "team": "data"}, {"unused": "owner"}]),
        {"credits": "earners"},
    ]
    return rng.sample(policies, rng.randint(2, len(policies)))


def random_charges(rng: random.Random) -> list[Row]:
    """Charges of every category, some of them negative, on a few accounts and invoices, each of its own resource."""
    charges = []
    for number in range(rng.randint(4, 16)):
        category = rng.choice(["Usage", "Usage", "Usage", "Tax", "Credit", "Adjustment", "Purchase"])
        given = {
            "ServiceName": rng.choice(["Compute", "Pool", "Support"]), "ChargeCategory": category,
            "InvoiceId": rng.choice([None, "I1", "I2"]), "BillingAccountId": rng.choice(["100", "100", "200"]),
            "SubAccountId": rng.choice([None, "s1"]), "BillingCurrency": rng.choice(["CNY", "CNY", "USD"]),
            "CommitmentDiscountStatus": rng.choice([None, None, "Used", "Unused"]), "BilledCost": amount(rng),
        }  # fmt: skip
        cost = amount(rng, refunds=1 if category == "Credit" else 0.2)
        charges.append(charge(cost, f"{rng.choice(['web', 'data', 'any'])}-{number}", **given))
        if category == "Credit" and rng.random() < 0.5:  # of something that was charged, too
            charges.append(charges[-1] | {"ChargeCategory": "Usage", "EffectiveCost": Decimal("7.7")})
    return charges


def with_charges(world: World, rng: random.Random) -> World:
    """More charges; none of a cluster as a whole, for which `policy_reference` has no words."""
    mine = [row for row in world.charges if row["ResourceId"] != "online"]
    return World([*mine, *random_charges(rng)], world.usage)


def facts_of(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """What the bill says of each resource and category beyond the columns of `allocated`."""
    return {
        (row["ResourceId"] or "", row["ChargeCategory"]): {
            "invoice": row["InvoiceId"] or "",
            "unused": row["CommitmentDiscountStatus"] == "Unused",
            "credit": row["ChargeCategory"] == "Credit"
            or (row["ChargeCategory"] == "Adjustment" and row["EffectiveCost"] < 0),
        }
        for row in world.charges
    }


def reference_of(world: World, attributed: list[Row], policies: list[dict[str, Any]]) -> dict[Any, Decimal]:
    facts, nothing = facts_of(world), {"invoice": "", "unused": False, "credit": False}
    rows = [row | facts.get((row["resource"], row["charge_category"]), nothing) for row in attributed]
    return {
        (currency, *cell): cost
        for currency in ("CNY", "USD")
        for cell, cost in policy_reference.as_decimal(
            policy_reference.settle([row for row in rows if row["currency"] == currency], policies, DRIVERS)
        ).items()
    }


@hypothesis_settings(max_examples=1, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64))
def test_random_policies_in_random_worlds(together: Together, seed: int) -> None:
    """Five worlds, each with policies of its own, and the same at double prices."""
    rng = random.Random(seed)
    worlds = [with_charges(random_world(rng), rng) for _ in range(5)]
    both = [*worlds, *map(doubled, worlds)]
    policies = [random_policies(rng) for _ in worlds]
    put_drivers(len(both))
    dated = [policy for number in range(len(both)) for policy in on_day(number, policies[number % len(worlds)])]
    plain = together(worlds, yamls.written(RULES))
    found = together(both, yamls.written(RULES | {"policies": dated}))
    for number, world in enumerate(worlds):
        rows, twice = found[number], found[number + len(worlds)]
        assert totals(rows) == charged(world.charges)
        for basis in COSTS:  # no division crosses what a bill tells apart
            kept = ("source", "billing_month", "currency", "account", "service", "charge_category", "cluster")
            assert by(rows, *kept, basis=basis) == by(plain[number], *kept, basis=basis)
        cells = by(rows, "currency", *CELL)
        assert is_near(cells, reference_of(world, plain[number], policies[number]), [*rows, *plain[number]])
        assert is_near(by(twice, "currency", *CELL), {key: 2 * cost for key, cost in cells.items()}, [*rows, *twice])


@pytest.mark.usefixtures("home", "db")
def test_order_and_repetition_change_nothing() -> None:
    rng = random.Random(11)
    days = [with_charges(random_world(rng), rng) for _ in range(2)]
    charges = [row for number, world in enumerate(days) for row in moved(world.charges, number)]
    usage = {
        name: [row for number, world in enumerate(days) for row in moved(world.usage.get(name, []), number)]
        for name in ("node_hours", "workload_hours", "volume_hours")
    }
    policies = [policy for number in range(2) for policy in on_day(number, random_policies(rng))]
    rules = yamls.written(RULES | {"policies": policies})
    put_drivers(2)
    told = allocated(charges, rules, days=2, **usage)
    result(days=2)
    assert rows_allocated() == told
    shuffled = allocated(
        rng.sample(charges, len(charges)), rules, days=2, **{k: rng.sample(v, len(v)) for k, v in usage.items()}
    )
    assert [row | {"ruleset": 1} for row in shuffled] == told


@pytest.mark.usefixtures("home", "db")
def test_the_past_before_valid_from_does_not_move() -> None:
    """Every kind of policy begins on the third day; the two days before keep every decimal, row by row."""
    rng = random.Random(5)
    days = [with_charges(random_world(rng), rng) for _ in range(3)]
    charges = [row for number, world in enumerate(days) for row in moved(world.charges, number)]
    usage = {
        name: [row for number, world in enumerate(days) for row in moved(world.usage.get(name, []), number)]
        for name in ("node_hours", "workload_hours", "volume_hours")
    }
    before = allocated(charges, yamls.written(RULES), days=3, **usage)
    policies = [
        {"idle": "share"}, {"share": "even", "when": {"namespace": "kube"}},
        {"share": "even", "when": {"service": "Pool"}}, {"follow": "invoice", "when": {"charge_category": "Tax"}},
        {"unused": "central", "team": "ops"},
        {"credits": "earners"},
    ]  # fmt: skip
    since = [policy | {"name": f"p{at}", "valid_from": str(DAY + 2 * ONE_DAY)} for at, policy in enumerate(policies)]
    after = allocated(charges, yamls.written(RULES | {"policies": since}), days=3, **usage)
    past = DAY + 2 * ONE_DAY
    assert [row | {"ruleset": 1} for row in after if row["day"] < past] == [row for row in before if row["day"] < past]
    assert by(after, "day", "team") != by(before, "day", "team")


@pytest.mark.usefixtures("home", "db")
def test_an_idle_node_grows_idle_cost_only() -> None:
    """Of the team that owns it where nobody claims anything of its pool, else of those that claim."""
    from tests.allocation.worlds import node, pod

    usage = {"node_hours": node(), "workload_hours": pod("web", "1", "4") + pod("data-x", "2", "8")}
    rules = yamls.written(RULES | {"policies": [{"name": "all", "idle": "share"}]})
    one = by(allocated([charge("48", "i-n1")], rules, **usage), "team", "kind")
    more = usage | {"node_hours": [*usage["node_hours"], *node("n2")]}
    two = by(allocated([charge("48", "i-n1"), charge("9", "i-n2")], rules, **more), "team", "kind")
    grown = {key: two[key] - one.get(key, Decimal(0)) for key in two if two[key] != one.get(key)}
    assert grown == {("web", "shared_idle"): Decimal(3), ("unallocated", "shared_idle"): Decimal(6)}
