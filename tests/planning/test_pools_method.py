"""Elastic pools: on weeks whose best base can be worked out by hand."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from apps.planning.methods.pools.planning import plan
from apps.planning.methods.pools.problem import WEEK, CannotPlan, Plan, Pools, Prices
from apps.planning.methods.pools.replay import serve
from apps.planning.methods.pools.scenarios import scenarios
from apps.planning.methods.pools.solving import newsvendor
from apps.planning.methods.pools.verify import verify

HALF_DAYS = np.tile(np.repeat([10.0, 20.0], 12), 7)
"""Ten cores in the first half of each day, twenty in the second."""
NONE = np.zeros(WEEK)


def pools(*, serverless: str = "1.9", spare: np.ndarray = NONE, ramp: float = 1e6, most: float = 1e6) -> Pools:
    """Two weeks alike of a cluster with four nodes of five cores, at 1 per core-hour; lost demand is worth 100."""
    prices = Prices(Decimal(1), Decimal(0), Decimal(serverless), Decimal(100))
    two = np.stack([HALF_DAYS, HALF_DAYS])
    return Pools(two, np.stack([spare, spare]), 5.0, 4, prices, ramp, 1e6, most)


CASES = [
    # serverless, spare, ramp, most, nodes, cost a week, saving a month
    pytest.param("1.9", 0, 1e6, 1e6, 2, "3276", "365", id="ten cores half the time are cheaper bought than kept"),
    pytest.param("2.5", 0, 1e6, 1e6, 4, "3360", "0", id="at two and a half times the price they are cheaper kept"),
    pytest.param("1.9", 0, 5.0, 1e6, 3, "3318", "182.5", id="a ramp of five cores keeps one node more"),
    pytest.param("1.9", 0, 1e6, 5.0, 3, "3318", "182.5", id="so does serverless of five cores"),
    pytest.param("2.5", 10, 1e6, 1e6, 2, "1680", "7300", id="spare cores stand in for two nodes"),
    pytest.param("0.9", 0, 1e6, 1e6, 0, "2268", "4745", id="serverless below the price of the base leaves no base"),
]


@pytest.mark.parametrize(("serverless", "spare", "ramp", "most", "nodes", "cost", "saving"), CASES)
def test_best_base(serverless, spare, ramp, most, nodes, cost, saving):
    given = pools(serverless=serverless, spare=np.full(WEEK, float(spare)), ramp=ramp, most=most)
    found = plan(given, seed=1)
    assert found.nodes == nodes
    assert float(dict(found.curve)[nodes]) == pytest.approx(float(cost), abs=1e-3)
    assert found.saving_per_month == pytest.approx(Decimal(saving), abs=Decimal("0.001"))
    assert [check.name for check in verify(given, found) if not check.holds] == []
    assert found.curve == tuple(sorted(found.curve))
    assert found.flat[0] <= nodes <= found.flat[1]


def test_leaving_work_undone_saves_nothing():
    given = pools(most=0.0)
    found = plan(given, seed=1, nodes=2)  # 840 core-hours a week are missing, worth 100 each; two nodes cost 1,680
    told = {each.name: each for each in found.replayed}
    assert told["plan"].unmet_core_hours == 840
    assert told["current"].cost_per_week - told["plan"].cost_per_week == 1680
    assert found.saving_per_month == 0
    assert [check.name for check in verify(given, found) if not check.holds] == []


@pytest.fixture(scope="module")
def planned() -> tuple[Pools, Plan]:
    given = pools(ramp=5.0)
    return given, plan(given, seed=1)


@pytest.mark.parametrize(
    ("name", "nodes", "cost"),
    [
        pytest.param("current", 4, "3360", id="what stands: four nodes, nothing bought"),
        pytest.param("peak", 4, "3360", id="sized for the peak"),
        pytest.param("p95", 4, "3360", id="sized for the 95th percentile, here the peak"),
        # 0 nodes: the first hour begins anywhere, ten cores all along, and the 7 steps of ten lose five cores an hour.
        pytest.param("serverless", 0, "4721.5", id="all serverless: 2520 core-hours less 7 x 5 that the ramp lost"),
    ],
)
def test_replays(planned, name, nodes, cost):
    _, found = planned
    told = {each.name: each for each in found.replayed}[name]
    assert (told.nodes, told.cost_per_week) == (nodes, Decimal(cost))
    assert told.unmet_core_hours == (35 if name == "serverless" else 0)


def test_the_last_week_is_judged_unseen(planned):
    _, found = planned
    assert found.walked is not None
    assert (found.walked.nodes, found.walked.cost_per_week) == (3, Decimal(3318))
    assert found.binds == ("ramp",)


def test_the_newsvendor_base_is_the_quantile_of_price_ratio():
    week = np.arange(1.0, WEEK + 1)[None]
    prices = Prices(Decimal(1), Decimal(0), Decimal(4), Decimal(100))
    given = replace(pools(), prices=prices)
    assert newsvendor(given, week, np.zeros((1, WEEK))) == 126  # three quarters of 168 hours need no more
    cheap = replace(given, prices=replace(prices, serverless=Decimal("0.5")))
    assert newsvendor(cheap, week, np.zeros((1, WEEK))) == 0


TAMPERED = [
    pytest.param("demand", lambda found: replace(found, nodes=2), id="a node too few leaves demand open"),
    pytest.param(
        "limits",
        lambda found: replace(found, hours=replace(found.hours, used=found.hours.used + 1)),
        id="more is used than bought",
    ),
    pytest.param(
        "ramps",
        lambda found: replace(found, hours=replace(found.hours, bought=found.hours.bought * 2)),
        id="bought faster than the ramp",
    ),
    pytest.param(
        "cost",
        lambda found: replace(found, curve=tuple((n, cost - 5) for n, cost in found.curve)),
        id="a cost told too low",
    ),
    pytest.param(
        "replay",
        lambda found: replace(found, replayed=(replace(found.replayed[0], cost_per_week=Decimal(1)),)),
        id="a replay told too cheap",
    ),
    pytest.param("saving", lambda found: replace(found, saving_per_month=Decimal(999)), id="a saving told too high"),
]


@pytest.mark.parametrize(("name", "tamper"), TAMPERED)
def test_the_verifier_catches(planned, name, tamper):
    given, found = planned
    if name == "demand":
        found = replace(found, curve=((2, Decimal(1)), *found.curve))
    assert name in {check.name for check in verify(given, tamper(found)) if not check.holds}


def test_a_ramp_is_walked_without_knowing_the_next_hour():
    given = pools(ramp=4.0)
    hours = serve(given, given.demand[:1], given.spare[:1], 10.0)
    assert hours.bought[0, 11:16].tolist() == [0, 4, 8, 10, 10]
    assert hours.unmet[0, 11:16].tolist() == [0, 6, 2, 0, 0]


def test_scenarios_are_past_weeks_and_their_days():
    rng = np.random.default_rng(3)
    demand, spare = rng.uniform(5, 9, (3, WEEK)), rng.uniform(0, 2, (3, WEEK))
    told, beside = scenarios(demand, spare, count=8, seed=7)
    assert (told[:3] == demand).all()
    assert told.shape == beside.shape == (8, WEEK)
    assert (told == scenarios(demand, spare, count=8, seed=7)[0]).all()
    assert (told[3:] != scenarios(demand, spare, count=8, seed=8)[0][3:]).any()
    for day in beside[3:].reshape(-1, 7, 24):  # every block of spare cores was seen, on its weekday
        for number, block in enumerate(day):
            assert any((block == week.reshape(7, 24)[number]).all() for week in spare)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"demand": HALF_DAYS[None], "spare": NONE[None]}, "at least 2", id="one week only"),
        pytest.param({"demand": np.full((2, WEEK), np.nan)}, "must be known", id="unknown hours"),
        pytest.param({"demand": np.zeros((2, WEEK))}, "Nothing was asked for", id="no demand at all"),
        pytest.param({"spare": np.zeros((2, 24))}, "whole weeks", id="not weeks"),
        pytest.param({"cores_per_node": 0.0}, "must have cores", id="nodes without cores"),
        pytest.param(
            {"prices": Prices(Decimal(0), Decimal(0), Decimal(1), Decimal(1))}, "Prices must be known", id="no price"
        ),
    ],
)
def test_thin_input_withholds_the_plan(change, said):
    with pytest.raises(CannotPlan, match=said):
        replace(pools(), **change)
