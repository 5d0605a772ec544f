"""Why cost changed, on the page, by the API and at the terminal: the same numbers everywhere."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from apps.teams.models import Membership, Team
from tests.allocation.worlds import charge
from tests.books.worlds import LOG, bill, published

pytestmark = pytest.mark.usefixtures("home", "db")


def client(*teams: str) -> Client:
    """Somebody who sees these teams, or all of them."""
    user = User.objects.create_user(f"reader of {teams}", is_staff=not teams)
    for name in teams:
        team, _ = Team.objects.get_or_create(name=name)
        Membership.objects.create(user=user, team=team)
    signed_in = Client()
    signed_in.force_login(user)
    return signed_in


def test_page_api_and_terminal_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    before = published()
    after = published(charges=[*bill("96", None), charge("12.5", "log-1", **LOG | {"SkuId": "other"})])
    staff, lead = client(), client("web")

    call_command("changes", "--month", "2026-10", "--format", "json")
    told = json.loads(capsys.readouterr().out)
    assert {(row["team"], row["class"]): Decimal(row["change"]) for row in told} == {
        ("web", "re-priced"): 16,
        ("data", "re-priced"): 8,
        ("unallocated", "re-priced"): 24,
        ("unallocated", "new"): Decimal("12.5"),
        ("unallocated", "vanished"): -10,
    }
    answered = staff.get("/api/v1/changes/?month=2026-10").json()
    assert answered["rows"] == told
    assert (answered["before"]["number"], answered["after"]["number"]) == (before, after)
    assert answered["totals"] == {"CNY": "50.500000000000"}

    html = staff.get("/changes/?month=2026-10").content.decode()
    assert "It adds up." in html
    for amount in ("16.000000000000", "24.000000000000", "12.500000000000", "-10.000000000000", "50.500000000000"):
        assert f'title="{amount}"' in html
    assert "The later publication against the period before" in html, "the panel is not about the two publications"
    (trace,) = staff.get("/figures/changes/?month=2026-10").json()["data"]
    assert trace["y"] == [58, 12.5, -10, 48, 108.5]

    own = lead.get("/changes/").content.decode()
    assert "16.000000000000" in own
    assert "24.000000000000" not in own
    assert lead.get("/api/v1/changes/").json()["totals"] == {"CNY": "16.000000000000"}

    call_command("changes", "--from", str(after), "--to", str(before), "--group-by", "class", "--filter", "team=web")
    assert "Change -16.00 CNY — from publication" in capsys.readouterr().out
    nothing = staff.get(f"/changes/?from={after}&to={after}").content.decode()
    assert "Nothing changed" in nothing
    assert staff.get("/api/v1/changes/?month=2026-09").json()["rows"] == []
    assert 'lang="zh-hans"' in staff.get("/changes/", headers={"accept-language": "zh-hans"}).content.decode()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"group_by": "weekday"}, "group_by: 'weekday' is not one of", id="no such group"),
        pytest.param({"month": "October"}, "month: 'October' is no month", id="no such month"),
        pytest.param({"before": 999}, "There is no publication number 999", id="no such publication"),
        pytest.param({"filter": ["colour=red"]}, "filter: 'colour' is not one of", id="no such filter"),
        pytest.param({"filter": ["service=Compute, EU"]}, "has a blank beside a comma", id="a name without quotes"),
    ],
)
def test_what_cannot_be_asked_at_the_terminal(asked: dict[str, Any], message: str) -> None:
    from tests.worlds import publish_costs

    publish_costs([])
    with pytest.raises(CommandError, match=message):
        call_command("changes", **asked)


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("?group_by=weekday", "group_by"),
        ("?class=cheaper", "class"),
        ("?from=0", "from"),
        ("?month=2026-13", "month"),
        ("?as_of=1", "as_of"),
    ],
)
def test_a_bad_parameter_is_named(address: str, parameter: str) -> None:
    answer = client().get(f"/api/v1/changes/{address}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


@pytest.mark.parametrize("address", ["?from=x", "?by=weekday", "?metric=price", "?month=x"])
def test_a_page_refuses_what_cannot_be_asked(address: str) -> None:
    from tests.worlds import publish_costs

    publish_costs([])
    assert client().get(f"/changes/{address}").status_code == 400
