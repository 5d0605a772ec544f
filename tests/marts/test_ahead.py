"""A purchase may be dated ahead: what is counted back from the newest day is counted from one that has come."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from apps.dashboards import day_news, searching
from apps.dashboards.forms import read_question
from apps.explorer.answering import explore, offered_values
from apps.explorer.question import Exploration
from apps.finops.tables import ALLOCATED, CHARGES
from apps.finops.windows import Window
from apps.insights.findable import findable
from apps.insights.worklist import worklist
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.reports.selectors import published_weeks
from apps.reports.views import asked_week
from tests.allocation.worlds import put, put_usage
from tests.worlds import UNTAGGED, cost_row, publish_costs

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
    units = admin_client.get("/api/v1/units/", {"driver": "requests"}).json()
    page = admin_client.get("/").content.decode()

    assert (said["query"]["end"], said["totals"]) == ("2026-10-31", {"CNY": "10.000000000000"})
    assert everything["totals"] == {"CNY": "9030.000000000000"}, "and nothing of it is lost"
    assert "30.00" in page
    assert units["query"]["end"] == "2026-10-31"


PLACE = {"team": "web", "cluster": "online", "namespace": "shop", "workload": "cart"}
RESOURCE = {"resource": "disk-1", "service": "Disk", "pool": "charge", "rule": "", "ruleset": 1}


def published_ahead(**given: str) -> Publication:
    """A month of costs, and a fee a year ahead."""
    return publish_costs([*({"day": day, "effective_cost": "1"} | given for day in OCTOBER), FEE], created_at=NOW)


def holding(pinned: Publication, rows: list[dict[str, Any]]) -> Publication:
    """The same with these rows allocated."""
    put_usage()
    pinned.versions |= {ALLOCATED.name: put(ALLOCATED, rows), CHARGES.name: put(CHARGES, [])}
    pinned.save()
    return pinned


def test_places_and_resources_are_found(db, home):
    disk = cost_row(day=OCTOBER[-1], effective_cost="1", **PLACE, **RESOURCE, **UNTAGGED)
    pinned = holding(published_ahead(**PLACE), [disk])

    found = findable(pinned, Scope())

    assert [one.name for one in (*found.namespaces, *found.workloads, *found.resources)] == ["shop", "cart", "disk-1"]
    (url,) = [searching._to_explanation(one, pinned) for one in found.resources]
    assert "start=2026-09-30&end=2026-10-31" in url


def test_the_worklist_is_of_the_last_days_that_came(db, home):
    holding(published_ahead(), [])
    assert worklist().window == Window(date(2026, 10, 1), date(2026, 10, 31))


def test_days_that_wait_for_a_bill_are_shown_after_the_last_that_came(db, home, monkeypatch):
    pinned = published_ahead()
    asked = read_question(QueryDict(""), publication=pinned, scope=Scope())
    monkeypatch.setattr(day_news, "waits_of", lambda _pinned: {("bill", date(2026, 10, 31))})
    assert day_news._reaching(asked, pinned).window == Window(date(2026, 10, 1), date(2026, 11, 1))


def test_who_watches_is_told_the_last_day_that_came(db, home, settings, client: Client):
    settings.COSTOPS_METRICS_TOKEN = token = "token-of-who-watches"
    published_ahead()
    said = client.get("/metrics", headers={"authorization": f"Bearer {token}"}).content.decode()
    (at,) = [line.split()[1] for line in said.splitlines() if line.startswith("costops_published_end_timestamp")]
    assert datetime.fromtimestamp(float(at), UTC) == datetime(2026, 10, 31, tzinfo=UTC)
