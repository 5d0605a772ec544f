"""Who looked at which teams' cost is in the log of reads: what was shown, not what an address asked for."""

import pytest
from django.contrib.auth.models import User

from apps.audit.models import ReadEntry
from apps.teams.models import Team

pytestmark = pytest.mark.django_db
EVERYTHING = None
COSTS = "/api/v1/costs/?start=2026-10-01&end=2026-10-02"


@pytest.fixture(autouse=True)
def kept(settings):
    settings.COSTOPS_READ_LOG = 30


@pytest.mark.parametrize(
    ("address", "of_finance", "of_lilei"),
    [
        pytest.param("/", EVERYTHING, ["live-class"], id="a page of all"),
        pytest.param("/teams/live-class/", ["live-class"], ["live-class"], id="a page of a team"),
        pytest.param("/?team=decoy", EVERYTHING, ["live-class"], id="a parameter that the page does not know"),
        pytest.param("/forecasts/?team=decoy", EVERYTHING, ["live-class"], id="another page that does not"),
        pytest.param("/explorer/?team=search", EVERYTHING, ["live-class"], id="a filter beside which all are offered"),
        pytest.param(COSTS, EVERYTHING, ["live-class"], id="the API of all"),
        pytest.param(f"{COSTS}&team=live-class", ["live-class"], ["live-class"], id="the API of a team"),
        pytest.param(f"{COSTS}&filter[team]=search,live-class", ["live-class", "search"], ["live-class"], id="of two"),
        pytest.param(f"{COSTS}&team=%22live-class%22", ["live-class"], ["live-class"], id="a team in quotes"),
        pytest.param(f"{COSTS}&filter[team]=*", EVERYTHING, ["live-class"], id="any team"),
    ],
)
def test_a_read_is_of_the_teams_that_were_shown(published, client_of, address, of_finance, of_lilei):
    for who, teams in (("finance", of_finance), ("lilei", of_lilei)):
        assert client_of(who).get(address).status_code == 200
        assert (ReadEntry.objects.latest("pk").actor, ReadEntry.objects.latest("pk").teams) == (who, teams)


def test_a_file_is_of_the_teams_whose_rows_are_in_it(published, client_of):
    client_of("finance").get(f"{COSTS}&filter[team]=search&format=csv")
    assert (ReadEntry.objects.get().is_export, ReadEntry.objects.get().teams) == (True, ["search"])


def test_no_name_is_cut_off(published, client_of):
    named = ",".join([*(f"a{n:03}" for n in range(120)), "search"])
    client_of("finance").get(f"{COSTS}&team={named}")
    assert len(ReadEntry.objects.get().teams) == 121


@pytest.mark.parametrize(
    "address", ["/recommendations/", "/savings/", "/api/v1/budgets/", "/api/v1/recommendations/", "/api/v1/savings/"]
)
def test_whoever_is_the_address_of_a_lead_reads_of_that_team(published, client_of, address):
    """They see no cost and decide: budgets and findings of the team are shown to them."""
    Team.objects.filter(name="search").update(lead_email="newcomer@corp.example")
    client_of("newcomer").get(address)
    assert not ReadEntry.objects.exists(), "there is nothing they may see"
    User.objects.filter(username="newcomer").update(email="newcomer@corp.example")
    assert client_of("newcomer").get(address).status_code == 200
    assert ReadEntry.objects.get().teams == ["search"]


@pytest.mark.parametrize(
    ("address", "form", "status", "is_shown"),
    [
        pytest.param("/explorer/", {"action": "save", "name": ""}, 400, True, id="said on the page of cost"),
        pytest.param("/explorer/", {"action": "save", "name": "October"}, 302, False, id="done, and led on"),
        pytest.param("/invoices/", {}, 403, False, id="refused on a page of its own"),
    ],
)
def test_a_form_that_is_refused_is_a_read_of_the_page_it_is_said_on(
    published, client_of, address, form, status, is_shown
):
    assert client_of("lilei").post(address, form).status_code == status
    assert [read.teams for read in ReadEntry.objects.all()] == ([["live-class"]] if is_shown else [])
