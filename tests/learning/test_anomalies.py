"""Anomalies in series whose usual is known, because a rule wrote them."""

import numpy as np
import pytest

from apps.learning.anomalies.describing import describe
from apps.learning.anomalies.detector import AnomalyDetector, rule_flags
from apps.learning.anomalies.episodes import episodes, match
from apps.learning.anomalies.hindsight import steps_in_hindsight
from apps.learning.anomalies.injecting import Event, inject, injected, labels
from apps.learning.anomalies.reviews import Review
from apps.learning.anomalies.usual import bend, unbend, usual
from apps.learning.calendars import Calendar

NOBODYS = Calendar(())
WEEK = np.array([100.0, 110, 120, 110, 100, 40, 30])


def days(count: int) -> np.ndarray:
    return np.datetime64("2026-01-05") + np.arange(count)


def noisy(count: int, series: int, *, seed: int = 7, noise: float = 0.03) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    levels = drawn.uniform(50, 500, series)
    return levels * (WEEK[np.arange(count) % 7][:, None] / 100) * np.exp(noise * drawn.standard_normal((count, series)))


def changed(count: int, first: int, factors: list[float], *, lasting: bool = False) -> np.ndarray:
    """One series whose days from `first` on are multiplied by the factors, the last of them for good if lasting."""
    found = noisy(count, 1)
    tail = factors + ([factors[-1]] * count if lasting else [])
    found[first : first + len(tail), 0] *= tail[: count - first]
    return found


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        pytest.param(changed(50, 40, [2.0]), [("spike", True, 40, 40, False)], id="one day at twice its usual"),
        pytest.param(changed(50, 40, [1.8] * 3), [("spike", True, 40, 42, False)], id="three days are one spike"),
        pytest.param(changed(50, 49, [2.0]), [("spike", True, 49, 49, True)], id="seen on its first complete day"),
        pytest.param(changed(50, 40, [1.5], lasting=True), [("step", True, 40, 49, True)], id="what stays is a step"),
        pytest.param(changed(50, 38, [0.6], lasting=True), [("step", False, 38, 49, True)], id="a step down"),
        pytest.param(changed(50, 40, [0.1] * 4), [("drop", False, 40, 43, False)], id="four days of little are a drop"),
        pytest.param(changed(50, 40, [0.0] * 2), [("drop", False, 40, 41, False)], id="nothing at all is a drop"),
        pytest.param(noisy(50, 1), [], id="the week repeats"),
        pytest.param(np.full((50, 1), 5.0), [], id="what never changes"),
        pytest.param(np.zeros((50, 1)), [], id="nothing stays nothing"),
        pytest.param(-changed(50, 40, [2.0]), [("drop", False, 40, 40, False)], id="a credit twice as large"),
    ],
)
def test_what_departs_from_its_usual_is_told_by_its_kind(costs, expected) -> None:
    detector = AnomalyDetector(NOBODYS).fit(days(50), costs)
    known, flags = detector.judge(days(50), costs)

    found = [
        (one.kind, one.is_upward, one.first, one.last, one.is_going_on) for one in describe(known, flags, earliest=0)
    ]

    assert found == expected
    assert detector.is_rule_, "fifty days are too few to learn from"


def test_a_drift_is_told_from_a_step() -> None:
    costs = changed(80, 50, list(1 + 0.08 * np.arange(1, 15)), lasting=True)
    known, flags = AnomalyDetector(NOBODYS).fit(days(80), costs).judge(days(80), costs)

    (alert,) = describe(known, flags, earliest=0)

    assert (alert.kind, alert.is_upward, alert.is_going_on) == ("drift", True, True)
    assert 50 <= alert.first <= alert.seen <= 57


def test_what_was_expected_is_what_would_have_been_without_the_step() -> None:
    plain, costs = noisy(60, 1), changed(60, 45, [2.0], lasting=True)
    known, flags = AnomalyDetector(NOBODYS).fit(days(60), costs).judge(days(60), costs)

    (alert,) = describe(known, flags, earliest=0)

    assert alert.expected == pytest.approx(plain[45:, 0], rel=0.15)
    assert (alert.low < alert.expected).all()
    assert (alert.expected < alert.high).all()
    assert alert.expected.sum() == pytest.approx(plain[45:, 0].sum(), rel=0.05)


