"""Months, quarters and years of the fiscal year."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.calendars.periods import MONTHS, period_of, periods
from apps.finops.windows import ONE_DAY


@pytest.mark.parametrize(
    ("begin", "grain", "day", "name", "start", "end"),
    [
        pytest.param(1, "month", "2026-12-31", "2026-12", "2026-12-01", "2027-01-01", id="a month"),
        pytest.param(1, "quarter", "2026-11-02", "2026-Q4", "2026-10-01", "2027-01-01", id="the year's last quarter"),
        pytest.param(1, "quarter", "2026-01-31", "2026-Q1", "2026-01-01", "2026-04-01", id="January"),
        pytest.param(1, "year", "2026-11-02", "2026", "2026-01-01", "2027-01-01", id="a year of the calendar"),
        pytest.param(4, "month", "2026-03-31", "2026-03", "2026-03-01", "2026-04-01", id="months stay months"),
        pytest.param(4, "quarter", "2027-03-31", "FY2026/27-Q4", "2027-01-01", "2027-04-01", id="ends with March"),
        pytest.param(4, "quarter", "2027-04-01", "FY2027/28-Q1", "2027-04-01", "2027-07-01", id="begins with April"),
        pytest.param(4, "year", "2027-01-15", "FY2026/27", "2026-04-01", "2027-04-01", id="January is of the last"),
        pytest.param(11, "quarter", "2026-12-31", "FY2026/27-Q1", "2026-11-01", "2027-02-01", id="over new year"),
        pytest.param(2, "quarter", "2027-01-01", "FY2026/27-Q4", "2026-11-01", "2027-02-01", id="ends over new year"),
        pytest.param(4, "year", "2099-12-31", "FY2099/00", "2099-04-01", "2100-04-01", id="a century's end"),
    ],
)  # fmt: skip
def test_the_period_of_a_day(settings, begin, grain, day, name, start, end):
    settings.COSTOPS_FISCAL_YEAR_START = begin

    one = period_of(grain, date.fromisoformat(day))

    assert (one.name, one.start.isoformat(), one.end.isoformat()) == (name, start, end)


@given(st.integers(1, 12), st.sampled_from(list(MONTHS)), st.dates(date(1971, 1, 1), date(2190, 1, 1)))
def test_every_day_is_in_one_period_and_periods_follow_on_one_another(begin, grain, day):
    from django.test import override_settings

    with override_settings(COSTOPS_FISCAL_YEAR_START=begin):
        one = period_of(grain, day)
        assert one.start <= day < one.end
        assert period_of(grain, one.start) == period_of(grain, one.last_day) == one
        assert (one.end.month - one.start.month) % 12 == MONTHS[grain] % 12
        assert period_of(grain, one.end) == one.following
        year = list(periods(grain, period_of("year", day).start, period_of("year", day).last_day))
        assert len({each.name for each in year}) == len(year) == 12 // MONTHS[grain]
        assert year[0].start.month == begin
        assert year[-1].last_day + ONE_DAY == period_of("year", day).end
