"""Planned changes over the API: planned, listed and withdrawn by those who speak for a team."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

DRAFT = "first_day=2026-12-01&amount=-300.50&currency=CNY&note=moved"


def test_a_change_is_planned_listed_and_withdrawn(callers: "dict[str, Client]") -> None:
    finance, lead = callers["finance"], callers["lilei"]
    answered = lead.post(f"/api/v1/planned/?{DRAFT}&team=live-class")
    planned = answered.json()
    assert answered.status_code == 201
    assert (planned["amount"], planned["first_day"], planned["by"]) == ("-300.5", "2026-12-01", "lilei")
    everybody = finance.post("/api/v1/planned/?first_day=2026-12-01&percent=5&note=dearer").json()

    assert [one["id"] for one in finance.get("/api/v1/planned/").json()["rows"]] == [planned["id"], everybody["id"]]
    assert [one["id"] for one in lead.get("/api/v1/planned/").json()["rows"]] == [planned["id"]]

    assert lead.post(f"/api/v1/planned/{everybody['id']}/withdraw/").status_code == 400
    assert finance.post(f"/api/v1/planned/{planned['id']}/withdraw/").json()["withdrawn_by"] == "finance"
    assert lead.get("/api/v1/planned/").json()["rows"] == []
    assert "moved" in lead.get("/api/v1/planned/?all=true&format=csv").content.decode()


def test_what_is_not_theirs_or_cannot_be_meant_is_refused(callers: "dict[str, Client]") -> None:
    lead, finance = callers["lilei"], callers["finance"]

    assert lead.post(f"/api/v1/planned/?{DRAFT}").status_code == 403
    wrong = finance.post("/api/v1/planned/?first_day=2026-12-01&amount=x&currency=CNY&note=n")
    assert (wrong.status_code, wrong.json()["detail"][:17]) == (400, "amount: 'x' is no")
    assert finance.post("/api/v1/planned/?first_day=soon&percent=5&note=n").status_code == 400
