"""Disputes by page, API and terminal: who sees and does what, and that it is the same dispute everywhere."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client, override_settings
from jsonschema import Draft202012Validator

from apps.books.models import Dispute, ManualEntry
from apps.teams.models import Membership, Team
from tests.allocation.worlds import charge
from tests.api.test_openapi import schema_of_today
from tests.api.test_schema import closed
from tests.books.worlds import LOG, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]
CELL = {"start": "2026-10-01", "end": "2026-11-01", "team": "web"}
RULES = "rules: [{name: logs, when: {service: Log Service}, team: web}]"
ENTRY = {
    "from_team": "web", "to_team": "data", "amount": "4.5", "currency": "CNY", "original_month": "2026-10",
    "reason": "data's nightly job",
}  # fmt: skip


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    folders = {"COSTOPS_HOME": home, "COSTOPS_LANDING": home / "landing", "COSTOPS_LAKE": home / "lake"}
    with django_db_blocker.unblock(), override_settings(**folders), transaction.atomic():
        for name in ("web", "data"):
            lead, team = User.objects.create_user(f"{name}-lead"), Team.objects.create(name=name, title=f"Team {name}")
            Membership.objects.create(user=lead, team=team)
        finance = Group.objects.get_or_create(name="finance")[0]
        for name in ("han", "controller"):
            User.objects.create_user(name).groups.add(finance)
        User.objects.get(username="controller").user_permissions.add(Permission.objects.get(codename="book_entry"))
        User.objects.create_user("engineer", is_staff=True)
        User.objects.create_user("nobody")
        published([charge("10", "log-0", **LOG)], {}, RULES)
        yield
        transaction.set_rollback(True)


def client(name: str) -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.get(username=name))
    return signed_in


def opened() -> Dispute:
    answered = client("web-lead").post("/disputes/", {"cell": urlencode(CELL), "reason": "half is not <b>ours</b>"})
    made = Dispute.objects.get()
    assert answered.headers["Location"] == f"/disputes/{made.pk}/"
    return made


def buttons(name: str, number: int) -> list[str]:
    body = client(name).get(f"/disputes/{number}/").content.decode()
    return re.findall(r'name="action"\s+value="(\w+)"', body)


def test_a_dispute_goes_its_way_on_the_page() -> None:
    made = opened()
    address = f"/disputes/{made.pk}/"
    assert buttons("web-lead", made.pk) == ["comment", "withdraw"]
    assert buttons("han", made.pk) == ["comment", "accept", "reject", "withdraw"]
    assert client("data-lead").get(address).status_code == 404
    assert client("nobody").get(address).status_code == 403
    assert buttons("engineer", made.pk) == []
    for name in ("web-lead", "engineer"):
        assert client(name).post(address, {"action": "accept", "text": "yes"}).status_code == 403
    assert client("data-lead").post(address, {"action": "withdraw", "text": "yes"}).status_code == 404
    assert client("han").post(address, {"action": "accept", "text": "you are right"}).headers["Location"] == address
    assert buttons("han", made.pk) == ["comment", "reject", "rule", "restatement", "withdraw"]
    assert client("han").post(address, {"action": "entry"} | ENTRY).status_code == 403
    refused = client("controller").post(address, {"action": "entry"} | ENTRY | {"amount": "-1"})
    assert (refused.status_code, ManualEntry.objects.count()) == (409, 0)
    assert "”: more than zero" in refused.content.decode()
    assert "entry" in buttons("controller", made.pk)
    assert client("controller").post(address, {"action": "entry"} | ENTRY).status_code == 302
    body = client("web-lead").get(address).content.decode()
    assert "settled" in body
    assert "0 bill rows" not in body
    assert 'title="-4.500000000000"' in body
    assert "half is not &lt;b&gt;ours&lt;/b&gt;" in body
    assert buttons("web-lead", made.pk) == []


def test_the_list_shows_what_one_may_know_of() -> None:
    made = opened()
    assert f'href="/disputes/{made.pk}/"' in client("han").get("/disputes/").content.decode()
    assert "Nothing is disputed" in client("data-lead").get("/disputes/").content.decode()


@pytest.mark.parametrize(
    ("name", "given", "status"),
    [
        pytest.param("data-lead", {}, 403, id="of another team"),
        pytest.param("engineer", {}, 403, id="of whoever is neither in the team nor in finance"),
        pytest.param("web-lead", {"reason": " "}, 409, id="without a reason"),
        pytest.param("web-lead", {"cell": "start=x"}, 400, id="of no number"),
        pytest.param("han", {"cell": urlencode(CELL | {"team": "data"})}, 409, id="of no cost"),
    ],
)
def test_what_is_not_opened(name: str, given: dict[str, str], status: int) -> None:
    data = {"cell": urlencode(CELL), "reason": "why"} | given
    assert client(name).post("/disputes/", data).status_code == status
    assert not Dispute.objects.exists()


def test_the_api_does_the_same() -> None:
    lead, finance, controller = client("web-lead"), client("han"), client("controller")
    made = lead.post(f"/api/v1/disputes/?{urlencode(CELL | {'reason': 'not ours'})}")
    assert made.status_code == 201, made.content
    number = made.json()["number"]
    assert (made.json()["amount"], made.json()["state"]) == ("10.000000000000", "open")
    address = f"/api/v1/disputes/{number}/"
    for who, action, status, code in (
        (lead, "accept", 403, "not_allowed"), (client("data-lead"), "comment", 404, "no_such_dispute"),
        (finance, "settle", 409, "cannot_dispute"),
    ):  # fmt: skip
        refused = who.post(f"{address}?{urlencode({'action': action, 'text': 'x'})}")
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert finance.post(f"{address}?{urlencode({'action': 'accept', 'text': 'yes'})}").json()["state"] == "accepted"
    booking = f"/api/v1/adjustments/?{urlencode(ENTRY | {'dispute': number})}"
    assert lead.post(booking).status_code == 403
    assert finance.post(booking).json()["code"] == "not_allowed"
    booked = controller.post(booking)
    assert (booked.status_code, booked.json()["amount"], booked.json()["dispute"]) == (201, "4.500000000000", number)
    said = lead.get(address).json()
    assert (said["state"], said["settled_by"], len(said["remarks"]), len(said["entries"])) == ("settled", "entry", 3, 1)
    rows = finance.get("/api/v1/adjustments/").json()["rows"]
    assert {(row["team"], row["class"], row["billed_cost"]) for row in rows} == {
        ("web", "disputed", "-4.500000000000"), ("data", "disputed", "4.500000000000"),
    }  # fmt: skip
    assert [row["number"] for row in lead.get("/api/v1/disputes/?state=settled").json()["rows"]] == [number]
    assert client("data-lead").get("/api/v1/disputes/").json()["rows"] == []
    assert "Disputed" in finance.get("/closing/").content.decode()


def test_a_statement_with_an_entry_is_what_the_schema_says() -> None:
    controller = client("controller")
    User.objects.get(username="controller").user_permissions.add(Permission.objects.get(codename="close_month"))
    assert controller.post(f"/api/v1/adjustments/?{urlencode(ENTRY)}").status_code == 201
    assert controller.post("/api/v1/closings/2026-10/?reason=agreed").status_code == 200
    told = controller.get("/api/v1/closings/2026-10/").json()
    assert [one["reason"] for one in told["manual_entries"]] == ["data's nightly job"]
    schema = schema_of_today()
    said = schema["paths"]["/api/v1/closings/{month}/"]["get"]["responses"]["200"]["content"]["application/json"]
    whole = closed({**said["schema"], "components": schema["components"]})
    assert list(Draft202012Validator(whole).iter_errors(told)) == []


def said(command: str, *words: str) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def test_the_terminal_does_the_same() -> None:
    cell = ("--start", "2026-10-01", "--end", "2026-11-01", "--filter", "team=web", "--reason", "not ours")
    assert "of web: 10.000000000000 CNY" in said("disputes", "open", *cell)
    number = str(Dispute.objects.get().pk)
    assert f"Dispute {number} is accepted" in said("disputes", "answer", number, "accept", "yes")
    entry = ("--from", "web", "--to", "data", "--amount", "4.5", "--currency", "CNY", "--month", "2026-10")
    assert "4.500000000000 CNY from web to data" in said("disputes", "settle", number, *entry, "--reason", "data's")
    assert [row["action"] for row in json.loads(said("disputes", "show", number, "--format", "json"))] == [
        "open", "accept", "settle",
    ]  # fmt: skip
    assert json.loads(said("disputes", "list", "--format", "json"))[0]["state"] == "settled"
    assert "Booked entry" in said("entries", "book", *entry, "--reason", "more of it")
    assert [row["dispute"] for row in json.loads(said("entries", "list", "--format", "json"))] == [number, None]
    with pytest.raises(CommandError, match="nobody can accept it any more"):
        said("disputes", "answer", number, "accept", "again")
    with pytest.raises(CommandError, match="There is no dispute 999"):
        said("disputes", "show", "999")
