"""The page of the installation itself: its readiness, its room on disk, and what it costs."""

from decimal import Decimal

import pytest

from apps.monitoring import selectors
from apps.monitoring.readiness import Check
from tests.dashboards import company

pytestmark = pytest.mark.django_db


def test_it_is_for_those_who_see_everything(published, client_of):
    assert client_of("staff").get("/installation/").status_code == 200
    assert client_of("lilei").get("/installation/").status_code == 403


def test_its_own_cost_is_that_of_its_namespaces(published, settings):
    settings.COSTOPS_OWN_NAMESPACES = ["online/kube-system"]
    own = selectors.own_cost(days=30)
    assert (own.start, own.end) == (company.OCTOBER[0], company.END_DAY)
    assert own.own == {"CNY": Decimal("1.10") * len(company.OCTOBER)}
    assert own.everything["CNY"] > own.own["CNY"]


@pytest.mark.parametrize(
    ("namespaces", "said"),
    [
        pytest.param([], "Nobody has said where CostOps runs", id="nobody said: unknown, not zero"),
        pytest.param(["online/kube-system"], "33.00", id="known: exact, for display rounded"),
        pytest.param(["online/misspelt"], "have no cost in these days", id="of no cost: unknown, not zero"),
    ],
)
def test_the_page_says_what_it_costs_or_why_that_is_unknown(published, client_of, settings, namespaces, said):
    settings.COSTOPS_OWN_NAMESPACES = namespaces
    assert said in client_of("staff").get("/installation/").content.decode()


@pytest.mark.parametrize(
    ("broken", "said"), [((), "Ready</span>"), (("broker",), "Ready, but work waits"), (("folders",), "Not ready")]
)
def test_the_page_tells_whether_people_or_work_must_wait(published, client_of, monkeypatch, broken, said):
    found = [Check(name, name not in broken, "", name != "broker") for name in ("database", "folders", "broker")]
    monkeypatch.setattr("apps.dashboards.installation.checks", lambda: found)
    assert said in client_of("staff").get("/installation/").content.decode()


def test_it_says_what_the_lake_keeps(published):
    kept = {one.table: one.rows for one in selectors.stored()}
    assert kept["costs"] > 0
    assert "charges" not in kept  # nothing was read: it is not told as an empty table
