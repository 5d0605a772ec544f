"""The pages of budgets and the calendar: what they show, to whom, and what finance does there."""

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

if TYPE_CHECKING:
    from apps.budgets.models import Budget

HEAD = b"name,dimension,value,grain,amount,currency,valid_from\n"


@pytest.fixture
def budgets(published: Any) -> "dict[str, Budget]":
    from apps.budgets.services import create
    from tests.budgets.worlds import FINANCE, NOW, Draft

    told: dict[str, Any] = {"amount": "1", "currency": "CNY", "valid_from": date(2026, 10, 1)}
    return {
        team: create(Draft(name=f"of {team}", dimension="team", value=team, **told), by=FINANCE, now=NOW)
        for team in ("live-class", "search")
    }


def test_the_list_shows_how_each_stands_to_whom_it_is_of(budgets, client_of):
    all_of_them, own = (client_of(who).get("/budgets/").content.decode() for who in ("finance", "lilei"))
    assert "of live-class" in all_of_them
    assert "of search" in all_of_them
    assert "of live-class" in own
    assert "of search" not in own
    assert "exceeded" in own
    assert "<form method" not in own.split("</header>")[-1]


def test_one_budget_tells_its_periods_and_its_figure(budgets, client_of):
    client, number = client_of("lilei"), budgets["live-class"].pk
    body = client.get(f"/budgets/{number}/").content.decode()
    assert "Exceeded on" in body
    assert "From 1 Oct 2026 on 1.00 CNY" in body
    drawn = client.get(f"/figures/budgets/{number}/").json()
    assert "Budget" in [trace.get("name") for trace in drawn["data"]]


@pytest.mark.parametrize("address", ["/budgets/{}/", "/figures/budgets/{}/"])
def test_anothers_budget_is_not_there(budgets, client_of, address):
    assert client_of("lilei").get(address.format(budgets["search"].pk)).status_code == 404


def test_finance_sets_changes_and_ends_a_budget(budgets, client_of):
    client = client_of("finance")
    form = {"name": "all", "dimension": "", "value": "", "grain": "month", "currency": "CNY", "amount": "5",
            "metric": "effective_cost", "profile": "even", "rollover": "none", "valid_from": "2026-10-01"}  # fmt: skip
    made = client.post("/budgets/", form)
    assert made.status_code == 302
    page = client.get(made["Location"]).content.decode()
    first, later = re.findall(r'<option value="(\d{4}-\d\d-01)"', page)[:2]
    assert client.post(made["Location"], {"amount": "7", "valid_from": first, "why": "more"}).status_code == 302
    assert client.post(made["Location"], {"action": "end", "valid_to": later}).status_code == 302
    assert "It holds no longer from" in client.get(made["Location"]).content.decode()
    refused = client.post("/budgets/", form | {"name": "x", "amount": "many"})
    assert refused.status_code == 400
    assert "“Amount of a period”: &#x27;many&#x27; is not a number" in refused.content.decode()


def test_others_set_nothing(budgets, client_of):
    assert client_of("lilei").post(f"/budgets/{budgets['live-class'].pk}/", {"amount": "7"}).status_code == 403
    bad = SimpleUploadedFile("b.csv", HEAD)
    assert client_of("lilei").post("/budgets/", {"action": "bring", "table": bad}).status_code == 403
    assert client_of("lilei").post("/calendar/", {"table": SimpleUploadedFile("t.csv", b"")}).status_code == 403


def test_a_file_with_a_bad_line_says_which(budgets, client_of):
    table = SimpleUploadedFile("b.csv", HEAD + b"x,team,nobody,month,1,CNY,2026-11-01\n")
    answer = client_of("finance").post("/budgets/", {"action": "bring", "table": table})
    assert answer.status_code == 400
    assert "b.csv: line 2, column value: there is no team" in answer.content.decode()


def test_terms_are_brought_seen_and_undone(published, client_of):
    client = client_of("finance")
    table = SimpleUploadedFile("t.csv", b"name,kind,first,last\nAutumn,term,2026-09-01,2027-01-15\n")
    made = client.post("/calendar/?year=2026", {"table": table})
    assert made.status_code == 302
    body = client.get("/calendar/?year=2026").content.decode()
    assert "Autumn" in body
    assert "day--workday" in body
    number = re.search(r'name="withdraw"\s+value="(\d+)"', body)[1]
    assert client.post("/calendar/?year=2026", {"withdraw": number}).status_code == 302
    assert "undone" in client.get("/calendar/?year=2026").content.decode()
    assert client.get("/calendar/?year=never").status_code == 400
