"""The preview: the mail as a page, for those who may see the team, within the content policy."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from apps.teams.models import Membership
from tests.reports.weeks_of_cost import hire_lead, publish_weeks

ADDRESS = "/reports/weekly/live-class/?week=2026-W44"


@pytest.fixture
def clients(db: None, home: Path) -> dict[str, Client]:
    """The team's lead, somebody of another team, somebody who sees all, and nobody in particular."""
    publish_weeks()
    users = {name: User.objects.create_user(name) for name in ("lead", "other")}
    users["finance"] = User.objects.create_superuser("finance")
    Membership.objects.create(user=users["lead"], team=hire_lead())
    Membership.objects.create(user=users["other"], team=hire_lead("data-platform"))
    found = {name: Client() for name in (*users, "anonymous")}
    for name, user in users.items():
        found[name].force_login(user)
    return found


@pytest.mark.parametrize(
    ("who", "address", "status"),
    [
        pytest.param("lead", ADDRESS, 200, id="the lead"),
        pytest.param("finance", ADDRESS, 200, id="who sees all"),
        pytest.param("other", ADDRESS, 404, id="another team: as if there were none"),
        pytest.param("finance", "/reports/weekly/no-such-team/?week=2026-W44", 404, id="no such team"),
        pytest.param("anonymous", ADDRESS, 302, id="nobody in particular signs in first"),
        pytest.param("lead", "/reports/weekly/live-class/", 200, id="the last full week that is published by default"),
        pytest.param("lead", "/reports/weekly/live-class/?week=W44%00", 400, id="not a week"),
        pytest.param("lead", "/reports/weekly/live-class/?week=2027-W01", 404, id="of which nothing is known: no zero"),
    ],
)
def test_a_preview_is_for_those_who_may_see_the_team(
    clients: dict[str, Client], who: str, address: str, status: int
) -> None:
    response = clients[who].get(address)
    assert response.status_code == status
    assert ("700.04" in response.content.decode()) == (status == 200)


def test_a_preview_is_kept_by_nobody(clients: dict[str, Client]) -> None:
    assert "no-store" in clients["lead"].get(ADDRESS)["Cache-Control"]


def test_a_preview_may_write_its_own_styles_and_no_others(clients: dict[str, Client]) -> None:
    policy = clients["lead"].get(ADDRESS)["Content-Security-Policy"]
    assert "style-src-attr 'unsafe-hashes' 'sha256-" in policy
    assert "unsafe-inline" not in policy


def test_before_the_first_publication_there_is_no_preview(db: None, home: Path) -> None:
    hire_lead()
    client = Client()
    client.force_login(User.objects.create_superuser("finance"))
    assert client.get(ADDRESS).status_code == 404


def test_the_preview_is_drawn_within_the_content_policy(
    transactional_db: None, clients: dict[str, Client], live_server: LiveServer, page: Any
) -> None:
    name = "sessionid"
    page.context.add_cookies([{"name": name, "value": clients["lead"].cookies[name].value, "url": live_server.url}])
    page.goto(live_server.url + ADDRESS)
    assert page.locator("h1").inner_text() == "直播课堂"
    assert page.locator("img").evaluate("picture => picture.complete && picture.naturalWidth > 500")
    assert page.locator("h1").evaluate("heading => getComputedStyle(heading).fontSize") == "22px"
    sheet = page.locator("table[role=presentation]").last
    for width in (390, 180):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert sheet.evaluate("sheet => sheet.getBoundingClientRect().right") <= width, "tables scroll within it"
