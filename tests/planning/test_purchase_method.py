"""The purchase planner: ladders, hindsight, what is committed, the mix of an hour, tiers of memory, re-checks."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from apps.planning.methods.purchase import existing, hindsight, ladder, memory, mix, outcomes, verify
from apps.planning.methods.purchase.terms import Holding, Ladder, Offer, Purchase, Stance

D = Decimal
YEAR = Offer("1 year", "reserved", 12, D("0.65"))
MONTH = Offer("1 month", "reserved", 1, D("0.80"))
FLAT = np.full(90 * 24, 10.0)
EVENING = np.tile(np.r_[np.full(18, 2.0), np.full(6, 10.0)], 90)


@pytest.mark.parametrize(
    ("demand", "holdings", "offers", "bought"),
    [
        pytest.param(FLAT, [], [YEAR], "below", id="a flat ten is bought by a share a month, never whole"),
        pytest.param(FLAT, [Holding(D(10), 12)], [YEAR], "nothing", id="what is held is not bought again"),
        pytest.param(EVENING, [Holding(D(2), 12)], [YEAR], "nothing", id="six hours of a day do not pay for a day"),
        pytest.param(FLAT, [], [replace(YEAR, ratio=D("1.01"))], "nothing", id="dearer than on demand is never bought"),
    ],
)
def test_what_is_bought_now(demand, holdings, offers, bought):
    plan = ladder.plan(demand, holdings, offers)
    now = sum(one.amount for one in plan.now)
    assert not plan.withheld
    assert (0 < now <= 4) if bought == "below" else now == 0
    if bought == "nothing":
        assert plan.binds in (("held",), ("break_even",))


@pytest.mark.parametrize(
    ("demand", "offers", "words"),
    [
        pytest.param(FLAT[: 27 * 24], [YEAR], "27 days", id="under four weeks"),
        pytest.param(FLAT, [], "No commitment", id="nothing on sale"),
        pytest.param(np.r_[FLAT, -1.0], [YEAR], "negative", id="a correction below zero"),
        pytest.param(FLAT * 0, [YEAR], "Nothing was used", id="nothing to cover"),
    ],
)
def test_thin_or_bad_input_withholds_the_plan(demand, offers, words):
    plan = ladder.plan(demand, [], offers)
    assert words in plan.withheld
    assert plan.purchases == ()


def test_a_ladder_nears_what_pays_and_tells_what_it_saves():
    plan = ladder.plan(FLAT, [], [YEAR], fall=D("0.5"))
    by_month = {one.month: one.amount for one in plan.purchases}
    assert by_month[0] > by_month[1] > by_month[2]
    assert D(7) < sum(by_month.values()) <= 10
    outcome = plan.outcome
    assert outcome.low <= outcome.expected <= outcome.high
    assert outcome.high == (by_month[0] * D("0.35") * 720).quantize(D("0.01"))  # used in every hour
    assert outcome.fallen == outcome.high  # four of the five that stay are still used
    assert ladder.plan(FLAT, [], [YEAR], fall=D("0.9")).outcome.fallen < 0


def test_who_fears_more_buys_less():
    amounts = [
        sum(one.amount for one in ladder.plan(EVENING + 1, [], [YEAR], stance=stance).purchases)
        for stance in (Stance(hazard=0.0), Stance(hazard=0.06), Stance(hazard=0.15), Stance(drift=-0.1))
    ]
    assert amounts[0] >= amounts[1] > amounts[2]
    assert amounts[3] < amounts[0]


def test_a_shorter_term_is_taken_where_it_saves_more():
    falling = np.repeat(np.exp(-0.12 * np.arange(6)) * 10, 720)
    told = ladder.amounts(falling, np.zeros(12), [YEAR, MONTH], Stance())
    assert told[1] > told[0]


@pytest.mark.parametrize(
    ("levels", "term", "cost"),
    [
        pytest.param([10] * 4, 4, 10 * 4 * 0.65, id="flat: all of it"),
        pytest.param([10, 1, 1, 1], 4, 1 * 4 * 0.65 + 9, id="only what stays"),
        pytest.param([10, 10, 10, 1], 4, 10 * 4 * 0.65, id="used three of four months is enough"),
        pytest.param([10, 10, 1, 1], 2, 10 * 2 * 0.65 + 1 * 2 * 0.65, id="a shorter term follows the fall"),
    ],
)
def test_hindsight_is_the_optimum(levels, term, cost):
    demand = np.repeat(np.array(levels, float)[:, None], 8, axis=1)
    found = hindsight.best(demand, [replace(YEAR, term_months=term)])
    assert found.cost == pytest.approx(cost * 8)
    assert found.bound == pytest.approx(cost * 8)


HOURS = [D("1.1"), D("2.2"), D("3.3"), D("0.4")]


def test_what_would_have_been_saved_is_added_up_to_the_last_decimal():
    bought = [Purchase(0, YEAR, D("1.5"))]
    # above the 1 that is held: 0.1 + 1.2 + 1.5 + 0 = 2.8 used; 1.5 × 0.65 × 4 = 3.9 paid
    assert outcomes.known_saving(HOURS, D(1), bought, D(1)) == D("-1.1")
    assert outcomes.known_saving(HOURS, D(1), bought, D("1.5")) == D("0.3")


COSTS = [
    existing.CommittedCost("ri-1", "Used", "CNY", D("100.10"), D("60.000000000001")),
    existing.CommittedCost("ri-1", "Unused", "CNY", D(0), D("20")),
    existing.CommittedCost("sp-1", "Used", "CNY", D("50"), D("32")),
    existing.CommittedCost("", "", "CNY", D("49.90"), D("45")),
    existing.CommittedCost("", "", "USD", D("7"), D("7")),
]


def test_what_is_committed_adds_up_per_currency():
    yuan, dollars = existing.summarise(COSTS)
    assert (yuan.eligible, yuan.covered, yuan.used, yuan.unused) == (D(200), D("150.10"), D("92.000000000001"), D(20))
    assert yuan.coverage == D("0.7505")  # 150.10 ÷ 200
    assert yuan.utilisation == D("0.8214")  # 92 ÷ 112
    assert yuan.savings_rate == D("0.2150")  # (200 − 92 − 20 − 45) ÷ 200
    assert (yuan.waste, yuan.uncovered) == (D(20), D(45))
    reserved, plan = yuan.commitments
    assert (reserved.utilisation, reserved.saved) == (D("0.7500"), D("20.099999999999"))
    assert (plan.utilisation, plan.savings_rate, plan.break_even) == (D(1), D("0.3600"), D("0.6400"))
    assert (dollars.coverage, dollars.utilisation, dollars.savings_rate) == (D(0), None, D(0))


SPOT = mix.Spot(D("0.25"), interruption_rate=D("0.05"), lost_hours=D("0.4"), availability=D("0.9"))
MARKET = mix.Market(SPOT, mix.Serverless(D("1.2")), packing=D("0.75"))


def test_the_mix_of_an_hour():
    assert MARKET.flexible == D("0.9")  # 1.2 × 0.75: no idle cores
    assert MARKET.interruptible == D("0.3195")  # 0.9 × 0.25 × 1.02 + 0.1 × 0.9
    assert mix.break_even(D("0.65")) == D("0.65")
    ways = mix.divide([D(10), D(4)], D(3), D("1.95"), share=D("0.5"), market=MARKET, cheapest_commitment=D("0.65"))
    assert {one.way: (one.on_demand, one.cost) for one in ways} == {
        "commitment": (D(5), D("3.90")),
        "spot": (D(7), D("2.2365")),
        "serverless": (D(2), D("1.8")),
    }
    assert all(check.holds for check in verify.check_division([D(10), D(4)], ways, D("1.95")))
    broken = [replace(ways[0], on_demand=D(6)), *ways[1:]]
    assert [check.name for check in verify.check_division([D(10), D(4)], broken, D("1.95")) if not check.holds] == [
        "every hour is bought once"
    ]


def test_without_spot_or_serverless_all_is_on_demand():
    ways = mix.divide([D(10)], D(3), D("1.95"), share=D("0.5"), market=mix.Market())
    assert [(one.way, one.on_demand) for one in ways] == [("commitment", D(3)), ("on_demand", D(7))]


def test_another_generation_is_taken_where_its_work_is_cheaper():
    newer = mix.Generation("g8i", D("1.05"), D("1.25"))
    dearer = mix.Generation("hfc", D("1.30"), D("1.20"))
    move = mix.best_move(D(100), [dearer, newer])
    assert (move.generation, move.cost, move.saving) == (newer, D(84), D(16))
    assert mix.best_move(D(100), [dearer]) is None
    assert mix.best_move(D(0), [newer]) is None


DRAM = memory.Tier("DRAM", D(20), D(1000), D("0.1"))
PERSISTENT = memory.Tier("persistent", D(8), D(100), D(1))
DISK = memory.Tier("disk", D(1), D(2), D(500))
CACHES = [
    memory.Instance("hot", D(10), D(5000), D(10), "DRAM"),
    memory.Instance("warm", D(10), D(500), D(10), "DRAM"),
    memory.Instance("big", D(20), D(500), D(10), "DRAM"),
    memory.Instance("archive", D(10), D(20), D(1000), "DRAM"),
    memory.Instance("hopeless", D(1), D(5000), D(10)),
]


@pytest.mark.parametrize(
    ("capacity", "tiers", "cost"),
    [
        pytest.param(None, ["DRAM", "persistent", "persistent", "disk"], 200 + 80 + 160 + 10, id="any amount of each"),
        pytest.param(D(20), ["DRAM", "DRAM", "persistent", "disk"], 200 + 200 + 160 + 10, id="20 GiB: the bigger one"),
        pytest.param(D(0), ["DRAM", "DRAM", "DRAM", "disk"], 200 + 200 + 400 + 10, id="none of it"),
    ],
)
def test_memory_belongs_to_the_cheapest_tier_that_bears_it(capacity, tiers, cost):
    sold = [DRAM, replace(PERSISTENT, capacity_gib=capacity), DISK]
    found = memory.assign(CACHES, sold)
    assert [one.tier.name for one in found.places] == tiers
    assert sum(one.cost for one in found.places) == cost
    assert found.bound == pytest.approx(cost)
    assert found.is_optimal
    assert found.unplaced == (("hopeless", "throughput"),)
    assert found.places[0].saving == 0
    assert all(check.holds for check in verify.check_tiering(CACHES, sold, found))


def test_a_wrong_tier_is_found():
    found = memory.assign(CACHES, [DRAM, PERSISTENT, DISK])
    wrong = replace(found, places=(replace(found.places[0], tier=DISK), *found.places[1:]))
    checks = verify.check_tiering(CACHES, [DRAM, PERSISTENT, DISK], wrong)
    assert [one.name for one in checks if not one.holds] == ["latency", "throughput", "re-added cost"]


def checked(plan: Ladder, known: D, demand=FLAT) -> list[str]:
    hours = [D(str(one)) for one in demand]
    checks = verify.check_ladder(hours, [], [YEAR], plan, step=D("0.01"), known=known, pace=D("0.4"))
    return [one.name for one in checks if not one.holds]


def test_the_ladder_is_re_checked():
    plan = ladder.plan(FLAT, [], [YEAR])
    known = outcomes.known_saving([D(10)] * 720, D(0), plan.now, D(1))
    assert checked(plan, known) == []
    assert checked(plan, known + D("0.000000000001")) == ["re-added saving"]
    greedy = replace(plan, purchases=(Purchase(0, YEAR, D("10.005")),))
    saving = outcomes.known_saving([D(10)] * 720, D(0), greedy.now, D(1))
    assert checked(greedy, saving) == [
        "whole steps", "below the highest hour", "pays at its margin", "no more than its share",
    ]  # fmt: skip
    other = replace(plan, purchases=(Purchase(0, MONTH, D(1)),))
    assert checked(other, outcomes.known_saving([D(10)] * 720, D(0), other.now, D(1))) == ["on sale"]
