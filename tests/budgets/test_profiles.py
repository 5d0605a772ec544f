"""Profiles: every day's part, which add up to exactly the amount; and what rollover conserves."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.budgets.models import BOTH, ROLLOVERS
from apps.budgets.profiles import BadProfile, Days, Profile
from apps.budgets.standing import carried_on
from apps.calendars.periods import period_of
from apps.finops.windows import Window
from apps.insights.landing import Landing
from tests.budgets.worlds import total

WEEK = Window(date(2026, 11, 2), date(2026, 11, 9))  # Monday to Sunday


def days(last_year: dict[date, Decimal] | None = None) -> Days:
    return Days(lambda day: day.weekday() < 5, lambda day: day.day < 4, last_year or {})


@pytest.mark.parametrize(
    ("profile", "amount", "parts"),
    [
        pytest.param(("even", ""), "70", ["10"] * 7, id="evenly"),
        pytest.param(("workdays", ""), "50", ["10"] * 5 + ["0"] * 2, id="by working days"),
        pytest.param(
            ("terms", "2"), "90", ["20", "20", "10", "10", "10", "10", "10"], id="two days of term count twice"
        ),
        pytest.param(
            ("last_year", ""), "90", ["10", "20", "0", "10", "20", "20", "10"], id="as last year, refunds as nothing"
        ),
    ],
)
def test_days_get_their_part(profile, amount, parts):
    known = dict(zip(WEEK.days(), map(Decimal, (1, 2, -1, 1, 2, 2, 1)), strict=True))
    spread = Profile.parse(*profile).spread(Decimal(amount), WEEK, days(known))
    assert [part.normalize() for part in spread.values()] == [Decimal(part).normalize() for part in parts]


@pytest.mark.parametrize(
    ("known", "parts"),
    [
        pytest.param({2: 1, 3: 3, 4: 2}, ["10", "30"] + ["20"] * 5, id="what is not known weighs the mean of what is"),
        pytest.param({2: 0, 3: 40, 4: 20}, ["0", "40"] + ["20"] * 5, id="a day known to have cost nothing gets none"),
        pytest.param({}, ["20"] * 7, id="nothing is known: evenly"),
    ],
)
def test_days_that_last_year_is_not_known_of_are_not_taken_for_free(known, parts):
    last_year = {date(2026, 11, day): Decimal(cost) for day, cost in known.items()}
    spread = Profile.parse("last_year", "").spread(Decimal(140), WEEK, days(last_year))
    assert [part.normalize() for part in spread.values()] == [Decimal(part).normalize() for part in parts]


def test_months_weigh_as_they_are_told():
    spread = Profile.parse("months", "2 1 1 " + "0 " * 9).spread(
        Decimal(400), Window(date(2027, 1, 1), date(2027, 4, 1)), days()
    )
    by_month = [total(part for day, part in spread.items() if day.month == month) for month in (1, 2, 3)]
    assert [round(amount, 6) for amount in by_month] == [200, 100, 100]


@pytest.mark.parametrize(
    ("kind", "weights", "says"),
    [
        ("weekly", "", "not one of"), ("months", "1 2", "there are 2"), ("even", "1", "needs none"),
        ("terms", "-1", "not a weight"), ("terms", "0", "above zero"), ("terms", "", "such as 1.5"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_meant_is_refused(kind, weights, says):
    with pytest.raises(BadProfile, match=says):
        Profile.parse(kind, weights)


AMOUNTS = st.decimals(0, 10**14, places=12)
PROFILES = st.sampled_from([("even", ""), ("workdays", ""), ("terms", "1.37"), ("last_year", ""),
                            ("months", "1 0 3 1 1 1 2.5 1 1 1 1 0.1")])  # fmt: skip


@given(AMOUNTS, PROFILES, st.sampled_from(["quarter", "year", "month"]), st.dates(date(2000, 1, 1), date(2100, 1, 1)),
       st.lists(st.decimals(-9, 10**6, places=12), max_size=40))  # fmt: skip
def test_the_days_add_up_to_the_last_decimal(amount, profile, grain, day, costs):
    window = period_of(grain, day).window
    known = {window.start + timedelta(days=number): cost for number, cost in enumerate(costs)}
    assert total(Profile.parse(*profile).spread(amount, window, days(known)).values()) == amount


MONEY = st.decimals(0, 10**9, places=12)


@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=12), st.sampled_from(ROLLOVERS))
def test_rollover_makes_no_money(periods, rollover):
    """Both ways it conserves: all amounts are what was spent and what is left. One way it never carries the other."""
    carried, left = Decimal(0), Decimal(0)
    for base, spent in periods:
        left = base + carried - spent
        assert rollover != "unused" or carried >= 0
        assert rollover != "overspent" or carried <= 0
        assert rollover != "none" or carried == 0
        carried = carried_on(rollover, left)
        assert carried in (0, left)
    if rollover == BOTH:
        assert left == total(base for base, _ in periods) - total(spent for _, spent in periods)


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=5, max_size=5), MONEY, MONEY)
def test_a_larger_budget_is_never_likelier_exceeded(edges, one, other):
    landing = Landing(*edges)
    low, high = sorted((one, other))
    assert 1 >= landing.probability_above(low) >= landing.probability_above(high) >= 0
