"""Periods: what is shown, and what it is compared with."""

from datetime import date

import pytest
from django.http import QueryDict

from apps.dashboards.forms import read_question
from apps.finops.periods import windows
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, Scope


@pytest.mark.parametrize(
    ("period", "end", "window", "before"),
    [
        pytest.param(
            "month",
            "2026-10-23",
            "2026-10-01 2026-10-23",
            "2026-09-01 2026-09-23",
            id="a month so far, same days before",
        ),
        pytest.param(
            "month",
            "2026-04-01",
            "2026-03-01 2026-04-01",
            "2026-02-01 2026-03-01",
            id="31 days against all of February",
        ),
        pytest.param(
            "last-month",
            "2026-10-23",
            "2026-09-01 2026-10-01",
            "2026-08-01 2026-09-01",
            id="whole month against whole month",
        ),
        pytest.param(
            "last-month", "2026-01-02", "2025-12-01 2026-01-01", "2025-11-01 2025-12-01", id="across the new year"
        ),
        pytest.param("7", "2026-10-23", "2026-10-16 2026-10-23", "2026-10-09 2026-10-16", id="a week against a week"),
        pytest.param("month", "2026-10-02", "2026-10-01 2026-10-02", "2026-09-01 2026-09-02", id="on the first day"),
    ],
)
def test_windows(period, end, window, before):
    expected = tuple(Window.parse(*text.split()) for text in (window, before))
    assert windows(period, end=date.fromisoformat(end)) == expected


PUBLICATION = Publication(number=7, first_day=date(2026, 9, 1), end_day=date(2026, 10, 31))


def read(address: str):
    return read_question(QueryDict(address), publication=PUBLICATION, scope=Scope())


def test_a_custom_period_includes_its_last_day_and_is_compared_with_as_many_days_before():
    asked = read("period=custom&start=2026-10-05&last=2026-10-06&metric=billed_cost&currency=cny")
    assert asked.window == Window.parse("2026-10-05", "2026-10-07")
    assert asked.before == Window.parse("2026-10-03", "2026-10-05")
    assert (asked.metric, asked.currency) == ("billed_cost", "CNY")


@pytest.mark.parametrize(
    ("address", "is_comparable", "days_known"),
    [
        pytest.param("period=30", True, 30, id="both periods are published"),
        pytest.param("period=90", False, 60, id="the period itself begins before the first publication"),
        pytest.param("period=custom&start=2026-09-05&last=2026-09-09", False, 5, id="a part of the period before"),
        pytest.param("period=custom&start=2020-01-01&last=2020-01-31", False, 1, id="long before everything"),
    ],
)
def test_a_period_is_compared_only_with_one_that_is_published(address, is_comparable, days_known):
    asked = read(address)
    assert (asked.is_comparable, asked.days_known) == (is_comparable, days_known)


def test_the_default_is_thirty_days_of_effective_cost():
    asked = read("")
    assert asked.window == Window.parse("2026-10-01", "2026-10-31")
    assert (asked.metric, asked.params()) == ("effective_cost", "")


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("period=forever", id="an unknown period"),
        pytest.param("metric=password", id="an unknown basis"),
        pytest.param("period=custom", id="a custom period without days"),
        pytest.param("period=custom&start=2026-10-02&last=2026-10-01", id="an end before the start"),
        pytest.param("period=custom&start=0001-01-01&last=2026-10-01", id="two thousand years"),
        pytest.param("period=custom&start=9999-12-31&last=9999-12-31", id="the end of time"),
        pytest.param("period=custom&start=2026-02-30&last=2026-03-01", id="a day that never was"),
        pytest.param("currency=%3Cb%3E", id="markup for a currency"),
        pytest.param("publication=-1", id="a negative publication"),
    ],
)
def test_what_cannot_be_asked_is_refused(address):
    with pytest.raises(BadQuestion):
        read(address)


@pytest.mark.parametrize(
    ("days", "grain"), [((date(2026, 1, 1), date(2026, 3, 1)), "day"), ((date(2025, 1, 1), date(2026, 1, 1)), "week")]
)
def test_long_periods_are_drawn_by_the_week(days, grain):
    start, last = days
    assert read(f"period=custom&start={start}&last={last}").grain == grain
