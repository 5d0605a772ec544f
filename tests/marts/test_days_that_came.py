"""Only days that came are compared: a day to come, or whose bill is, is no fall, and what is dated ahead no rise."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from apps.finops.periods import Published, windows
from apps.finops.windows import Window
from apps.marts.query import CostQuery
from apps.marts.shape import Shape
from apps.marts.shaping import shaped
from tests.worlds import publish_costs

DAYS = [date(2026, 8, 1) + timedelta(days=number) for number in range(81)]  # until 20 October
FLAT = [{"day": day, "team": "web", "effective_cost": "10"} for day in DAYS]
FEE = {"day": date(2026, 12, 31), "team": "web", "effective_cost": "1"}
PUBLISHED_AT = datetime(2026, 10, 23, 3, tzinfo=UTC)  # two days without a bill
OCTOBER = "start=2026-10-01&end=2026-11-01"


def days(text: str) -> Window:
    return Window.parse(*text.split("/"))


@pytest.mark.parametrize(
    ("asked", "before", "compared"),
    [
        pytest.param("10-01/10-21", None, ("10-01/10-21", "09-11/10-01"), id="all of it came: as many just before"),
        pytest.param("10-01/11-01", None, ("10-01/10-21", "09-11/10-01"), id="a part came: as many as that"),
        pytest.param("10-01/11-01", "09-01/10-01", ("10-01/10-21", "09-01/09-21"), id="the same of a period named"),
        pytest.param("10-01/11-01", "09-01/09-08", ("10-01/10-08", "09-01/09-08"), id="no more than a shorter one has"),
        pytest.param("08-01/08-15", "09-01/09-11", ("08-05/08-11", "09-05/09-11"), id="nor where the first days lack"),
        pytest.param("08-01/08-15", "09-01/09-05", None, id="a shorter one is over before the first day"),
        pytest.param("10-01/10-11", "09-01/09-08", ("10-01/10-11", "09-01/09-08"), id="all came: the period named"),
        pytest.param("08-01/08-11", "09-01/09-11", ("08-05/08-11", "09-05/09-11"), id="not what lies before the first"),
        pytest.param("11-01/12-01", None, None, id="nothing of it came"),
        pytest.param("11-01/12-01", "09-01/10-01", None, id="nor is it compared with what is named"),
        pytest.param("08-05/09-05", None, None, id="what it is compared with lies before the first day"),
        pytest.param("09-01/09-11", "10-15/10-25", None, id="what it is compared with has not come"),
    ],
)
def test_what_is_compared(asked, before, compared):
    def spelled(text):
        return days("/".join(f"2026-{day}" for day in text.split("/")))

    known = Published(date(2026, 8, 5), date(2026, 10, 21))
    found = known.compared(spelled(asked), spelled(before) if before else None)
    assert found == (tuple(spelled(one) for one in compared) if compared else None)


@pytest.mark.parametrize(
    ("custom", "before"),
    [
        pytest.param("2026-10-01/2026-11-01", "2026-09-11/2026-10-01", id="twenty days of it came"),
        pytest.param("2026-10-01/2026-10-08", "2026-09-24/2026-10-01", id="all of it came"),
        pytest.param("2026-11-01/2026-12-01", "2026-10-02/2026-11-01", id="none of it came: nothing is known anyway"),
    ],
)
def test_a_custom_period_is_compared_with_as_many_days_as_came_of_it(custom, before):
    assert windows("custom", end=date(2026, 10, 21), custom=days(custom)) == (days(custom), days(before))


def told(client: Client, question: str) -> Any:
    return client.get(f"/api/v1/costs/?{question}").json()


@pytest.mark.parametrize("compare", ["previous", "2026-09-01/2026-10-01"])
def test_the_api_compares_the_days_that_came(db, home, admin_client: Client, compare):
    publish_costs(FLAT)
    found = told(admin_client, f"{OCTOBER}&compare={compare}&group_by=team")

    beside = found["comparison"]
    assert (beside["start"], beside["end"]) == ("2026-09-01", "2026-09-21")
    assert (beside["compared_start"], beside["compared_end"]) == ("2026-10-01", "2026-10-21")
    assert Decimal(beside["totals"]["CNY"]["delta"]) == Decimal(found["rows"][0]["delta"]) == 0


@pytest.mark.parametrize("grouped", ["", "&group_by=team", "&group_by=day"])
def test_no_more_days_are_compared_than_the_period_named_has(db, home, admin_client: Client, grouped):
    publish_costs(FLAT)
    found = told(admin_client, f"start=2026-07-20&end=2026-08-11&compare=2026-09-01/2026-09-21{grouped}")

    beside = found["comparison"]
    assert [beside[name] for name in ("compared_start", "compared_end", "start", "end")] == [
        "2026-08-01", "2026-08-09", "2026-09-13", "2026-09-21",
    ]  # fmt: skip
    assert found["totals"] == {"CNY": "100.000000000000"}, "of all days asked about"
    assert Decimal(beside["totals"]["CNY"]["before"]) == 80
    assert Decimal(beside["totals"]["CNY"]["delta"]) == 0
    assert {row["delta"] and Decimal(row["delta"]) for row in found["rows"]} <= {0, None}


BESIDE_NOTHING = "None of the days of 2026-09-01..2026-09-08 stands beside a day of 2026-07-20..2026-08-11 that is"


def test_a_period_named_that_stands_beside_no_published_day_is_not_compared(db, home, admin_client: Client):
    publish_costs(FLAT)
    asked, before = "start=2026-07-20&end=2026-08-11", "&before_start=2026-09-01&before_end=2026-09-08"
    beside = told(admin_client, f"{asked}&compare=2026-09-01/2026-09-08")["comparison"]
    explained = reasons(admin_client, f"{asked}{before}")

    assert (beside["totals"], beside["compared_start"], explained["is_known"]) == ({}, None, False)
    assert (beside["start"], beside["end"]) == ("2026-09-01", "2026-09-08")
    assert beside["unknown_because"].startswith(BESIDE_NOTHING)
    assert explained["unknown_because"] == beside["unknown_because"]


@pytest.mark.parametrize("compare", ["previous", "year", "2026-10-01/2026-10-21"])
@pytest.mark.parametrize("asked", ["start=2026-11-01&end=2026-12-01", "start=2026-12-01&end=2027-01-01"])
def test_where_nothing_came_the_api_says_that_nothing_is_known(db, home, admin_client: Client, asked, compare):
    publish_costs(FLAT)
    beside = told(admin_client, f"{asked}&compare={compare}")["comparison"]

    assert beside["totals"] == {}
    assert beside["unknown_because"].startswith("None of the days of 2026-1")
    assert beside["unknown_because"].endswith(
        "is published, only those from 2026-08-01 until 2026-10-21 (end excluded)."
    )
    assert beside["compared_start"] is None


def test_what_is_dated_ahead_counts_in_the_total_and_not_in_the_change(db, home, admin_client: Client):
    publish_costs([*FLAT, FEE], created_at=PUBLISHED_AT)
    found = told(admin_client, "start=2026-10-01&end=2027-01-01&compare=2026-09-01/2026-10-01&group_by=team")

    assert found["totals"] == {"CNY": "201.000000000000"}
    assert Decimal(found["comparison"]["totals"]["CNY"]["delta"]) == 0
    assert [(Decimal(row["effective_cost"]), Decimal(row["delta"])) for row in found["rows"]] == [(201, 0)]


def test_a_month_with_a_fee_ahead_of_it_is_compared_as_far_as_it_came(db, home, admin_client: Client):
    publish_costs([*FLAT, FEE], created_at=PUBLISHED_AT)
    beside = told(admin_client, f"{OCTOBER}&compare=previous")["comparison"]
    assert (beside["end"], Decimal(beside["totals"]["CNY"]["delta"])) == ("2026-09-21", 0)


def test_others_leave_what_is_dated_ahead_out_of_their_change(db, home):
    costs = [{"day": day, "team": team, "effective_cost": "10"} for day in DAYS for team in ("web", "data", "ops")]
    publish_costs([*costs, FEE], created_at=PUBLISHED_AT)
    asked = CostQuery(date(2026, 10, 1), date(2027, 1, 1), group_by=("team",))

    found = shaped(asked, Shape(top=1, compare=days("2026-09-01/2026-10-01"), order_by=(("team", False),)))

    assert [(row.groups, row.cost, row.delta) for row in found.rows] == [(("data",), 200, 0), (("Others",), 401, 0)]


def test_the_terminal_says_that_nothing_came(db, home, capsys):
    publish_costs(FLAT)
    call_command("ask", "--start", "2026-12-01", "--end", "2027-01-01", "--compare", "previous")
    assert "Before: not known. None of the days of 2026-12-01..2027-01-01 is published" in capsys.readouterr().out


def reasons(client: Client, question: str) -> Any:
    return client.get(f"/api/v1/why/?{question}").json()


@pytest.mark.parametrize("more", [[], [FEE]], ids=["nothing ahead", "a fee ahead"])
@pytest.mark.parametrize("before", ["", "&before_start=2026-09-01&before_end=2026-10-01"])
def test_the_api_explains_the_days_that_came(db, home, admin_client: Client, more, before):
    publish_costs([*FLAT, *more], created_at=PUBLISHED_AT)
    found = reasons(admin_client, f"{OCTOBER}{before}")

    assert (found["query"]["start"], found["query"]["end"]) == ("2026-10-01", "2026-10-21")
    assert (found["is_known"], found["unknown_because"]) == (True, "")
    assert found["sentences"] == ["All teams cost 200.00 CNY, to the cent as before."]


@pytest.mark.parametrize(
    ("question", "because"),
    [
        ("start=2026-11-01&end=2026-12-01", "None of the days of 2026-11-01..2026-12-01 is published"),
        ("start=2026-08-05&end=2026-09-05", "Not all days of 2026-07-05..2026-08-05 are published"),
    ],
)
def test_the_api_explains_nothing_where_nothing_can_be_compared(db, home, admin_client: Client, question, because):
    publish_costs(FLAT)
    found = reasons(admin_client, question)

    assert found["unknown_because"].startswith(because)
    assert (found["is_known"], found["sentences"], found["changes"], found["rows"]) == (False, [], [], [])
