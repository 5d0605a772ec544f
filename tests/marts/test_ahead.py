"""A purchase may be dated ahead: what is counted back from the newest day is counted from one that has come."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict
from django.test import Client

from apps.dashboards.forms import read_question
from apps.explorer.answering import explore, offered_values
from apps.explorer.question import Exploration
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.reports.selectors import published_weeks
from apps.reports.views import asked_week
from tests.worlds import publish_costs

NOW = datetime(2026, 10, 30, 17, tzinfo=UTC)  # the 31st in Shanghai
OCTOBER = [date(2026, 10, 1) + timedelta(days=number) for number in range(30)]
FEE = {"day": date(2027, 11, 1), "effective_cost": "9000", "team": "live", "charge_category": "Purchase"}


@pytest.mark.parametrize(
    ("first", "end", "came"),
    [
        pytest.param(date(2026, 9, 1), date(2026, 10, 20), date(2026, 10, 20), id="nothing is dated ahead"),
        pytest.param(date(2026, 9, 1), date(2026, 11, 1), date(2026, 11, 1), id="today has come"),
        pytest.param(date(2026, 9, 1), date(2027, 11, 2), date(2026, 11, 1), id="a year ahead"),
        pytest.param(date(2027, 1, 1), date(2027, 11, 2), date(2027, 1, 2), id="all of it is ahead: the first day"),
        pytest.param(None, None, None, id="no cost"),
    ],
)
def test_what_had_come_when_it_was_published(settings, first, end, came):
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    assert Publication(created_at=NOW, first_day=first, end_day=end).came_until == came


def test_days_whose_bill_is_late_have_not_come_though_a_fee_is_dated_ahead():
    ends = {"first_day": date(2026, 9, 1), "end_day": date(2027, 11, 2)}
    assert Publication(created_at=NOW, came_day=date(2026, 10, 20), **ends).came_until == date(2026, 10, 21)


def test_a_purchase_dated_ahead_moves_no_period(db, home):
    costs = [{"day": day, "effective_cost": "1", "team": "web"} for day in OCTOBER]
    pinned = publish_costs([*costs, FEE], created_at=NOW)

    asked = read_question(QueryDict(""), publication=pinned, scope=Scope())
    explored = explore(Exploration(), pinned, Scope())
    offered = offered_values(Exploration(), pinned, Scope(), "team")

    assert asked.window == Window(date(2026, 10, 1), date(2026, 10, 31))
    assert explored.window == asked.window
    assert [name for name, _ in offered] == ["web"]
    assert [str(week) for week in published_weeks(2)] == ["2026-W42", "2026-W43"]
    assert str(asked_week(None)) == "2026-W43"


def test_nor_the_last_days_that_the_api_and_the_pages_are_asked_for(db, home, admin_client: Client):
    publish_costs([*({"day": day, "effective_cost": "1"} for day in OCTOBER), FEE], created_at=NOW)

    said = admin_client.get("/api/v1/costs/", {"filter[time_scope_value]": "-10"}).json()
    everything = admin_client.get("/api/v1/costs/").json()
    page = admin_client.get("/").content.decode()

    assert (said["query"]["end"], said["totals"]) == ("2026-10-31", {"CNY": "10.000000000000"})
    assert everything["totals"] == {"CNY": "9030.000000000000"}, "and nothing of it is lost"
    assert "30.00" in page
