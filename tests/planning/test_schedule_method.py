"""Replicas by the clock: needs, steps, cron, and the verifier that trusts none of them."""

from itertools import pairwise, product
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.planning.methods.schedule import cron, demand, pattern, steps
from apps.planning.methods.schedule.pattern import TooLittleHistory
from apps.planning.methods.schedule.plan import Horizon, needs_of, schedule
from apps.planning.methods.schedule.problem import (
    Lesson,
    Limits,
    Span,
    attending,
    by_hour,
    covered,
    in_class,
    joined,
    standing_out,
)
from apps.planning.methods.schedule.verify import jobs_give, jobs_set, triggers_set, verify

SHANGHAI = ZoneInfo("Asia/Shanghai")


def spans(*heights: int, minutes: int = 10) -> list[Span]:
    return [Span(place * minutes, (place + 1) * minutes, height) for place, height in enumerate(heights)]


@pytest.mark.parametrize(
    ("needs", "limits", "expected"),
    [
        pytest.param(
            (2, 5, 2), Limits(), [(0, 2), (10, 5), (20, 2)], id="changes cost nothing: every need is followed"
        ),
        pytest.param((2, 5, 2), Limits(change_minutes=31), [(0, 5)], id="a change costs more than what two would save"),
        pytest.param((2, 5, 2), Limits(change_minutes=29), [(0, 2), (10, 5), (20, 2)], id="and less: followed"),
        pytest.param(
            (2, 5, 4, 2), Limits(change_minutes=15), [(0, 2), (10, 5), (30, 2)], id="a short rest is slept over"
        ),
        pytest.param((0, 0), Limits(least=3), [(0, 3)], id="never fewer than the least"),
        pytest.param((2, 9), Limits(most=4), [(0, 2), (10, 4)], id="never more than the most"),
        pytest.param((), Limits(), [], id="nothing needed, nothing scheduled"),
    ],
)
def test_cheapest(needs, limits, expected):
    found = steps.cheapest(spans(*needs), limits)
    assert [(step.start, step.replicas) for step in found] == expected


