"""What changes saved, where it is known: a share was taken away, or nothing."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.learning.calendars import Calendar
from apps.learning.effects.grading import B_REASONS, C_REASONS
from apps.learning.effects.measuring import detectable, measure, persistence
from apps.learning.effects.placebos import Trials
from apps.learning.effects.shifts import levelled
from apps.learning.effects.study import EffectError, NothingSpent, Study, TooShort

MONDAY = date(2026, 1, 5)
WEEK = np.array([1.0, 1.1, 1.2, 1.1, 1.0, 0.4, 0.3])
BEFORE, AFTER = 84, 28
NO_HOLIDAYS = Calendar(())
few = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def world(
    seed: int = 1,
    *,
    before: int = BEFORE,
    after: int = AFTER,
    controls: int = 5,
    taken: float = 0.0,
    noise: float = 0.05,
) -> Study:
    """Services that share a wandering load; `taken` of the first one's cost is gone from the start on."""
    drawn = np.random.default_rng(seed)
    count = before + after
    load = np.exp(np.cumsum(drawn.normal(0, 0.01, count))) * WEEK[np.arange(count) % 7]

    def service() -> np.ndarray:
        return drawn.uniform(50, 200) * load * np.exp(drawn.normal(0, noise, count))

    cost = service()
    cost[before:] *= 1 - taken
    days = np.datetime64(MONDAY) + np.arange(count)
    return Study(
        days=days,
        cost=cost,
        start=days[before].astype(date),
        end=(days[-1] + 1).astype(date),
        controls={f"service {number}": service() for number in range(controls)},
        calendar=NO_HOLIDAYS,
    )


def truth(study: Study, taken: float) -> float:
    return float(study.cost[BEFORE:].sum() * taken / (1 - taken))


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_that_was_taken_away_is_measured_within_its_interval(seed: int) -> None:
    study = world(seed, taken=0.2)

    effect = measure(study)

    assert effect.verdict == "saved"
    assert effect.lower <= truth(study, 0.2) <= effect.upper
    assert effect.percent == pytest.approx(20, abs=5)


def test_where_nothing_was_changed_hardly_anything_is_called_saved() -> None:
    effects = [measure(world(seed)) for seed in range(100, 120)]

    assert sum(effect.verdict != "not shown" for effect in effects) <= 2
    assert abs(np.mean([effect.percent for effect in effects])) < 1.5


def test_a_change_that_cost_more_is_told_so() -> None:
    assert measure(world(taken=-0.2)).verdict == "cost more"


def test_a_service_that_was_switched_off_saved_all_that_was_expected() -> None:
    effect = measure(world(taken=1.0))

    assert effect.saving == pytest.approx(effect.expected)
    assert effect.percent == pytest.approx(100)


def test_growth_that_a_driver_explains_is_no_loss() -> None:
    study = world(controls=0, noise=0.02)
    requests = np.where(np.arange(BEFORE + AFTER) < BEFORE + 3, 1000.0, 1500.0) + 80 * np.sin(np.arange(BEFORE + AFTER))
    cost = study.cost * requests / 1000

    told = measure(replace(study, cost=cost, drivers={"requests": requests}))

    assert measure(replace(study, cost=cost)).percent < -25
    assert abs(told.percent) < 12


@pytest.mark.parametrize("ago", [14, 30, 50])
def test_a_level_that_shifted_before_the_start_is_not_taken_for_a_saving(ago: int) -> None:
    for seed in range(3):
        study = world(seed)
        study.cost[BEFORE - ago :] *= 0.5

        effect = measure(study)

        assert effect.verdict == "not shown"
        assert abs(effect.percent) < 12


@pytest.mark.parametrize("below", [pytest.param(0.5, id="from half"), pytest.param(0.98, id="from next to nothing")])
def test_a_shift_is_found_on_its_day_and_brought_to_the_level_of_now(below: float) -> None:
    drawn = np.random.default_rng(3)
    rest = drawn.normal(0, 0.03, (70, 4))
    rest[:40, 0] -= below
    costs = 100 + 100 * rest

    moved = levelled(costs, rest, np.full(4, 100.0), np.arange(70))

    assert moved[:40, 0].mean() == pytest.approx(100, abs=2)
    assert np.array_equal(moved[40:], costs[40:])
    assert np.array_equal(moved[:, 1:], costs[:, 1:])


@given(factor=st.floats(0.001, 1e6), seed=st.integers(0, 50))
@few
def test_another_currency_changes_nothing_but_the_unit(factor: float, seed: int) -> None:
    study = world(seed, taken=0.1)
    converted = replace(
        study, cost=study.cost * factor, controls={name: 7 * one for name, one in study.controls.items()}
    )

    one, other = measure(study), measure(converted)

    assert other.saving == pytest.approx(one.saving * factor, rel=1e-5)
    assert other.percent_lower == pytest.approx(one.percent_lower, rel=1e-5, abs=1e-6)
    assert (other.grade, other.reasons) == (one.grade, one.reasons)


