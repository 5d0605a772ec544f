"""Assistants ask over MCP: the numbers of the API, of the caller's teams only, and refusals they can read."""

import json
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx2
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from apps.assistants.tools import asked_as
from tests.assistants.world import Served
from tests.servers.installation import ROOT

Asking = Callable[[Client], Awaitable[Any]]
OCTOBER = {"start": "2026-10-01", "end": "2026-11-01"}
TOOLS = {
    "ask_costs", "explain", "why", "forecasts", "anomalies", "idle", "recommendations", "budgets", "savings", "plans",
    "teams", "reconciliation",
}  # fmt: skip


def apart(call: Callable[[], Any]) -> Any:
    """In a thread of its own: where a browser's tests ran before, this one has an event loop already."""
    from django.db import connections

    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(call).result()
        finally:
            pool.submit(connections.close_all)


def over_stdio(site: Served, who: str, asking: Asking) -> Any:
    """What the library's own client makes of `manage.py mcp`, started by it as a process."""
    environment = site.installation.environment | {"COSTOPS_TOKEN": site.keys[who]}
    started = StdioServerParameters(command=sys.executable, args=["manage.py", "mcp"], cwd=str(ROOT), env=environment)
    return _run(stdio_client(started), asking)


def over_http(site: Served, key: str, asking: Asking) -> Any:
    """What it makes of the address of the running site."""

    async def ask() -> Any:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as http,
            Client(streamable_http_client(f"{site.url}/mcp/", http_client=http)) as client,
        ):
            return await asking(client)

    return apart(lambda: anyio.run(ask))


def _run(transport: Any, asking: Asking) -> Any:
    async def ask() -> Any:
        async with Client(transport) as client:
            return await asking(client)

    return apart(lambda: anyio.run(ask))


def answer(found: CallToolResult) -> dict[str, Any]:
    (content,) = found.content
    told = json.loads(content.text)  # type: ignore[union-attr]  # text, or there is none
    assert found.is_error is False
    assert told == found.structured_content
    return dict(told)


async def _everything(client: Client) -> dict[str, Any]:
    """Each tool once."""
    listed = await client.list_tools()
    given: dict[str, dict[str, Any]] = {
        "why": OCTOBER,
        "ask_costs": {"group_by": ["team"]} | OCTOBER,
        "explain": OCTOBER,
    }
    answers = {tool.name: await client.call_tool(tool.name, given.get(tool.name, {})) for tool in listed.tools}
    return {"tools": {tool.name: tool for tool in listed.tools}, "answers": answers, "said": client.instructions}


@pytest.fixture(scope="module")
def finance(site: Served) -> dict[str, Any]:
    return dict(over_stdio(site, "finance", _everything))


def test_every_question_is_a_typed_tool_that_only_reads(finance: dict[str, Any]) -> None:
    tools = finance["tools"]
    assert set(tools) == TOOLS
    assert all(tool.annotations.read_only_hint for tool in tools.values())
    asked = tools["ask_costs"].input_schema
    assert asked["additionalProperties"] is False
    assert asked["properties"]["metric"]["enum"] == ["billed_cost", "effective_cost", "list_cost", "contracted_cost"]
    assert {"team", "kind", "day", "month"} <= set(asked["properties"]["group_by"]["items"]["enum"])
    assert asked["properties"]["order_by"]["properties"]["cost"]["enum"] == ["asc", "desc"]
    assert asked["properties"]["filter"]["properties"]["limit"]["type"] == "integer"
    assert tools["why"].input_schema["required"] == ["start", "end"]
    assert "exactly to the bill" in finance["said"]


def test_every_tool_answers_with_its_publication_and_a_link(site: Served, finance: dict[str, Any]) -> None:
    for name, found in finance["answers"].items():
        told = answer(found)
        assert (name, told["publication"] is not None) == (name, True)
        assert told["links"]["page"].startswith(f"{site.url}/")


def test_amounts_are_exact_text_with_their_currency(finance: dict[str, Any]) -> None:
    told = answer(finance["answers"]["ask_costs"])
    assert told["totals"] == {"CNY": "5.000000000000"}
    assert told["rows"][0] == {"team": "data", "currency": "CNY", "effective_cost": "1.430000000000"}
    assert told["publication"]["number"] == 1
    explained = answer(finance["answers"]["explain"])
    assert explained["adds_up"] is True
    assert answer(finance["answers"]["reconciliation"])["rows"][0]["difference"] == "0.000000000000"


async def _as_a_lead(client: Client) -> list[CallToolResult]:
    shaped = {
        "group_by": ["namespace"], "filter": {"limit": 1, "team": ["live", "data"]}, "order_by": {"cost": "desc"},
        "compare": "previous", **OCTOBER,
    }  # fmt: skip
    return [
        await client.call_tool("ask_costs", {"group_by": ["team"], **OCTOBER}),
        await client.call_tool("ask_costs", {"filter": {"team": ["data"]}}),
        await client.call_tool("ask_costs", shaped),
        await client.call_tool("teams", {}),
        await client.call_tool("reconciliation", {}),
        await client.call_tool("explain", {"filter": {"team": ["data"]}}),
        await client.call_tool("ask_costs", {"metric": "cheapest"}),
        await client.call_tool("ask_costs", {"colour": "red"}),
        await client.call_tool("why", {"start": "2026-10-01"}),
        await client.call_tool("delete_everything", {}),
    ]


