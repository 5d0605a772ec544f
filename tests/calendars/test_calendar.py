"""The business calendar: what is brought holds, replaces, and is undone; forecasts and working days go by it."""

import io
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from apps.calendars import selectors, services
from apps.finops.sheets import BadSheet
from apps.finops.windows import Window
from apps.insights import services as insights
from apps.teams.approval import Actor, NotYours

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 1, tzinfo=UTC)
FINANCE = Actor("hanmeimei", None)
ICAL = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
SUMMARY:Autumn
DTSTART;VALUE=DATE:20260901
DTEND;VALUE=DATE:20270116
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Sale
CATEGORIES:Promotion
DTSTART:20261111T000000
DTEND:20261112T000000
END:VEVENT
END:VCALENDAR
"""


def bring(text: str | bytes, kind: str = ""):
    content = text if isinstance(text, bytes) else f"name,kind,first,last\n{text}".encode()
    return services.bring(content, "days.csv", by=FINANCE, now=NOW, kind=kind)


def held() -> list[tuple[str, str, str, str]]:
    return [(one.name, one.kind, f"{one.first}", f"{one.last}") for one in selectors.spans()]


def test_the_newest_of_a_name_holds_and_undoing_it_brings_the_one_before_back():
    bring("Autumn,term,2026-09-01,2027-01-15\nSpring,term,2027-02-20,2027-07-01\n")
    second = bring("Autumn,term,2026-09-07,2027-01-20\n")

    assert held() == [("Autumn", "term", "2026-09-07", "2027-01-20"), ("Spring", "term", "2027-02-20", "2027-07-01")]
    assert bring("Autumn,term,2026-09-07,2027-01-20\n") is None, "it holds already"
    services.withdraw(second.number, by=FINANCE, now=NOW)
    assert held()[0] == ("Autumn", "term", "2026-09-01", "2027-01-15")
    newest = selectors.imports()[0]
    assert (newest.number, newest.withdrawn_by) == (second.number, "hanmeimei")


def test_forecasts_are_due_again_when_a_term_is_brought(settings):
    settings.COSTOPS_SEASONS = ["camp:2026-07-01..2026-07-31"]
    before = insights.identity()
    bring("Autumn,term,2026-09-01,2027-01-15\n")
    assert insights.identity() != before
    assert [season.name for season in selectors.calendar().seasons] == ["camp", "Autumn"]


def test_a_calendar_says_what_its_events_are_or_is_told():
    bring(ICAL, kind="term")
    assert held() == [("Autumn", "term", "2026-09-01", "2027-01-15"), ("Sale", "promotion", "2026-11-11", "2026-11-11")]


def test_a_workbook_is_read_as_csv_is():
    book, out = Workbook(), io.BytesIO()
    book.worksheets[0].append(["name", "kind", "first", "last"])
    book.worksheets[0].append(["Sale", "promotion", date(2026, 11, 1), "2026-11-11"])
    book.save(out)
    bring(out.getvalue())
    assert held() == [("Sale", "promotion", "2026-11-01", "2026-11-11")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Sale,party,2026-11-01,2026-11-02\n", "days.csv: line 2, column kind: 'party' is not one of"),
        ("Sale,term,2026-11-01,soon\n", "line 2, column last: 'soon' is not a day"),
        ("A,term,2026-11-01,2026-11-02\nSale,term,2026-11-03,2026-11-02\n", "line 3, column last"),
        (
            "A,term,2026-11-01,2026-11-05\nA,term,2026-11-05,2026-11-09\n",
            "line 3, column first: term 'A' overlaps line 2",
        ),
        (ICAL, "column kind: ''"),
        (b"PK\x03\x04 cut short", "not a workbook that can be read"),
    ],
)
def test_a_mistake_refuses_all_of_it(text, says):
    with pytest.raises(BadSheet, match=says):
        bring(text)
    assert held() == []


def test_finance_keeps_the_calendar():
    with pytest.raises(NotYours):
        services.bring(b"", "x", by=Actor("lilei", frozenset({"web"})), now=NOW)


def test_worked_weekends_and_own_days_off_are_counted():
    october = Window(date(2026, 10, 1), date(2026, 11, 1))
    assert selectors.working_days(october).count(october) == 18  # 22 weekdays, 5 of them off, and a Saturday worked
    bring("Outing,holiday,2026-10-12,2026-10-13\nMove,workday,2026-10-17,2026-10-17\n")
    assert selectors.working_days(october).count(october) == 17


def test_the_terminal_brings_shows_and_undoes(tmp_path):
    (tmp_path / "t.csv").write_text("name,kind,first,last\nAutumn,term,2026-09-01,2027-01-15\n")
    out = io.StringIO()
    call_command("calendar", "import", str(tmp_path / "t.csv"), stdout=out)
    (number,) = selectors.imports().values_list("number", flat=True)
    call_command("calendar", "show", "2026", "--format", "csv", stdout=out)
    call_command("calendar", "remove", str(number), stdout=out)
    call_command("calendar", "list", "--format", "csv", stdout=out)
    said = out.getvalue()
    assert f"2026-09-01,2027-01-15,term,Autumn,import {number}" in said
    assert "2026-10-10,2026-10-10,workday" in said
    assert held() == []