@given(weeks=st.integers(-100, 100))
@few
def test_the_same_some_weeks_later_is_the_same(weeks: int) -> None:
    study = world(taken=0.1)
    by = np.timedelta64(7 * weeks, "D")
    later = replace(
        study,
        days=study.days + by,
        start=(np.datetime64(study.start) + by).astype(date),
        end=(np.datetime64(study.end) + by).astype(date),
    )

    assert measure(later).saving == pytest.approx(measure(study).saving, rel=1e-9)


@given(order=st.permutations(range(5)))
@few
def test_the_order_and_the_names_of_controls_do_not_matter(order: list[int]) -> None:
    study = world(taken=0.1)
    controls = list(study.controls.values())
    mixed = replace(study, controls={f"other {place}": controls[number] for place, number in enumerate(order)})

    assert measure(mixed).lower == pytest.approx(measure(study).lower, rel=1e-6)


def test_days_from_the_end_on_are_not_looked_at() -> None:
    study = world(after=60)
    early = replace(study, end=study.days[BEFORE + AFTER].astype(date))
    cost = early.cost.copy()
    cost[BEFORE + AFTER :] = 1e6

    assert measure(replace(early, cost=cost)).saving == measure(early).saving


def test_what_is_expected_does_not_look_at_the_cost_after_the_start() -> None:
    study = world()
    halved = np.r_[study.cost[:BEFORE], study.cost[BEFORE:] / 2]

    one, other = measure(study), measure(replace(study, cost=halved))

    assert other.expected == one.expected
    assert other.upper - other.lower == pytest.approx(one.upper - one.lower)
    assert other.saving - one.saving == pytest.approx(study.cost[BEFORE:].sum() / 2)


def test_asked_again_the_answer_is_the_same() -> None:
    one, other = measure(world()), measure(world())

    assert (one.saving, one.lower, one.methods, one.placebos) == (
        other.saving,
        other.lower,
        other.methods,
        other.placebos,
    )


def test_a_day_that_is_not_known_is_not_a_day_without_cost() -> None:
    study = world(taken=0.2)
    cost = study.cost.copy()
    cost[[10, 40, BEFORE + 3, BEFORE + 9]] = np.nan

    effect = measure(replace(study, cost=cost))

    assert (effect.days_measured, effect.days_missing) == (AFTER - 2, 2)
    assert effect.actual == pytest.approx(np.nansum(cost[BEFORE:]))
    assert effect.percent == pytest.approx(20, abs=5)
    assert "missing_days" in effect.reasons


def test_days_of_transition_are_drawn_but_not_measured() -> None:
    study = replace(world(taken=0.2), transition_days=7)

    effect = measure(study)

    assert effect.days_measured == AFTER - 7
    assert effect.actual == pytest.approx(study.cost[BEFORE + 7 :].sum())
    assert len(effect.counterfactual.days) == AFTER
    assert effect.counterfactual.counted.sum() == AFTER - 7


def test_the_days_of_the_figure_add_up_to_the_saving() -> None:
    effect = measure(world(taken=0.2))
    daily = effect.counterfactual

    assert (daily.expected - daily.actual) @ daily.counted == pytest.approx(effect.saving)
    assert (daily.lower < daily.expected).all()
    assert sum(method.weight * method.saving for method in effect.methods) == pytest.approx(effect.saving)


def test_a_control_with_many_holes_or_without_change_is_left_out_and_named() -> None:
    study = world()
    holed = np.where(np.arange(BEFORE + AFTER) % 3 == 0, np.nan, study.controls["service 0"])
    controls = {**study.controls, "holed": holed, "flat": np.full(BEFORE + AFTER, 7.0)}

    effect = measure(replace(study, controls=controls))

    assert effect.controls_left_out == ("holed", "flat")
    assert effect.saving == pytest.approx(measure(study).saving)


def test_of_many_controls_those_most_alike_are_used() -> None:
    study = world(controls=20, noise=0.01)
    drawn = np.random.default_rng(9)
    weekly = np.tile(WEEK, 16)
    strangers = {f"stranger {number}": 100 + drawn.normal(0, 5, BEFORE + AFTER) for number in range(5)} | {
        "week": weekly
    }

    effect = measure(replace(study, controls={**study.controls, **strangers}))

    assert len(effect.controls_left_out) == 2
    assert all(name in strangers for name in effect.controls_left_out)