def test_a_spike_after_another_anomaly_is_told_by_itself() -> None:
    costs = noisy(70, 1)
    costs[40:50] *= 0.5
    costs[53:55] *= 3
    known, flags = AnomalyDetector(NOBODYS).fit(days(70), costs).judge(days(70), costs)

    found = [(one.kind, one.is_upward, one.first) for one in describe(known, flags, earliest=0)]

    assert ("spike", True, 53) in found
    assert ("step", False, 40) in found


def test_no_day_is_judged_by_a_later_one() -> None:
    costs, _ = injected(noisy(150, 30), first=60, chance=1, every=45, drawn=np.random.default_rng(3))
    detector = AnomalyDetector(NOBODYS, max_iter=30).fit(days(110), costs[:110])

    whole, part = (detector.judge(days(count), costs[:count])[1] for count in (150, 120))

    assert not detector.is_rule_
    assert (whole[56:120] == part[56:]).all()
    assert whole[56:120].any()


def test_amounts_are_bent_and_unbent_to_the_same() -> None:
    shares = np.array([0.0, 0.01, 1.0, 37.0, -2.5])

    assert unbend(bend(shares)) == pytest.approx(shares)


def test_a_monday_is_as_usual_beside_mondays() -> None:
    known = usual(days(70), noisy(70, 4, noise=0.001), NOBODYS)

    assert np.abs(known.rest - known.level)[35:].max() < 0.05


def test_the_days_of_a_series_that_began_late_are_its_own() -> None:
    costs = noisy(120, 3)
    costs[:70, 1] = np.nan
    costs[110, 1] *= 3

    flags = rule_flags(usual(days(120), costs, NOBODYS))

    assert np.flatnonzero(flags[:, 1]).tolist() == [110]
    assert not flags[:, [0, 2]].any()


def test_what_was_learned_beats_the_rule_on_what_it_has_not_seen() -> None:
    first, second = noisy(150, 120, seed=1, noise=0.06), noisy(150, 120, seed=2, noise=0.06)
    detector = AnomalyDetector(NOBODYS, max_iter=60).fit(days(150), first)
    costs, events = injected(second, first=60, chance=0.6, every=90, drawn=np.random.default_rng(5))

    flags = detector.predict(days(150), costs)

    assert detector.backtest_ is not None
    assert not detector.is_rule_
    assert detector.backtest_.model.f1 > detector.backtest_.rule.f1
    learned, rule = (match(one, events, first=60) for one in (flags, rule_flags(usual(days(150), costs, NOBODYS))))
    assert learned.f1 > max(0.85, rule.f1)
    assert learned.delay("step") == learned.delay("spike") == 0
    assert learned.delay("drift") <= 5


def test_the_same_history_and_seed_flag_the_same_days() -> None:
    costs = noisy(100, 30, noise=0.1)

    first, second = (AnomalyDetector(NOBODYS, random_state=3, max_iter=20).fit(days(100), costs) for _ in range(2))

    assert first.threshold_ == second.threshold_
    assert (first.predict(days(100), costs) == second.predict(days(100), costs)).all()


def test_a_false_alarm_makes_the_rule_more_careful_with_this_series_only() -> None:
    costs = np.repeat(changed(50, 45, [1.24]), 2, axis=1)
    said = [Review(0, 45, 45, is_anomaly=False)]

    before, after = (AnomalyDetector(NOBODYS).fit(days(50), costs, reviews) for reviews in ([], said))

    assert before.predict(days(50), costs)[45].tolist() == [True, True]
    assert after.predict(days(50), costs)[45].tolist() == [False, True]


def test_reviewed_days_are_learned_from() -> None:
    """Ten series have a day of twice as much each: people say that these are anomalies, or that they are not."""
    costs, spikes = noisy(140, 40), [(100 + 3 * series, series) for series in range(10)]
    for day, series in spikes:
        costs[day, series] *= 2

    def flagged_of_ten(is_anomaly: bool) -> int:
        said = [Review(series, day, day, is_anomaly) for day, series in spikes]
        flags = AnomalyDetector(NOBODYS, max_iter=40).fit(days(140), costs, said).predict(days(140), costs)
        return sum(int(flags[day, series]) for day, series in spikes)

    assert flagged_of_ten(is_anomaly=True) >= 8
    assert flagged_of_ten(is_anomaly=False) <= 2