@pytest.mark.parametrize("way", ["stdio", "http"])
def test_a_lead_sees_own_teams_and_is_told_what_is_wrong(site: Served, way: str) -> None:
    found = over_stdio(site, "lilei", _as_a_lead) if way == "stdio" else over_http(site, site.keys["lilei"], _as_a_lead)
    mine, other, shaped, teams, *refused = found
    assert [row["team"] for row in answer(mine)["rows"]] == ["live"]
    assert (answer(other)["rows"], answer(other)["totals"]) == ([], {})
    assert [(row["namespace"], row["others"]) for row in answer(shaped)["rows"]] == [("live-1", None), ("Others", 1)]
    assert answer(shaped)["comparison"]["unknown_because"] == ""
    assert [row["name"] for row in answer(teams)["rows"]] == ["live"]
    assert all(one.is_error for one in refused)
    said = [one.content[0].text for one in refused]
    for text, told in zip(said, REFUSALS, strict=True):
        assert told in text


REFUSALS = (
    "permission",
    "filter: ",
    "metric is not one of billed_cost, effective_cost",
    "colour: ask_costs takes no such argument; it takes metric, group_by,",
    "end: must be given.",
    "'delete_everything' is not one of ask_costs, explain,",
)


def test_an_empty_list_says_nothing_and_an_empty_text_what_does_not_apply() -> None:
    nothing = {"group_by": [], "filter": {"team": [], "limit": None}, "exclude": {"namespace": []}, "metric": None}
    assert asked_as(nothing) == {}
    assert asked_as({"exclude": {"namespace": [""]}}) == {"exclude[namespace]": ""}


LAST_READ = """
import json
from apps.audit.models import ReadEntry
names = ("actor", "way", "action", "teams", "accounts", "is_export", "address", "question")
print("READ" + json.dumps(ReadEntry.objects.order_by("pk").values_list(*names).last()))
"""


async def _one_question_and_a_refused_one(client: Client) -> list[CallToolResult]:
    asked = {"group_by": ["team"], "filter": {"team": ["live"]}} | OCTOBER
    return [await client.call_tool("ask_costs", asked), await client.call_tool("reconciliation", {})]


def test_what_an_assistant_reads_over_http_is_in_the_log_of_reads(site: Served) -> None:
    found, refused = over_http(site, site.keys["lilei"], _one_question_and_a_refused_one)
    assert [row["team"] for row in answer(found)["rows"]] == ["live"]
    assert refused.is_error
    said = site.installation.manage("shell", "--no-imports", "-c", LAST_READ).stdout
    *who, question = json.loads(said.split("READ", 1)[1])
    assert who == ["lilei", "token", "api-costs", ["live"], [], False, "127.0.0.1"], "what was refused is no read"
    assert question.startswith("ask_costs: ")
    assert "2026-10-01" in question


def test_over_http_nobody_asks_without_a_token(site: Served) -> None:
    with httpx2.Client() as client:
        for headers in ({}, {"Authorization": "Bearer costops_x_y"}, {"Authorization": b"Bearer \xff"}):
            refused = client.post(f"{site.url}/mcp/", json={}, headers=headers)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get(f"{site.url}/mcp/").status_code == 405
        own = {"Authorization": f"Bearer {site.keys['lilei']}"}
        assert client.post(f"{site.url}/mcp", content=b"no json", headers=own).status_code in (400, 406, 415)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "told"), [("", "COSTOPS_TOKEN is not set"), ("costops_a_b", "COSTOPS_TOKEN holds no valid token")]
)
def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, token: str, told: str) -> None:
    monkeypatch.setenv("COSTOPS_TOKEN", token)
    with pytest.raises(CommandError, match=told):
        call_command("mcp")


@pytest.mark.django_db(transaction=True)
def test_a_question_is_no_change_in_the_audit_log_and_a_refusal_is() -> None:
    from django.contrib.auth.models import User
    from django.test import Client as Browser
    from django.utils import timezone

    from apps.api.services import issue_token
    from apps.audit.models import AuditEntry

    key = issue_token(User.objects.create_user("lilei"), now=timezone.now())
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"accept": "application/json, text/event-stream", "authorization": f"Bearer {key}"}
    body = json.dumps(asked)
    told = apart(lambda: Browser(headers=headers).post("/mcp/", body, content_type="application/json"))
    assert {tool["name"] for tool in told.json()["result"]["tools"]} == TOOLS
    assert AuditEntry.objects.count() == 0
    assert apart(lambda: Browser().post("/mcp/", body, content_type="application/json")).status_code == 401
    assert AuditEntry.objects.get().outcome == 401


@pytest.mark.django_db(transaction=True)
def test_who_asks_too_often_waits_also_where_nothing_is_counted_by_the_api(settings: Any) -> None:
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.test import Client as Browser
    from django.utils import timezone

    from apps.api.services import issue_token

    cache.clear()
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 3
    keys = [issue_token(User.objects.create_user(name), now=timezone.now()) for name in ("lilei", "hanmeimei")]

    def listed(key: str) -> Any:
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        told = {"authorization": f"Bearer {key}", "accept": "application/json, text/event-stream"}
        return apart(lambda: Browser(headers=told).post("/mcp/", asked, content_type="application/json"))

    answers = [listed(keys[0]) for _ in range(8)]
    refused = answers[-1]
    assert {one.status_code for one in answers[:3]} == {200}
    assert (refused.status_code, refused["RateLimit-Limit"], refused["RateLimit-Remaining"]) == (429, "3", "0")
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "at most 3 a minute" in refused.json()["error"]
    assert listed(keys[1]).status_code == 200, "others are not held up"
