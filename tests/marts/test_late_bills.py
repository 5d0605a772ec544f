"""A bill that is late beside others that came: no fall of cost, but said, and not waited for without end."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client

from apps.budgets import services
from apps.budgets.drafts import Draft
from apps.dashboards.forms import read_question
from apps.explorer.answering import explore
from apps.explorer.question import read as exploration
from apps.finops.late import late_bills, whole_until
from apps.finops.windows import ONE_DAY, Window
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.marts.services import _late
from apps.reports.selectors import is_published, published_weeks
from apps.reports.views import asked_week
from apps.reports.weeks import Week
from apps.teams.approval import Actor
from apps.teams.models import Team
from tests.worlds import publish_costs

FIRST, END = date(2026, 8, 1), date(2026, 10, 21)
OCTOBER = {"start": "2026-10-01", "end": "2026-11-01"}


def days(first: date, end: date, step: int = 1) -> list[date]:
    return [first + timedelta(days=number) for number in range(0, (end - first).days, step)]


WORKED = [day for day in days(FIRST, date(2026, 10, 24)) if day.weekday() < 5]  # until Friday, 23 October


@pytest.mark.parametrize(
    ("usage", "until", "end"),
    [
        pytest.param(days(FIRST, END), END, None, id="it came"),
        pytest.param(days(FIRST, date(2026, 10, 16)), END, date(2026, 10, 16), id="five days late"),
        pytest.param(days(FIRST, date(2026, 10, 20)), END, date(2026, 10, 20), id="a day late, who bills every day"),
        pytest.param(WORKED, date(2026, 10, 26), None, id="a Sunday, who bills on working days"),
        pytest.param(WORKED, date(2026, 10, 27), date(2026, 10, 24), id="a Monday, who bills on working days"),
        pytest.param(days(FIRST, date(2026, 10, 2), 30), END, None, id="once a month"),
        pytest.param(days(date(2026, 10, 10), date(2026, 10, 16)), END, None, id="not known for long enough"),
        pytest.param(days(FIRST, date(2026, 9, 6)), END, date(2026, 9, 6), id="for six weeks"),
        pytest.param(days(FIRST, date(2026, 9, 5)), END, None, id="it has ended"),
        pytest.param([], END, None, id="no usage at all"),
        pytest.param([*days(FIRST, date(2026, 10, 16)), date(2026, 12, 1)], END, date(2026, 10, 16), id="dated ahead"),
    ],
)
def test_who_is_late(usage, until, end):
    assert late_bills({"cloud": usage}, until) == ({"cloud": end} if end else {})


@pytest.mark.parametrize(
    ("late", "whole"),
    [
        ([], END), ([date(2026, 10, 16)], date(2026, 10, 16)), ([date(2026, 10, 14)], date(2026, 10, 14)),
        ([date(2026, 10, 13)], END), ([date(2026, 9, 9), date(2026, 10, 19)], date(2026, 10, 19)),
    ],
)  # fmt: skip
def test_a_week_is_waited_for(late, whole):
    assert whole_until(END, late) == whole


def company(cloud_until: date, end: date = END) -> Publication:
    """Ten a day of web by a small bill, ninety a day of data by that of a cloud."""
    bills = (("cloud", "data", "90", cloud_until), ("saas", "web", "10", end))
    costs = [
        {"day": day, "team": team, "source": source, "effective_cost": cost}
        for source, team, cost, until in bills
        for day in days(FIRST, until)
    ]
    return publish_costs(costs, created_at=datetime.combine(end, time(3), UTC))


@pytest.fixture
def late(db: None, home: None) -> Publication:
    return company(date(2026, 10, 16))


CLOUD = {"source": "cloud", "until": "2026-10-16", "shares": {"CNY": "0.900000000000"}, "is_waited_for": True}


@pytest.mark.parametrize("compare", ["previous", "2026-09-01/2026-10-01"])
def test_the_api_compares_the_days_of_which_every_bill_came(late, admin_client: Client, compare):
    said = admin_client.get("/api/v1/costs/", OCTOBER | {"compare": compare}).json()
    beside = said["comparison"]

    assert (beside["compared_end"], beside["end"]) == ("2026-10-16", "2026-09-16")
    assert said["totals"] == {"CNY": "1550.000000000000"}
    assert (Decimal(beside["totals"]["CNY"]["delta"]), beside["ahead"]) == (0, {"CNY": "50.000000000000"})
    assert beside["late"] == [CLOUD]


@pytest.mark.parametrize(
    ("asked", "compared"),
    [
        pytest.param("period=30", ("2026-09-21/2026-10-16", "2026-08-27/2026-09-21"), id="as many days just before"),
        pytest.param("period=month", ("2026-10-01/2026-10-16", "2026-09-01/2026-09-16"), id="the same of a month"),
        pytest.param(
            "period=custom&start=2026-10-10&last=2026-10-25", ("2026-10-10/2026-10-16", "2026-10-04/2026-10-10"),
            id="of days that are named, those that came",
        ),
    ],
)  # fmt: skip
def test_pages_and_the_explorer_compare_the_same_days(late, asked, compared):
    of_page = read_question(QueryDict(asked), publication=late, scope=Scope())
    given = dict(QueryDict(f"{asked}&compare=before").lists())
    of_explorer = explore(exploration(given), late, Scope())

    pages = [(of_page.came, of_page.before), (of_explorer.came, of_explorer.before)]
    assert [tuple(f"{one.start}/{one.end}" for one in both if one) for both in pages] == [compared, compared]


def test_the_month_before_is_compared_as_far_as_every_bill_came(db, home):
    pinned = company(date(2026, 10, 30), date(2026, 11, 4))
    asked = read_question(QueryDict("period=last-month"), publication=pinned, scope=Scope())
    assert (asked.came, asked.before) == (
        Window(date(2026, 10, 1), date(2026, 10, 30)), Window(date(2026, 9, 1), date(2026, 9, 30)),
    )  # fmt: skip


def test_of_days_on_which_all_a_bill_is_late_nothing_is_compared(db, home, admin_client: Client):
    """Of November the small bill alone came, ten a day of three days."""
    company(date(2026, 10, 30), date(2026, 11, 4))
    for page in ("/", "/explorer/", "/why/"):
        body = " ".join(admin_client.get(page, {"period": "month", "compare": "before"}).content.decode().split())
        assert "a bill is late on every day of this period" in body, page
        assert "no day of this period is published" not in body
    beside = admin_client.get("/api/v1/costs/", {"start": "2026-11-01", "end": "2026-12-01", "compare": "previous"})
    assert beside.json()["comparison"]["unknown_because"] == (
        "A bill is late on every day of 2026-11-01..2026-12-01: every bill came from 2026-08-01 until 2026-10-30 (end "
        "excluded)."
    )
    assert "10.00 CNY a day" in " ".join(admin_client.get("/?period=month").content.decode().split())


def test_why_and_units_say_it_too(late, admin_client: Client):
    why = admin_client.get("/api/v1/why/", OCTOBER).json()
    units = admin_client.get("/api/v1/units/change/", OCTOBER | {"driver": "orders"}).json()

    assert (why["query"]["end"], why["late"]) == ("2026-10-16", [CLOUD])
    assert why["sentences"] == ["All teams cost 1,500.00 CNY, to the cent as before."]
    assert (units["query"]["end"], units["late"]) == ("2026-10-16", [CLOUD])


def test_nothing_is_said_of_a_bill_that_a_question_does_not_stand_on(late, admin_client: Client):
    of_web = admin_client.get("/api/v1/costs/", OCTOBER | {"compare": "previous", "filter[team]": "web"}).json()
    before = {"start": "2026-10-01", "end": "2026-10-16", "compare": "previous"}
    of_days_that_came = admin_client.get("/api/v1/costs/", before).json()
    assert (of_web["comparison"]["late"], of_days_that_came["comparison"]["late"]) == ([], [])


def test_a_bill_that_is_late_for_longer_holds_nothing_back_and_is_said(db, home, admin_client: Client):
    company(date(2026, 10, 10))
    beside = admin_client.get("/api/v1/costs/", OCTOBER | {"compare": "previous"}).json()["comparison"]

    assert (beside["compared_end"], Decimal(beside["totals"]["CNY"]["delta"])) == ("2026-10-21", -990)
    assert beside["late"] == [CLOUD | {"until": "2026-10-10", "is_waited_for": False}]


def test_publishing_finds_who_is_late_but_for_who_is_retired(late):
    version, came = late.versions["costs"], END - ONE_DAY
    assert late.late == _late(version, came, ()) == {"cloud": "2026-10-16"}
    assert _late(version, came, {"cloud"}) == {}


def test_a_week_is_whole_with_every_bill(late):
    assert [is_published(Week.parse(f"2026-W{number}")) for number in (41, 42)] == [True, False]
    assert [str(week) for week in published_weeks(2)] == ["2026-W40", "2026-W41"]
    assert str(asked_week(None)) == "2026-W41"


def test_the_page_of_a_budget_says_it_where_that_stands_on_the_bill(late, admin_client: Client):
    """What was spent until the twentieth lacks five days of the bill of data."""
    for team, is_said in (("data", True), ("web", False)):
        Team.objects.create(name=team)
        told: dict[str, Any] = {"amount": "3000", "currency": "CNY", "valid_from": date(2026, 10, 1)}
        draft = Draft(name=team, dimension="team", value=team, **told)
        made = services.create(draft, by=Actor("hanmeimei", None), now=datetime(2026, 10, 21, 3, tzinfo=UTC))
        body = admin_client.get(f"/budgets/{made.pk}/").content.decode()
        assert ("100.0 % of what is billed in CNY is missing." in body) is is_said


def test_pages_and_the_terminal_say_it(late, admin_client: Client, capsys: Any):
    for page in ("/", "/explorer/", "/why/"):
        body = " ".join(admin_client.get(page).content.decode().split())
        assert "The bill of cloud came only until 15 Oct 2026." in body, page
        assert "90.0 % of what is billed in CNY is missing." in body, page
    overview = " ".join(admin_client.get("/?period=month").content.decode().split())
    assert "compared and averaged are the days that came, 1 Oct 2026 – 15 Oct 2026" in overview
    assert "0.0 % against the same days of the month before, compared until 15 Oct 2026" in overview
    asked = itertools.chain.from_iterable((f"--{name}", value) for name, value in OCTOBER.items())
    call_command("ask", *asked, "--compare", "previous")
    assert "The bill of cloud came only until 2026-10-15." in capsys.readouterr().out
