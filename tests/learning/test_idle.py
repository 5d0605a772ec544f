"""Generated fleets whose idleness is known, because a rule wrote them."""

import numpy as np
import pytest

from apps.learning.idle.activity import Activity
from apps.learning.idle.backtest import reach
from apps.learning.idle.evidence import Verdict, idle_by_rule, look
from apps.learning.idle.finder import IdleFinder

FIRST = np.datetime64("2026-01-05T00", "h")  # a Monday
DAYS = 90
NAN = np.nan


def activity(*columns: np.ndarray, signal: str = "cpu_peak", **others: np.ndarray) -> Activity:
    values = np.stack(columns, axis=1).astype(float)
    hours = FIRST + np.arange(len(values))
    return Activity(hours, tuple(map(str, range(values.shape[1]))), {signal: values, **others})


def hours_of(days: int, *active: int, level: float = 50.0, rest: float = 1.0) -> np.ndarray:
    """`rest` in every hour, `level` in the hours with these indices."""
    column = np.full(24 * days, rest)
    column[list(active)] = level
    return column


def fleet(subjects: int = 120, days: int = DAYS, seed: int = 3) -> Activity:
    """By turns: never active, given up one day, in office hours, three hours a week, always busy."""
    drawn = np.random.default_rng(seed)
    kind = np.arange(subjects) % 5
    place = np.arange(24 * days)[:, None]
    office = (place % 24 >= 9) & (place % 24 < 18) & (place // 24 % 7 < 5)
    given_up = drawn.integers(24 * 20, 24 * days, subjects)
    job = drawn.integers(0, 165, subjects)
    busy = np.select(
        [kind == 0, kind == 1, kind == 2, kind == 3],
        [np.zeros_like(office), place < given_up, office, (place - job) % 168 < 3],
        np.ones_like(office),
    )
    cpu = np.where(busy, drawn.uniform(6, 80, busy.shape), drawn.uniform(0, 3, busy.shape))
    network = np.where(busy, drawn.exponential(40, busy.shape), drawn.uniform(0, 3, busy.shape))
    return Activity(
        FIRST + np.arange(24 * days), tuple(map(str, range(subjects))), {"cpu_peak": cpu, "network": network}
    )


@pytest.fixture(scope="module")
def known() -> Activity:
    return fleet()


@pytest.fixture(scope="module")
def finder(known: Activity) -> IdleFinder:
    return IdleFinder(14).fit(known)


@pytest.mark.parametrize(
    ("column", "last_active", "silent", "longest", "share", "coverage"),
    [
        pytest.param(hours_of(10), None, 240, 240, 0.0, 1.0, id="never active: silent since it was first seen"),
        pytest.param(hours_of(10, 0, 100), 100, 139, 139, 2 / 240, 1.0, id="active twice"),
        pytest.param(hours_of(10, 200), 200, 39, 200, 1 / 240, 1.0, id="the longest silence may be the first"),
        pytest.param(
            np.r_[np.full(48, NAN), hours_of(8, 10)],
            58,
            181,
            181,
            1 / 192,
            1.0,
            id="silence begins where it was first seen",
        ),
        pytest.param(
            np.r_[hours_of(5, 10), np.full(120, NAN)], 10, 229, 229, 1 / 120, 0.5, id="an outage is no known hour"
        ),
        pytest.param(np.full(240, NAN), None, 0, 0, NAN, 0.0, id="nothing known is nothing said"),
    ],
)
def test_evidence_is_counted(column, last_active, silent, longest, share, coverage) -> None:
    found = look(activity(column))

    expected = np.datetime64("NaT", "h") if last_active is None else FIRST + last_active
    np.testing.assert_array_equal(found.last_active, [expected])
    assert (found.silent_hours[0], found.longest_silence_hours[0]) == (silent, longest)
    np.testing.assert_allclose([found.active_share[0], found.coverage[0]], [share, coverage])


def test_evidence_names_the_signals_under_and_over_their_floor() -> None:
    quiet = hours_of(10)
    found = look(
        activity(
            quiet, quiet, network=np.stack([hours_of(10, 5), np.full(240, NAN)], axis=1), memory=np.full((240, 2), 9.0)
        )
    )

    assert found.under == (("cpu_peak",), ("cpu_peak",))
    assert found.over == (("network",), ())
    assert found.peaks["network"][0] == 50
    assert np.isnan(found.peaks["network"][1])
    assert found.active_hours.tolist() == [1, 0]


def test_only_the_memory_is_looked_at() -> None:
    long_ago = hours_of(60, 24 * 10)

    assert look(activity(long_ago)).active_hours[0] == 0
    assert look(activity(long_ago), memory_days=60).active_hours[0] == 1


@pytest.mark.parametrize(
    ("column", "is_idle"),
    [
        pytest.param(hours_of(45), True, id="never active"),
        pytest.param(hours_of(45, *range(10)), True, id="ten of 1,080 hours, long ago"),
        pytest.param(hours_of(45, *range(11)), False, id="eleven are more than one percent"),
        pytest.param(hours_of(45, 24 * 40), False, id="active five days ago"),
        pytest.param(hours_of(10), False, id="known for ten days only"),
        pytest.param(np.r_[hours_of(20), np.full(24 * 10, NAN)], False, id="a third is not known"),
        pytest.param(np.full(24 * 45, NAN), False, id="unknown is not idle"),
    ],
)
def test_the_plain_rule(column, is_idle) -> None:
    assert idle_by_rule(look(activity(column))).tolist() == [is_idle]


def test_a_learned_fleet_is_told_apart(known: Activity, finder: IdleFinder) -> None:
    verdicts, kind = finder.verdicts(known), np.arange(120) % 5

    assert finder.way_ == "model"
    assert (verdicts[kind == 0] == Verdict.SAFE).all()
    assert (verdicts[kind >= 2] == Verdict.KEEP).all()
    assert (finder.predict(known) == (verdicts == Verdict.SAFE)).all()


def test_who_was_given_up_weeks_ago_is_found_and_who_was_not_is_kept(known: Activity, finder: IdleFinder) -> None:
    evidence, verdicts = look(known), finder.verdicts(known)
    given_up = np.arange(120) % 5 == 1

    assert (verdicts[given_up & (evidence.silent_hours > 24 * 35)] != Verdict.KEEP).all()
    assert (verdicts[given_up & (evidence.silent_hours < 24 * 3)] == Verdict.KEEP).all()


def test_the_back_test_tells_what_past_decisions_were_worth(finder: IdleFinder) -> None:
    told = finder.backtest_

    assert told is not None
    assert (told.subjects, told.dates, told.decisions) == (120, 8, 960)
    assert told.average_precision > max(0.95, told.rule_average_precision)
    assert told.precision["safe"] >= 0.95
    assert told.recall["review"] >= told.recall["safe"] > 0.6


def test_a_boosting_that_adds_nothing_does_not_ship() -> None:
    drawn = np.random.default_rng(4)
    busy = drawn.random((24 * 60, 100)) < np.exp(-np.linspace(0, 9, 100))  # every hour like the one before
    plain = activity(*np.where(busy, 40.0, 1.0).T)

    finder = IdleFinder(14).fit(plain)

    assert finder.way_ == "rule"
    assert finder.backtest_ is not None
    assert finder.backtest_.average_precision == finder.backtest_.rule_average_precision
    assert finder.verdicts(plain)[-1] == Verdict.SAFE


@pytest.mark.parametrize(
    ("truth", "said", "precision", "margin", "threshold"),
    [
        pytest.param([1, 1, 0, 1], [0.9, 0.8, 0.7, 0.6], 0.75, 0, 0.6, id="three of four are right"),
        pytest.param([1, 1, 0, 1], [0.9, 0.8, 0.7, 0.6], 0.8, 0, 0.8, id="two of two are better"),
        pytest.param([1, 0, 1, 1], [0.9, 0.8, 0.8, 0.8], 0.75, 0, 0.8, id="equals are not parted"),
        pytest.param([1, 1, 1, 0], [0.9, 0.8, 0.7, 0.6], 0.75, 1, 0.7, id="as if one more had been wrong"),
        pytest.param([0, 1], [0.9, 0.8], 0.9, 0, np.inf, id="out of reach"),
    ],
)
def test_the_threshold_that_reaches_a_precision(truth, said, precision, margin, threshold) -> None:
    assert reach(np.array(truth, dtype=float), np.array(said), precision, margin=margin) == threshold


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_more_activity_never_raises_the_probability(known: Activity, finder: IdleFinder, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    more = {
        name: values + (drawn.random(values.shape) < 0.02) * drawn.exponential(30, values.shape)
        for name, values in known.signals.items()
    }

    louder = finder.predict_proba(Activity(known.hours, known.subjects, more))[:, 1]

    assert (louder <= finder.predict_proba(known)[:, 1] + 1e-12).all()


def test_the_order_of_subjects_does_not_matter(known: Activity, finder: IdleFinder) -> None:
    order = np.random.default_rng(5).permutation(120)

    np.testing.assert_array_equal(finder.predict_proba(known.of(order)), finder.predict_proba(known)[order])
    np.testing.assert_array_equal(look(known.of(order)).silent_hours, look(known).silent_hours[order])


def test_the_same_fleet_gives_the_same_probabilities(known: Activity, finder: IdleFinder) -> None:
    np.testing.assert_array_equal(IdleFinder(14).fit(known).predict_proba(known), finder.predict_proba(known))


def test_of_less_than_a_day_nothing_is_said(known: Activity, finder: IdleFinder) -> None:
    assert np.isnan(finder.predict_proba(known.since(len(known.hours) - 6))).all()


def test_the_unknown_is_not_idle(known: Activity, finder: IdleFinder) -> None:
    unheard = {name: values.copy() for name, values in known.signals.items()}
    for values in unheard.values():
        values[:, 0] = NAN  # never heard of
        values[: -24 * 10, 5] = NAN  # ten days old
        values[-24 * 15 :, 10] = NAN  # silent because nobody listens
    asked = Activity(known.hours, known.subjects, unheard)

    assert finder.verdicts(asked)[[0, 5, 10]].tolist() == [Verdict.UNKNOWN] * 3
    assert np.isnan(finder.predict_proba(asked)[[0, 5, 10]]).all()


@pytest.mark.parametrize(
    ("days", "verdict"),
    [
        pytest.param(13, Verdict.UNKNOWN, id="thirteen days are too few"),
        pytest.param(14, Verdict.REVIEW, id="two weeks of silence: have a look"),
        pytest.param(21, Verdict.SAFE, id="three weeks of silence: safe"),
    ],
)
def test_three_subjects_are_judged_by_the_shipped_curve(days, verdict) -> None:
    few = activity(hours_of(days), hours_of(days, *range(5, 24 * days, 24)), np.full(24 * days, 60.0))
    finder = IdleFinder(30).fit(few)

    assert (finder.way_, finder.backtest_) == ("prior", None)
    assert finder.verdicts(few)[0] == verdict
    assert not set(finder.verdicts(few)[1:]) & {Verdict.SAFE, Verdict.REVIEW}


@pytest.mark.parametrize(
    ("part", "why"),
    [
        pytest.param(fleet(days=40), "no date with 30 days behind it", id="no past date"),
        pytest.param(fleet(days=57), "dates from day 14 to day 27", id="past dates of less than two weeks"),
        pytest.param(fleet(subjects=40), "40 subjects", id="too few subjects"),
        pytest.param(
            fleet().of(np.flatnonzero(np.arange(120) % 5 >= 2)), "nobody was idle", id="nobody to learn idleness from"
        ),
    ],
)
def test_where_nothing_can_be_learned_it_says_so(part: Activity, why: str) -> None:
    assert IdleFinder(30).fit(part).way_ == "prior", why


@pytest.mark.parametrize(
    ("hours", "values", "told"),
    [
        pytest.param([0, 2], np.ones((2, 1)), "without a gap", id="hours with a gap"),
        pytest.param([0, 1], np.ones((3, 1)), "not hours x subjects", id="a signal of another shape"),
    ],
)
def test_what_does_not_fit_together_is_refused(hours, values, told) -> None:
    with pytest.raises(ValueError, match=told):
        Activity(FIRST + np.array(hours), ("a",), {"cpu_peak": values})