@settings(max_examples=60, deadline=None)
@given(
    needs=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    change=st.integers(0, 40),
    cycles=st.booleans(),
)
def test_cheapest_is_as_cheap_as_the_best_of_all_schedules(needs, change, cycles):
    limits = Limits(change_minutes=change)
    best = min(
        10 * sum(heights) + change * sum(a != b for a, b in pairwise([*heights, heights[0]] if cycles else heights))
        for heights in product(range(1, 5), repeat=len(needs))
        if all(height >= need for height, need in zip(heights, needs, strict=True))
    )
    found = steps.cheapest(spans(*needs), limits, cycles=cycles)
    assert steps.cost(found, limits, cycles=cycles) == best
    heights = [step.replicas for step in found for _ in range(step.minutes // 10)]
    assert all(height >= need for height, need in zip(heights, needs, strict=True))


def test_classes_that_overlap_add_up():
    lessons = [Lesson("maths", 60, 120, 30), Lesson("english", 90, 150, 20)]
    assert attending(lessons) == [Span(60, 90, 30), Span(90, 120, 50), Span(120, 150, 20)]
    assert attending(lessons, early=10)[0] == Span(50, 80, 30)
    assert list(by_hour(lessons, 0, 4)) == [0, 50, 20, 0]


def school(weeks: int = 4) -> tuple[np.ndarray, ...]:
    """Hours of a workload that needs one core and one more for every 100 students of a class at 18 h of the first five
    days of each week, 1,000 to 1,400 students."""
    hours = np.arange(weeks * 7 * 24)
    clock, day = hours % 24, hours // 24
    students = np.where((clock == 18) & (day % 7 < 5), 1000.0 + 100 * (day % 5), 0.0)
    return students, clock, day, 1 + students / 100


def test_demand_finds_cores_per_student_and_scales_beyond_what_it_saw():
    students, clock, day, cores = school()
    learned = demand.learn(students, clock, day, cores, 0.9)
    assert learned.pinball[learned.model] < 0.01 < learned.without_students
    at = np.array([18])
    assert learned.cores(np.array([1200.0]), at)[0] == pytest.approx(13, abs=0.5)
    assert learned.cores(np.array([2800.0]), at)[0] == pytest.approx(30, abs=1)  # twice the largest needs twice as much
    assert learned.cores(np.array([1400.0]), at)[0] >= learned.cores(np.array([1000.0]), at)[0]


def test_demand_of_too_few_classes_is_not_learned():
    students, clock, day, cores = school(weeks=1)
    with pytest.raises(TooLittleHistory, match="5 hours with students on 7 days"):
        demand.learn(students, clock, day, cores, 0.9)


def test_pattern_follows_the_kind_of_day_and_holds_its_share():
    drawn = np.random.default_rng(7)
    kinds = np.array([0, 0, 0, 0, 0, 1, 1] * 4)
    shape = np.array([[2.0, 4.0, 10.0], [1.0, 9.0, 3.0]])
    days = shape[kinds] * drawn.uniform(0.9, 1.1, (28, 3))
    found = pattern.learn(days, kinds, 0.9)
    assert ((found.needs >= shape) & (found.needs <= 1.25 * shape)).all()
    halved = pattern.learn(np.concatenate([days, days / 2]), np.concatenate([kinds, kinds]), 0.9)
    assert halved.pinball < halved.naive_pinball  # what was highest once is not what is needed now
    with pytest.raises(TooLittleHistory, match="2 days are known"):
        pattern.learn(days[:2], kinds[:2], 0.9)


def test_a_schedule_covers_every_class_and_the_verifier_finds_one_that_is_not():
    learned = demand.learn(*school(), 0.9)
    first = 28 * 24
    horizon = Horizon(first, np.arange(7 * 24) % 24, np.full(7 * 24, 1.0))
    lessons = [
        Lesson("maths", (first + 18) * 60, (first + 19) * 60, 1000),
        Lesson("art", (first + 42) * 60, (first + 43) * 60, 500),
    ]
    limits = Limits(least=1, change_minutes=30)
    planned = schedule(horizon, lessons, learned, per_replica=1.0, early=10, limits=limits)
    rises = [step for step in planned.steps if step.replicas > 1]
    assert [step.start for step in rises] == [(first + 18) * 60 - 10, (first + 42) * 60 - 10]
    assert rises[0].replicas >= 11

    def judged(told: list[tuple[int, int, int]], cost: int):
        return verify(
            [(one.start, one.end, one.students) for one in lessons], told, needs_of(horizon, learned, 1.0),
            early=10, least=1, most=None, told_cost=cost, change_minutes=30,
        )  # fmt: skip

    told = [(step.start, step.end, step.replicas) for step in planned.steps]
    assert judged(told, planned.cost).holds
    late = [
        (start + 5 * (height > 1), end + 5 * (height == 1) * (place == 0), height)
        for place, (start, end, height) in enumerate(told)
    ]
    wrong = judged(late, planned.cost)
    assert not wrong.holds
    assert next((one.place, one.first_minute) for one in wrong.uncovered) == (0, (first + 18) * 60 - 10)
    assert {check.name for check in judged(told, planned.cost + 1).checks if not check.holds} == {"the cost adds up"}
    assert not judged(told[1:], planned.cost).holds


MONDAY = 29_690_880  # minutes since 1970 at Monday 2026-06-15 00:00 in Shanghai


@pytest.mark.parametrize(
    ("steps_of", "expected"),
    [
        pytest.param(
            [(0, 1110, 2), (1110, 1260, 9), (1260, 10080, 2)],
            [("0 0 * * 1", 2), ("30 18 * * 1", 9), ("0 21 * * 1", 2)],
            id="a whole week repeats",
        ),
        pytest.param(
            [(0, 1110, 2), (1110, 1440, 9)],
            [("0 0 15 6 *", 2), ("30 18 15 6 *", 9)],
            id="a day alone is of its date",
        ),
        pytest.param(
            [(0, 1110, 2), (1110, 11190, 9), (11190, 20160, 3)],
            [("0 0 15 6 *", 2), ("30 18 15 6 *", 9), ("0 0 22 6 *", 9), ("30 18 22 6 *", 3)],
            id="what comes in one of two weeks is of its date",
        ),
        pytest.param(
            [
                (0, 1110, 2),
                (1110, 1260, 9),
                (1260, 2640, 2),
                (2640, 2700, 5),
                (2700, 11190, 2),
                (11190, 11340, 9),
                (11340, 20160, 2),
            ],
            [("0 0 * * 1", 2), ("30 18 * * 1", 9), ("0 21 * * 1", 2), ("0 20 16 6 *", 5), ("0 21 16 6 *", 2)],
            id="a class that comes once is of its date, beside those of every week",
        ),
    ],
)
def test_jobs(steps_of, expected):
    listed = [Span(MONDAY + start, MONDAY + end, height) for start, end, height in steps_of]
    assert [(job.at.cron, job.replicas) for job in cron.jobs(listed, SHANGHAI)] == expected


@pytest.mark.parametrize(
    ("steps_of", "expected"),
    [
        pytest.param([(0, 20160, 2)], [], id="nothing changes: nothing is triggered"),
        pytest.param(
            [(0, 1110, 2), (1110, 1260, 9), (1260, 2640, 2), (2640, 2700, 5), (2700, 11190, 2), (11190, 11340, 9),
             (11340, 20160, 2)],
            [("30 18 * * 1", "0 21 * * 1", 9, False), ("0 20 16 6 *", "0 21 16 6 *", 5, True)],
            id="every week, and once on its date",
        ),
        pytest.param(
            [(0, 600, 4), (600, 9960, 2), (9960, 10680, 4), (10680, 20040, 2), (20040, 20160, 4)],
            [("0 22 * * 0", "0 0 * * 1", 4, False), ("0 0 * * 1", "0 10 * * 1", 4, False)],
            id="over the end of a week",
        ),
    ],
)  # fmt: skip
def test_triggers(steps_of, expected):
    listed = [Span(MONDAY + start, MONDAY + end, height) for start, end, height in steps_of]
    found = cron.triggers(listed, SHANGHAI)
    assert sorted((one.start.cron, one.end.cron, one.replicas, one.start.once) for one in found) == sorted(expected)


@settings(max_examples=25, deadline=None)
@given(
    heights=st.lists(st.integers(1, 4), min_size=14, max_size=14),
    once=st.integers(0, 13),
    zone=st.sampled_from(["Asia/Shanghai", "UTC", "America/Sao_Paulo"]),
)
def test_files_of_two_weeks_give_the_steps_minute_by_minute(heights, once, zone):
    """Twelve hours a step, the same in both weeks but for one of them."""
    weeks = [*heights, *heights]
    weeks[once] = 9
    steps_of = joined([Span(MONDAY + 720 * at, MONDAY + 720 * (at + 1), height) for at, height in enumerate(weeks)])
    told = [(step.start, step.end, step.replicas) for step in steps_of]
    clock, first, last = ZoneInfo(zone), MONDAY, MONDAY + 20160
    jobs = [(job.at.cron, job.replicas) for job in cron.jobs(steps_of, clock)]
    entries = [(one.start.cron, one.end.cron, one.replicas) for one in cron.triggers(steps_of, clock)]
    least = min(weeks)
    assert jobs_give(told, jobs_set(jobs, clock, first=first, last=last), first=first, last=last).holds
    set_by = triggers_set(entries, least, clock, first=first, last=last)
    assert jobs_give(told, set_by, first=first, last=last).holds
    late = [(entry.replace("0 ", "5 ", 1), count) for entry, count in jobs]
    assert not jobs_give(told, jobs_set(late, clock, first=first, last=last), first=first, last=last).holds


def test_two_jobs_of_one_minute_are_not_relied_on():
    two = [("0 0 * * *", 2), ("0 0 15 6 *", 5)]
    assert jobs_set(two, SHANGHAI, first=MONDAY, last=MONDAY + 2880) == {MONDAY: -1, MONDAY + 1440: 2}


def test_a_class_that_needs_more_than_there_may_be_is_told_and_no_mistake():
    def judged(height: int, most: int | None):
        return verify([(60, 120, 10)], [(0, 180, height)], lambda *_: 10, early=0, least=1, most=most,
                      told_cost=180 * height, change_minutes=0)  # fmt: skip

    assert (judged(8, 8).holds, len(judged(8, 8).uncovered)) == (True, 1)
    assert not judged(7, 8).holds
    assert not judged(8, None).holds
    assert not judged(8, 20).holds


def test_the_change_back_to_the_beginning_counts_where_steps_come_again():
    def holds(told: int, *, cycles: bool) -> bool:
        return verify([], [(0, 60, 2), (60, 120, 4)], lambda *_: 0, early=0, least=1, most=None, told_cost=told,
                      change_minutes=30, cycles=cycles).holds  # fmt: skip

    assert holds(360 + 30, cycles=False)
    assert holds(360 + 60, cycles=True)
    assert not holds(360 + 30, cycles=True)


def test_fifty_minutes_of_class_are_not_told_too_small():
    """Ten cores for fifty minutes and one for ten are 8.5 in the mean; no other hour has more than one."""
    lessons = [Lesson("maths", 60, 110, 100), Lesson("art", 200, 230, 50)]
    shares = covered(lessons, 0, 5)
    assert shares == pytest.approx([0, 50 / 60, 0, 0.5, 0])
    means = np.array([1.0, 8.5, 1.0, 5.5, 1.0])
    assert in_class(means, shares) == pytest.approx([1, 10, 1, 10, 1])
    peaks = np.array([1.5, 15.0, 1.5, 15.0, np.nan])  # replicas peak one after the other: half as high again, always
    assert standing_out(means, peaks, shares) == pytest.approx([1, 10, 1, 10, 1])


def test_jobs_are_compared_minute_by_minute():
    told = [(0, 10, 2), (10, 20, 5)]
    assert jobs_give(told, {0: 2, 10: 5}, first=0, last=20).holds
    assert jobs_give(told, {0: 2, 11: 5}, first=0, last=20).told == "minute 10: 2 instead of 5"
