"""The simulated company's costs are what a plain reading of the rules makes of its bill and its usage."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from apps.demo.archetypes import PLATFORM
from tests.demo.conftest import Simulate
from tests.demo.readings import Company
from tests.reference import attribute

ZERO = Decimal(0)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"days": 3, "scale": 0.02}, id="three days at the end of October"),
        pytest.param({"days": 3, "start": "2026-10-30", "scale": 0.02, "seed": 5}, id="across the end of a month"),
        pytest.param(
            {"days": 3, "start": "2026-10-30", "scale": 0.02, "zone": "Asia/Shanghai"}, id="days of Shanghai, bills too"
        ),
        pytest.param(
            {"days": 2, "start": "2026-10-31", "scale": 0.02, "zone": "America/New_York", "seed": 3},
            id="a day of twenty-five hours",
        ),
    ],
)
def test_the_plain_reference_reaches_the_truth_to_the_last_decimal(options: dict, simulate: Simulate) -> None:
    company = simulate(metrics_days=0, **options)
    answer = attribute(company.charges, company.usage, company.teams, zone=company.zone.key)
    assert answer == company.truth


def test_a_week_of_corrections_refunds_and_releases_reach_the_truth(autumn: Company) -> None:
    assert attribute(autumn.charges, autumn.usage, autumn.teams) == autumn.truth


@pytest.mark.parametrize("name", ["tiny", "autumn"])
def test_every_day_adds_up_to_the_bill(name: str, request: pytest.FixtureRequest) -> None:
    company: Company = request.getfixturevalue(name)
    total: dict[date, Decimal] = defaultdict(Decimal)
    for (day, _team, _namespace, _kind), cost in company.truth.items():
        total[day] += cost
    assert dict(total) == company.charged_by_day()


def test_truth_has_every_kind_and_no_zero(autumn: Company) -> None:
    assert {kind for *_, kind in autumn.truth} == {"direct", "shared", "idle", "unallocated"}
    assert all(autumn.truth.values())
    assert {namespace for *_, namespace, kind in autumn.truth if kind == "idle"} == {""}


def test_the_platform_costs_a_fixed_fraction_of_what_runs_on_its_cluster(tiny: Company) -> None:
    """Every team carries the same thousandths of its own node and serverless cost."""
    volumes = {row["namespace"] for row in tiny.usage["volume_hours"]}
    clusters = {row["namespace"]: row["cluster"] for row in tiny.usage["workload_hours"]}
    teams = {team for _, team, namespace, _ in tiny.truth if namespace in volumes}
    base: dict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
    for (day, team, namespace, kind), cost in tiny.truth.items():
        if namespace and kind != "shared":
            base[day, team, clusters[namespace]] += cost
    checked = 0
    for (day, team, namespace, kind), cost in tiny.truth.items():
        if kind == "shared" and team not in teams:
            expected = sum(
                base[day, team, cluster] * agents.get(namespace, 0) / 1000 for cluster, agents in PLATFORM.items()
            )
            assert cost == expected
            checked += 1
    assert checked > 20


def test_every_claim_fits_its_node(autumn: Company) -> None:
    claimed: dict[tuple, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    pairs = (
        ("cpu_used_core_hours", "cpu_request_core_hours"),
        ("memory_used_gib_hours", "memory_request_gib_hours"),
        ("gpu_used_hours", "gpu_request_hours"),
    )
    for row in autumn.usage["workload_hours"]:
        if not row["resource_id"]:
            sums = claimed[row["hour"], row["cluster"], row["node"]]
            for i, (used, request) in enumerate(pairs):
                sums[i] += max(row[used], row[request])
    nodes = {(row["hour"], row["cluster"], row["node"]): row for row in autumn.usage["node_hours"]}
    assert claimed.keys() <= nodes.keys()
    capacities = ("cpu_capacity_core_hours", "memory_capacity_gib_hours", "gpu_capacity_hours")
    over = [k for k, sums in claimed.items() if any(s > nodes[k][c] for s, c in zip(sums, capacities, strict=True))]
    assert over == []


def test_reservations_cost_what_was_paid_for_them(autumn: Company) -> None:
    """Used and unused hours of a commitment add up to its purchases."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    used: dict[str, Decimal] = defaultdict(Decimal)
    for charge in autumn.charges:
        if charge["CommitmentDiscountId"]:
            paid[charge["CommitmentDiscountId"]] += Decimal(charge["BilledCost"])
            used[charge["CommitmentDiscountId"]] += Decimal(charge["EffectiveCost"])
    assert len(paid) == 4
    assert paid == used
