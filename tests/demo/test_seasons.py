"""The simulated company has a year of its own that holds for any year: terms, vacations, festivals, sales, budgets."""

import csv
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from apps.demo import plans, seasons
from apps.demo.organisation import TEAM_NAMES
from apps.demo.seasons import PROMOTION, TERM
from apps.demo.timetable import day_load
from apps.learning.calendars import known_holidays

YEARS = [2025, 2026, 2027, 2028, 2031, 2034, 2060, 2096]


def _days(year):
    return [date(year, 1, 1) + timedelta(days=number) for number in range(366 if year % 4 == 0 else 365)]


def _peak(profile, day):
    return day_load(day, profile, end=day).max()


@pytest.fixture
def calendar(tmp_path):
    """The spans of the calendar that is told, and whether one of a kind holds a day."""
    path = tmp_path / "calendar.csv"
    plans.write_calendar(path, start=date(2026, 11, 1), end=date(2027, 1, 1))
    with path.open() as stream:
        rows = [*csv.DictReader(stream)]
    spans = [(row["kind"], date.fromisoformat(row["first"]), date.fromisoformat(row["last"])) for row in rows]
    return lambda kind, day: any(one == kind and first <= day <= last for one, first, last in spans)


@pytest.mark.parametrize("year", YEARS)
def test_every_day_is_in_a_term_or_in_a_vacation(year):
    known = [one for before in (year - 1, year) for one in seasons.year_of(before)]
    held = Counter(
        (
            sum(one.holds(day) for one in known if one.kind == TERM),
            sum(one.holds(day) for one in known if one.kind == "vacation"),
        )
        for day in _days(year)
    )
    assert set(held) == {(1, 0), (0, 1)}


@pytest.mark.parametrize("year", YEARS)
def test_nobody_has_lessons_as_usual_on_new_years_eve(year):
    eve = min(day for day, names in known_holidays(("CN",), year, year).off.items() if "CN Chinese New Year" in names)
    assert _peak("live", eve) < 0.6 < _peak("live", eve - timedelta(days=30))


def test_what_the_calendar_tells_is_what_happens(calendar):
    """Of days of which both know: sales bring load, and no day of a term has the load of a vacation."""
    days = [day for year in (2026, 2027) for day in _days(year)]
    told = [day for day in days if calendar(PROMOTION, day)]
    busy = [day for day in days if _peak("promotion", day) > 0.9]
    assert told == busy
    vacations = (seasons.WINTER, seasons.SUMMER, seasons.SPRING_FESTIVAL)
    assert [day for day in days if calendar(TERM, day) and seasons.told(day) in vacations] == []


@pytest.mark.parametrize(
    ("start", "end", "grain", "since"),
    [
        pytest.param(date(2026, 8, 31), date(2026, 11, 1), "quarter", "2026-07-01", id="a quarter that was seen begin"),
        pytest.param(date(2026, 10, 31), date(2027, 1, 1), "month", "2026-10-01", id="one that was not"),
        pytest.param(date(2026, 10, 31), date(2027, 1, 2), "quarter", "2026-10-01", id="the first day of one"),
    ],
)
def test_departments_have_budgets_of_which_can_be_said_where_they_land(tmp_path, start, end, grain, since):
    plans.write_budgets(tmp_path / "budgets.csv", {"live-core": Decimal(10)}, start=start, end=end)
    with (tmp_path / "budgets.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["dimension"] == "department"]
    assert {(row["grain"], row["valid_from"]) for row in rows} == {(grain, since)}


@pytest.mark.parametrize("end", [date(2027, 1, 1), date(2027, 3, 1), date(2028, 2, 29), date(2027, 5, 15)], ids=str)
def test_who_has_a_tight_budget_overspends_it_however_long_the_month_is(tmp_path, end):
    daily = dict.fromkeys(TEAM_NAMES, Decimal(100))
    plans.write_budgets(tmp_path / "budgets.csv", daily, start=end - timedelta(days=62), end=end)
    last = end - timedelta(days=1)
    spent = 100 * ((last.replace(day=1) + timedelta(days=32)).replace(day=1) - last.replace(day=1)).days
    with (tmp_path / "budgets.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["dimension"] in ("", "team")]
    tight = {row["value"] for row in rows if Decimal(row["amount"]) < spent * (1 if row["value"] else len(TEAM_NAMES))}
    assert tight == {"", "live-core"}


@pytest.mark.parametrize("end", ["1900-01-01", "2098-01-01"])
def test_years_whose_festivals_nobody_knows_are_refused(tmp_path, end):
    with pytest.raises(CommandError, match="lunar calendar"):
        call_command("demo", to=tmp_path / "never", end=end)
    assert not (tmp_path / "never").exists()