def test_what_is_planned_teaches_nothing_and_what_is_confirmed_lowers_the_bar() -> None:
    costs = noisy(50, 3)
    planned = AnomalyDetector(NOBODYS).fit(days(50), costs, [Review(0, 40, 42, None), Review(1, 40, 42, True)])

    assert planned.caution_.tolist() == [0, -0.35, 0]


def flagged(count: int, *places: int) -> np.ndarray:
    found = np.zeros((count, 1), dtype=bool)
    found[list(places)] = True
    return found


STEP = Event(0, 20, 33, "step")
SPIKE = Event(0, 20, 21, "spike")


@pytest.mark.parametrize(
    ("flags", "events", "expected"),
    [
        pytest.param(flagged(60, 20, 21), [STEP], (1, 0, 0, [0]), id="on its first day"),
        pytest.param(flagged(60, 22, 29), [STEP], (1, 0, 0, [2]), id="flags within a week are one alert"),
        pytest.param(flagged(60, 22, 50), [STEP], (1, 0, 1, [2]), id="a later one is false"),
        pytest.param(flagged(60), [STEP], (0, 1, 0, []), id="missed"),
        pytest.param(flagged(60, 30), [SPIKE], (0, 1, 0, []), id="what turns back within ten days is not counted"),
        pytest.param(flagged(60, 5), [], (0, 0, 1, []), id="nothing was there"),
        pytest.param(flagged(60, 5), [Event(0, 5, 9, "step")], (0, 0, 0, []), id="before the days that count"),
    ],
)
def test_flags_are_held_against_events(flags, events, expected) -> None:
    ignored = [Event(0, 5, 9, "step")] if events and events[0].first == 5 else []
    counted = [] if ignored else events
    first = 4 if not events else 10

    found = match(flags, counted, first=first, ignored=ignored)

    assert (
        found.hits,
        found.misses,
        found.false_alerts,
        [one for some in found.delays.values() for one in some],
    ) == expected


def test_flags_of_a_series_are_one_episode_while_a_week_apart_at_most() -> None:
    found = episodes(np.stack([flagged(40, 3, 10, 18)[:, 0], flagged(40, 3)[:, 0]], axis=1))

    assert list(zip(found.series, found.first, found.last, strict=True)) == [(0, 3, 10), (0, 18, 18), (1, 3, 3)]


@pytest.mark.parametrize(
    ("kind", "low", "high", "longest"),
    [
        pytest.param("spike", 1.3, 5.0, 3, id="spikes last up to three days"),
        pytest.param("step", 1.15, 2.5, 60, id="steps stay"),
        pytest.param("drift", 1.3, 2.5, 60, id="drifts stay"),
        pytest.param("drop", 0.0, 0.6, 7, id="drops last up to a week"),
    ],
)
def test_injected_anomalies_are_as_large_and_long_as_said(kind, low, high, longest) -> None:
    drawn = np.random.default_rng(1)
    for _ in range(20):
        amounts, last = inject(np.ones(60), 20, kind, drawn)
        after = amounts[20:]
        top = after.min() if kind == "drop" else after.max()
        assert low <= top <= high
        assert 1 <= (after != 1).sum() <= longest
        assert (amounts[:20] == 1).all()
        assert 20 <= last < 60


def test_days_of_an_event_are_to_be_found_and_those_after_it_say_nothing() -> None:
    found = labels((60, 1), [SPIKE])[:, 0]

    assert np.flatnonzero(found == 1).tolist() == [20, 21]
    assert np.flatnonzero(found == -1).tolist() == list(range(22, 34))


def test_a_step_that_a_history_holds_is_seen_in_hindsight() -> None:
    costs = np.hstack([noisy(100, 1), changed(100, 60, [1.5], lasting=True), changed(100, 60, [1.13], lasting=True)])

    natural = steps_in_hindsight(usual(days(100), costs, NOBODYS))

    assert [(one.series, abs(one.first - 60) <= 1) for one in natural.events] == [(1, True)]
    assert [(one.series, abs(one.first - 60) <= 1) for one in natural.ignored] == [(2, True)]