@pytest.mark.parametrize(
    ("controls", "before", "grade", "reason"),
    [
        pytest.param(8, 180, "A", None, id="long history and controls"),
        pytest.param(0, 180, "B", "no_controls", id="nothing to compare with"),
        pytest.param(1, 84, "C", "few_placebos", id="one control is no crowd"),
        pytest.param(8, 35, "C", "short_history", id="five weeks before"),
        pytest.param(0, 28, "C", "few_placebos", id="no placebo at all"),
    ],
)
def test_a_grade_says_why_it_is_not_better(controls: int, before: int, grade: str, reason: str | None) -> None:
    effect = measure(world(before=before, controls=controls, noise=0.03))

    assert effect.grade == grade
    assert (reason in effect.reasons) if reason else effect.reasons == ()
    assert set(effect.reasons) <= {*B_REASONS, *C_REASONS}


def test_fewer_placebos_widen_the_interval() -> None:
    halves = [
        np.median(
            [(one := measure(world(seed, before=before, controls=controls))).upper - one.saving for seed in range(4)]
        )
        / 100
        for before, controls in ((84, 5), (35, 5), (35, 0))
    ]

    assert halves[0] < halves[1] < halves[2]


@pytest.mark.parametrize(
    ("study", "error", "sentence"),
    [
        pytest.param(
            world(before=27), TooShort, "28 days with a known cost before the start; there are 27", id="short"
        ),
        pytest.param(world(after=6), TooShort, "7 days with a known cost after .*; there are 6", id="too early"),
        pytest.param(
            replace(world(), transition_days=25),
            TooShort,
            "after the start and the transition; there are 3",
            id="rolling",
        ),
        pytest.param(replace(world(), cost=np.zeros(BEFORE + AFTER)), NothingSpent, "nothing was spent", id="free"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_is_missing(
    study: Study, error: type[EffectError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        measure(study)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"cost": np.ones(3)}, "cost must have one value", id="lengths differ"),
        pytest.param({"drivers": {"requests": np.full(BEFORE + AFTER, np.nan)}}, "requests must be known", id="driver"),
        pytest.param({"controls": {"x": np.full(BEFORE + AFTER, np.inf)}}, "x has a day", id="endless"),
        pytest.param({"transition_days": -1}, "less than none", id="transition"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(EffectError, match=sentence):
        replace(world(), **change)  # type: ignore[arg-type]


def test_an_effect_as_large_as_was_called_detectable_is_mostly_shown() -> None:
    shown = []
    for seed in range(8):
        study = world(seed, before=112)
        limit = detectable(replace(study, cost=np.r_[study.cost[:112], np.full(AFTER, np.nan)]), days_after=AFTER)
        taken = np.r_[np.ones(112), np.full(AFTER, 1 - limit / 100)]
        shown.append(measure(replace(study, cost=study.cost * taken)).verdict == "saved")

    assert sum(shown) >= 6


def test_what_is_detectable_does_not_look_beyond_the_start() -> None:
    study = world(before=112)
    other = replace(study, cost=np.r_[study.cost[:112], np.zeros(AFTER)])

    assert detectable(other, days_after=AFTER) == detectable(study, days_after=AFTER)
    assert detectable(study, days_after=AFTER, power=0.95) > detectable(study, days_after=AFTER)


@given(st.integers(0, 200), st.floats(0.5, 0.99))
def test_the_fewer_placebos_the_wider_the_next_interval_may_be(count, share):
    def wider(placebos: int, share: float) -> float:
        none, flags = np.zeros((1, placebos)), np.zeros(placebos, dtype=bool)
        return Trials(("structural",), none, none, flags, flags, 28).wider(share)

    assert wider(count, share) >= wider(count + 1, share) >= 1
    assert wider(count, share) <= wider(count, min(0.995, share + 0.004))


def test_what_is_detectable_needs_days_to_pretend_on() -> None:
    with pytest.raises(TooShort, match=r"56 days .*; there are 40"):
        detectable(world(before=40), days_after=28)


def test_a_saving_that_fades_is_seen_month_by_month() -> None:
    study = world(3, before=BEFORE, after=90)
    gone = np.where(np.arange(90) < 50, 0.7, 1.0)
    fading = replace(study, cost=np.r_[study.cost[:BEFORE], study.cost[BEFORE:] * gone])

    months = persistence(fading)

    assert [one.month for one in months] == [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]  # two days of March
    assert [one.effect.verdict for one in months] == ["saved", "saved", "not shown"]
    assert months[0].effect.percent == pytest.approx(30, abs=6)
    assert [one.month for one in persistence(fading, 2)] == [date(2026, 4, 1), date(2026, 5, 1)]
