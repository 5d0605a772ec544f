"""What is idle over the API: exact amounts as text, of one's own teams only, and decisions that stay."""

import pytest
from django.test import Client

from apps.teams.models import Membership, Team
from tests.insights import idle_world

ADDRESS = "/api/v1/idle/"
EXCLUSIONS = f"{ADDRESS}exclusions/"


@pytest.fixture
def idle(callers: dict[str, Client]) -> dict[str, Client]:
    """Lilei belongs to the team `live` of the small company too."""
    from django.contrib.auth.models import User

    idle_world.find()
    lilei = User.objects.get(username="lilei")
    Membership.objects.create(user=lilei, team=Team.objects.create(name="live", title="Live"))
    return callers


def subjects(client: Client, query: str = "") -> set[str]:
    return {row["subject"] for row in client.get(f"{ADDRESS}{query}").json()["rows"]}


def test_before_the_first_search_there_is_nothing(callers: dict[str, Client]) -> None:
    answer = callers["finance"].get(ADDRESS).json()
    assert (answer["publication"], answer["rows"]) == (None, [])


def test_finance_sees_all_and_a_member_the_own_team(idle: dict[str, Client]) -> None:
    assert subjects(idle["lilei"]) == {"online/sandbox", "d-orphan", "eip-lone"}
    assert subjects(idle["finance"]) > {"online/n2", "i-stopped", "ri-2026", "online/office/desk"}
    assert subjects(idle["nobody"]) == set()


def test_amounts_are_exact_and_add_up_by_currency(idle: dict[str, Client]) -> None:
    answer = idle["finance"].get(f"{ADDRESS}?kind=instance").json()
    (row,) = answer["rows"]

    assert (row["cost"], row["per_month"], row["currency"]) == ("35.000000000000", "38.020833333333", "USD")
    assert answer["totals"] == {"USD": "38.020833333333"}
    assert (answer["costed_days"], answer["end_day"]) == (28, "2026-10-21")
    assert row["evidence"][0] == "The bill calls it: Instance, stopped"


def test_an_exclusion_is_made_for_ones_team_and_undone(idle: dict[str, Client]) -> None:
    lead = idle["lilei"]
    asked = "?pattern=eip-*&team=live&reason=the+move&until=2099-01-01"
    made = lead.post(f"{EXCLUSIONS}{asked}")

    assert (made.status_code, made.json()["decision"]) == (201, "exclude")
    assert "eip-lone" not in subjects(lead)
    assert subjects(lead, "?verdict=exclude") == {"eip-lone"}
    number = made.json()["number"]
    assert [row["number"] for row in lead.get(EXCLUSIONS).json()["rows"]] == [number]
    assert idle["hanmeimei"].delete(f"{EXCLUSIONS}{number}/").status_code == 404
    assert lead.delete(f"{EXCLUSIONS}{number}/").json()["decision"] == "undo"
    assert "eip-lone" in subjects(lead)
    assert lead.get(EXCLUSIONS).json()["rows"] == []


def test_what_is_decided_for_all_teams_is_told_to_whom_it_concerns(idle: dict[str, Client]) -> None:
    for pattern in ("eip-*", "online/n*"):
        made = idle["finance"].post(f"{EXCLUSIONS}?pattern={pattern}&reason=the+move&until=2099-01-01")
        assert made.status_code == 201
    told = {
        name: {row["pattern"] for row in idle[name].get(EXCLUSIONS).json()["rows"]}
        for name in ("finance", "lilei", "nobody")
    }
    assert told == {"finance": {"eip-*", "online/n*"}, "lilei": {"eip-*"}, "nobody": set()}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        pytest.param("?pattern=x&reason=y", 403, "not_yours", id="for all teams, by a member"),
        pytest.param("?pattern=x&team=live", 400, "refused", id="without a reason"),
        pytest.param("?pattern=x&team=live&reason=y&kind=teapot", 400, "bad_parameter", id="of no kind"),
        pytest.param("?pattern=x&team=live&reason=y&until=soon", 400, "bad_parameter", id="until no day"),
    ],
)
def test_what_cannot_be_decided_is_refused(idle: dict[str, Client], query: str, status: int, code: str) -> None:
    answer = idle["lilei"].post(f"{EXCLUSIONS}{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_schema_is_what_is_answered(idle: dict[str, Client]) -> None:
    from tests.api.test_schema import Draft202012Validator, closed

    schema = idle["finance"].get("/api/schema/?format=json").json()
    said = schema["paths"][ADDRESS]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer = idle["finance"].get(f"{ADDRESS}?verdict=all").json()
    assert answer["rows"]
    whole = closed({**said, "components": schema["components"]})
    assert list(Draft202012Validator(whole).iter_errors(answer)) == []


def test_a_publication_that_was_not_searched_is_not_there(idle: dict[str, Client]) -> None:
    response = idle["finance"].get(f"{ADDRESS}?as_of=999")
    assert (response.status_code, response.json()["code"]) == (404, "nothing_found")
