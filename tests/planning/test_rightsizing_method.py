"""Right-sizing: rules by hand, requests that hold on made-up fleets, nodes that leave, and a verifier that counts."""

import numpy as np
import pytest

from apps.planning.methods.leaving import Claims, Leaving, Stock, leaving, needed
from apps.planning.methods.rightsizing import rules
from apps.planning.methods.rightsizing.choosing import Settings, held_against, replay
from apps.planning.methods.rightsizing.memory import plan_memory
from apps.planning.methods.rightsizing.usage import Usage, in_days
from apps.planning.methods.rightsizing.verify import verify_nodes, verify_replay


def days(*peaks: float, samples: int = 24) -> Usage:
    """One workload: each day one hour at its peak, the others at a tenth of it."""
    rows = [[peak] + [peak / 10] * (samples - 1) for peak in peaks]
    return Usage(np.array(rows, dtype=float)[:, :, None])


def fleet(seed: int, workloads: int = 30, length: int = 42) -> Usage:
    """Workloads with a daily and weekly pattern, each of its own size and luck."""
    drawn = np.random.default_rng(seed)
    hour, day = np.arange(24)[None, :, None], np.arange(length)[:, None, None]
    size = drawn.lognormal(0, 1, (1, 1, workloads))
    shape = 0.4 + 0.6 * np.exp(-((hour - 20) ** 2) / 8) * np.where(day % 7 < 5, 1, 0.6)
    return Usage((size * shape * drawn.lognormal(0, 0.1, (length, 24, workloads))).astype(np.float32))


@pytest.mark.parametrize(
    ("rule", "peaks", "request_wanted"),
    [
        pytest.param("Autopilot window", [1, 2, 3], 3 * 1.15, id="the highest of seven days and 15 %"),
        pytest.param("Autopilot window", [9] + [1] * 7, 1.15, id="what is eight days ago is forgotten"),
        pytest.param("KRR simple", [1] * 14, 0.1, id="the 95th percentile leaves the one hour out"),
        pytest.param("KRR simple", [0.001] * 14, 0.01, id="at least ten millicores"),
    ],
)
def test_rules_of_others(rule: str, peaks: list[float], request_wanted: float) -> None:
    assert rules.OTHERS[rule](days(*peaks))[-1][0] == pytest.approx(request_wanted)


def test_memories_are_what_they_are_called() -> None:
    told = rules.remembered(days(8, 4, 2, 2, 2, 2, 2, 6).upper(0), half_life=1)
    assert told["3 days"][8, 0] == 6
    assert told["7 days"][7, 0] == 8
    assert told["half-life"][3, 0] == pytest.approx(2)
    assert np.isnan(told["7 days"][0, 0])


def test_an_unfinished_day_is_filled_with_unknown() -> None:
    usage = in_days(np.ones((30, 2)), 24)
    assert (usage.days, usage.count, usage.known.tolist()) == (2, 2, [[24, 24], [6, 6]])


@pytest.mark.parametrize("seed", [3, 4])
def test_requests_are_smaller_than_a_peak_and_a_margin_and_hold(seed: int) -> None:
    usage = fleet(seed)
    found = replay(usage)
    peak = rules.autopilot(usage)[21:]
    above, bad = held_against(usage, found.request)
    assert np.nansum(found.request[21:]) < np.nansum(peak)
    assert np.nanmean(above[21:]) <= 0.02
    assert np.nanmean(bad[21:]) <= 0.1


def test_less_risk_costs_more() -> None:
    usage = fleet(5)
    careful, bold = (replay(usage, Settings(risk=risk)).request[-1].sum() for risk in (0.001, 0.05))
    assert careful > bold


def test_a_request_is_decided_before_its_day() -> None:
    usage, other = fleet(6), fleet(6)
    other.samples[30:] *= 9
    both = [replay(each).request[:31] for each in (usage, other)]
    np.testing.assert_array_equal(*both)
    memory = [plan_memory(each, 0.01).request[:31] for each in (usage, other)]
    np.testing.assert_array_equal(*memory)


def test_memory_stands_above_what_was_seen_and_keeps_its_risk() -> None:
    usage = fleet(7, length=60)
    plan = plan_memory(usage, 0.02)
    peaks = usage.upper(0)
    assert (plan.request[-1] >= rules.windowed(peaks, 7)[-1]).all()
    killed = (peaks[30:] > plan.request[30:-1]).mean()
    assert killed <= 0.04
    assert np.nanmax(plan.chance[30:]) <= 0.021
    rarely = plan_memory(usage, 0.001).request[-1]
    assert (rarely >= plan.request[-1]).all()


STOCK = Stock(cores=10, gib=20, fill=1.0, stand=2, there=np.array([2.0, 5.0, 3.0]))


@pytest.mark.parametrize(
    ("cores", "after", "found"),
    [
        pytest.param([20, 50, 30], [20, 35, 30], Leaving(1, 0), id="one node leaves for an hour"),
        pytest.param([20, 50, 30], [10, 40, 20], Leaving(2, 0), id="a standing node is needed in another hour"),
        pytest.param([20, 50, 30], [5, 10, 10], Leaving(4, 1), id="one that no hour needs leaves for good"),
        pytest.param([20, 50, 30], [19, 41, 21], Leaving(0, 0), id="a freed core is no freed node"),
        pytest.param([90, 90, 90], [85, 45, 85], Leaving(0, 0), id="what never was there cannot leave"),
        pytest.param([20, 50, 30], [40, 60, 40], Leaving(0, 0), id="who claims more frees nothing"),
    ],
)
def test_nodes_leave_when_nothing_needs_them(cores: list[float], after: list[float], found: Leaving) -> None:
    before, later = (Claims(np.array(one, dtype=float), np.zeros(3)) for one in (cores, after))
    assert leaving(before, later, STOCK) == found
    told = verify_nodes(
        needed(before, STOCK).tolist(), needed(later, STOCK).tolist(), STOCK.there.tolist(),
        stand=2, elastic_hours=found.elastic_hours, standing=found.standing,
    )  # fmt: skip
    assert told.holds, told.told


def test_memory_holds_a_node_as_well_as_cores() -> None:
    claims = Claims(np.array([1.0]), np.array([41.0]))
    assert needed(claims, STOCK).tolist() == [3]


def test_the_verifier_counts_by_itself_and_sees_what_is_wrong() -> None:
    usage = fleet(8, workloads=4, length=21)
    found = replay(usage)
    told = float(np.nanmean(found.above)), float(np.nanmean(found.bad))
    samples, requests = usage.samples.tolist(), found.request[:-1].tolist()
    assert all(check.holds for check in verify_replay(samples, requests, *told))
    halved = (found.request[:-1] / 2).tolist()
    assert not any(check.holds for check in verify_replay(samples, halved, *told))
    assert not verify_nodes([2], [1], [2], stand=2, elastic_hours=0.0, standing=0).holds
