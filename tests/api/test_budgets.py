"""Budgets and the calendar over the API: set, listed, changed, ended and brought; amounts are text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

SET = "amount=5000.10&currency=CNY&valid_from=2026-10-01"
FILE = "name,dimension,value,grain,amount,currency,valid_from\n"


def test_a_budget_is_set_listed_changed_and_ended(callers: "dict[str, Client]") -> None:
    finance, lead, other = callers["finance"], callers["lilei"], callers["hanmeimei"]
    made = finance.post(f"/api/v1/budgets/?name=live&dimension=team&value=live-class&{SET}")
    assert made.status_code == 201
    number = made.json()["number"]

    (row,) = lead.get("/api/v1/budgets/").json()["rows"]
    assert (row["amount"], row["spent"], row["state"]) == ("5000.100000000000", "4710.750000000017", "unknown") or (
        row["amount"] == "5000.1" and row["spent"] == "4710.750000000017"
    )
    assert other.get("/api/v1/budgets/").json()["rows"] == []
    assert other.get(f"/api/v1/budgets/{number}/").status_code == 404
    assert lead.post(f"/api/v1/budgets/{number}/?amount=1").status_code == 403
    assert callers["anonymous"].get("/api/v1/budgets/").status_code == 401

    whole = finance.post(f"/api/v1/budgets/{number}/?amount=6000&valid_from=2199-01-01&why=more").json()
    assert [one["why"] for one in whole["decisions"]] == ["", "more"]
    ended = finance.post(f"/api/v1/budgets/{number}/end/?valid_to=2199-02-01").json()
    assert ended["decisions"][-1]["amount"] is None
    assert finance.get("/api/v1/budgets/?format=xlsx").status_code == 200


def test_what_cannot_be_meant_names_its_parameter(callers: "dict[str, Client]") -> None:
    answer = callers["finance"].post(f"/api/v1/budgets/?name=x&dimension=team&value=nobody&{SET}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "value")


def test_a_file_is_taken_whole_or_not_at_all(callers: "dict[str, Client]") -> None:
    finance = callers["finance"]
    good = f"{FILE}live,team,live-class,month,7,CNY,2026-10-01\n"
    bad = finance.post("/api/v1/budgets/file/", f"{good}x,team,no,month,1,CNY,2026-10-01\n", content_type="text/csv")
    assert bad.status_code == 400
    assert "line 3, column value" in bad.json()["detail"]
    done = finance.post("/api/v1/budgets/file/", good, content_type="text/csv")
    assert (done.status_code, done.json()) == (201, {"new": 1, "changed": 0, "same": 0})
    again = finance.get("/api/v1/budgets/file/?format=csv").content.decode()
    assert finance.post("/api/v1/budgets/file/", again, content_type="text/csv").json()["same"] == 1
    rows = finance.get("/api/v1/budgets/file/").json()["rows"]
    assert [row["valid_to"] for row in rows] == [None]
    back = finance.post("/api/v1/budgets/file/", {"rows": rows}, content_type="application/json")
    assert (back.status_code, back.json().get("same")) == (200, 1), back.content
    assert callers["lilei"].post("/api/v1/budgets/file/", good, content_type="text/csv").status_code == 403


def test_the_calendar_is_read_and_brought(callers: "dict[str, Client]") -> None:
    term = "name,kind,first,last\nAutumn,term,2026-09-01,2027-01-15\n"
    assert callers["lilei"].post("/api/v1/calendar/", term, content_type="text/csv").status_code == 403
    assert callers["finance"].post("/api/v1/calendar/", term, content_type="text/csv").status_code == 201
    told = callers["lilei"].get("/api/v1/calendar/?year=2026").json()
    assert told["working_days"] == 248
    assert "Autumn" in [row["name"] for row in told["rows"]]
