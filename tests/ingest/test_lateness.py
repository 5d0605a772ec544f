"""What is usual is learned, what is late is said: on the pages, at the terminal, in the exit status."""

import io
from datetime import date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.ingest import lateness, selectors, services
from apps.ingest.lateness import arrivals_of
from apps.ingest.models import Arrival
from apps.ingest.options import InvalidOption
from tests.ingest.bills import NOW, bill, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

FIRST = date(2026, 9, 25)


def watched(folder, *, last: date, **options):
    """A source watched for forty days, whose every day came whole eight hours after its end, up to `last`."""
    one = source(folder, **options)
    one.created_at = NOW - timedelta(days=40)
    one.save()
    for at in range((last - FIRST).days + 1):
        day = FIRST + timedelta(days=at)
        seen = end_of(day) + timedelta(hours=8)
        Arrival.objects.create(source=one, day=day, currency="CNY", seen_at=seen, effective_cost="5")
    return one


def end_of(day: date) -> datetime:
    return lateness._end_of(day, lateness.ZoneInfo(lateness.settings.COSTOPS_TIME_ZONE))


DAY = date(2026, 10, 31)
"""The day that is awaited: all before it have come."""


@pytest.mark.parametrize(
    ("after", "options", "said"),
    [
        pytest.param(13, {}, "", id="not yet six hours later than usual"),
        pytest.param(15, {}, "15 h after its end; usually there after 8 h", id="later than usual"),
        pytest.param(47, {"late_after": "48"}, "", id="the source says more"),
        pytest.param(49, {"late_after": "48"}, "49 h after its end; due after 48 h", id="later than the source says"),
        pytest.param(3, {"late_after": "2"}, "3 h after its end; due after 2 h", id="the source says less"),
    ],
)
def test_a_day_that_does_not_come(tmp_path, after, options, said):
    one = watched(tmp_path, last=DAY - timedelta(days=1), **options)
    found = arrivals_of(one, end_of(DAY) + timedelta(hours=after))
    assert found.sentence == "Usually 97 % complete after 12 h"
    assert (said in str(found.late)) if said else (found.late is None)
    assert found.late is None or found.late.day == DAY


def test_a_cost_that_goes_on_changing_is_told_as_whole_as_it_gets(tmp_path):
    """Every day's cost doubles twelve days after its end: after ten days half of it is there."""
    one = watched(tmp_path, last=date(2026, 10, 15))
    for day in (FIRST + timedelta(days=at) for at in range(21)):
        seen = end_of(day) + timedelta(days=12)
        Arrival.objects.create(source=one, day=day, currency="CNY", seen_at=seen, effective_cost="10")
    assert arrivals_of(one, NOW).sentence == "Usually 50 % complete after 240 h"


def test_a_charge_dated_ahead_hides_no_late_day(tmp_path):
    one = watched(tmp_path, last=DAY - timedelta(days=1))
    now = end_of(DAY) + timedelta(hours=15)
    Arrival.objects.create(source=one, day=date(2026, 12, 1), currency="CNY", seen_at=now, effective_cost="9")
    assert arrivals_of(one, now).late.day == DAY


def test_a_source_that_is_paused_is_not_late(tmp_path):
    one = watched(tmp_path, last=DAY - timedelta(days=1))
    one.is_active = False
    assert arrivals_of(one, end_of(DAY) + timedelta(days=9)).late is None


def test_what_never_came_is_late_by_the_option_only(tmp_path):
    new, told = source(tmp_path / "a", name="new"), source(tmp_path / "b", name="told", late_after="24")
    later = NOW + timedelta(days=3)
    assert arrivals_of(new, later).late is None
    assert arrivals_of(told, later).late.day == NOW.date()


def test_usage_is_late_by_the_option(tmp_path):
    text = "hour,cluster,observed_samples,expected_samples\n2026-10-01T09:00:00Z,c,60,60\n"
    put(tmp_path, "coverage_hours/2026-10-01.csv", text.encode())
    one = source(tmp_path, kind="usage_files", late_after="30")
    services.land(one, NOW)
    assert services.meter_files(one, NOW).problems == ()
    due = end_of(date(2026, 10, 2)) + timedelta(hours=30)
    assert selectors.state_of(one, due).arrival.late is None
    (state,) = selectors.source_states(due + timedelta(hours=1))
    assert state.arrival.late.day == date(2026, 10, 2)
    assert [problem.code for problem in state.problems] == ["late"]


def test_a_check_fails_while_a_day_is_late(tmp_path):
    one = source(tmp_path, late_after="24")
    put(tmp_path, "a.csv", bill(row("1", "2020-01-01")))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 3 facts are wrong"):
        call_command("source", "check", one.name, "--format", "csv", stdout=out)
    assert "due after 24 h" in out.getvalue()


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "99999"])
def test_an_option_that_cannot_be_meant_is_refused(tmp_path, value):
    with pytest.raises(InvalidOption, match="say a whole number of hours"):
        source(tmp_path, late_after=value)
