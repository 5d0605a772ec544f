"""Closing by the page and by the API: who may, what it says, and the same bytes everywhere."""

import hashlib

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from apps.books.models import Close, TrailEntry
from tests.allocation.worlds import Row, charge
from tests.books.worlds import LOG, published

pytestmark = pytest.mark.usefixtures("home", "db")


def bills(first: str, second: str) -> list[Row]:
    return [charge(first, "log-0", x_FileId="f0", **LOG), charge(second, "log-1", start=24 * 31, x_FileId="f1", **LOG)]


def client(name: str) -> Client:
    """Somebody of finance; the controller may close months."""
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get_or_create(name="finance")[0])
    if name == "controller":
        user.user_permissions.add(Permission.objects.get(codename="close_month"))
    signed_in = Client()
    signed_in.force_login(user)
    return signed_in


def test_a_month_is_closed_on_the_page_and_adjusted_in_the_next() -> None:
    published(bills("10", "20"), {}, days=32)
    reader, controller = client("reader"), client("controller")
    assert reader.post("/closing/", {"month": "2026-10"}).status_code == 403
    assert reader.post("/api/v1/closings/2026-10/").status_code == 403
    assert "Close 2026-10 for good" not in reader.get("/closing/").content.decode()
    assert "Close 2026-10 for good" in controller.get("/closing/").content.decode()
    out_of_order = controller.post("/closing/", {"month": "2026-11", "reason": "early"})
    assert (out_of_order.status_code, Close.objects.count()) == (409, 0)
    assert "2026-10 comes before 2026-11" in out_of_order.content.decode()
    assert controller.post("/closing/", {"month": "2026-10", "reason": "test"}).headers["Location"] == "/closing/"

    october = Close.objects.get()
    answers = [reader.get(f"{address}") for address in ("/closing/2026-10/json/", "/api/v1/closings/2026-10/")]
    assert [hashlib.sha256(answer.content).hexdigest() for answer in answers] == [october.sha256] * 2
    tables = [reader.get(address) for address in ("/closing/2026-10/csv/", "/api/v1/closings/2026-10/?format=csv")]
    assert [hashlib.sha256(answer.content).hexdigest() for answer in tables] == [october.csv_sha256] * 2

    published(bills("12.5", "20"), {}, days=32)
    page = reader.get("/closing/").content.decode()
    assert 'title="2.500000000000"' in page
    assert "Re-priced" in page
    (entry,) = reader.get("/api/v1/adjustments/").json()["rows"]
    assert (entry["month"], entry["original_month"], entry["class"]) == ("2026-11", "2026-10", "re-priced")
    closed = controller.post("/api/v1/closings/2026-11/?reason=test")
    assert (closed.status_code, closed.json()["adjusting_entries"]) == (200, 1)
    again = controller.post("/api/v1/closings/2026-11/?reason=test")
    assert (again.status_code, again.json()["code"]) == (409, "cannot_close")
    rows = reader.get("/api/v1/closings/").json()["rows"]
    assert [(row["month"], row["closed_by"]) for row in rows] == [("2026-10", "controller"), ("2026-11", "controller")]
    assert rows[1]["previous_sha256"] == october.sha256
    assert [(one.by, one.subject) for one in TrailEntry.objects.order_by("pk")] == [
        ("controller", "2026-10"), ("controller", "2026-11"),
    ]  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "october"}], ids=["without a key", "with a key"])
def test_a_refused_closing_stays_in_the_trail_though_all_else_is_taken_back(headers: dict[str, str]) -> None:
    published(bills("10", "20"), {}, days=32)
    refused = client("controller").post("/api/v1/closings/2026-10/", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_close")
    assert [(one.by, one.action, one.subject) for one in TrailEntry.objects.all()] == [
        ("controller", "refused to close", "2026-10")
    ]


def test_a_month_that_is_not_closed_has_no_statement() -> None:
    published(bills("10", "20"), {}, days=32)
    reader = client("reader")
    answer = reader.get("/api/v1/closings/2026-10/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_closed")
    assert reader.get("/closing/2026-10/csv/").status_code == 404
    assert reader.get("/closing/October/csv/").status_code == 400
