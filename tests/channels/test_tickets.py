"""Tickets: one for every fact, closed when it is over, opened again when it is back; each told once."""

import json
from typing import Any

import pytest

from apps.channels.models import Channel, Message
from tests.channels.worlds import a_channel, a_notice, deliver, send

CANARY = "canary0123456789abcdef"
CREATED = b'{"key": "OPS-7", "web_url": "https://git/x/-/issues/7"}'
TO_DO = {"name": "To Do", "statusCategory": {"key": "new"}}
DONE = {"name": "Done", "statusCategory": {"key": "done"}}
REJECTED = {"name": "Rejected", "statusCategory": {"key": "done"}}


@pytest.mark.django_db
def test_jira_and_gitlab_get_an_issue_for_every_fact(receiver):
    receiver.answer = (201, b'{"key": "OPS-7", "web_url": "https://git/x/-/issues/7"}', {})
    jira = a_channel("jira", url=receiver.url, project="OPS", login="bot", token=CANARY)
    gitlab = a_channel("gitlab", url=receiver.url, project="a/b", labels="cost,budget", token=CANARY)
    for channel in (jira, gitlab):
        send(a_notice(), a_notice("alert 1 1 critical"), to=channel)

    assert deliver() == {"sent": 2}
    first, second = receiver.posted
    assert (first.path, second.path) == ("/rest/api/2/issue", "/api/v4/projects/a%2Fb/issues")
    fields = json.loads(first.body)["fields"]
    assert fields["project"] == {"key": "OPS"}
    assert fields["issuetype"] == {"name": "Task"}
    assert fields["summary"] == "CostOps: warning: The budget live 2026 is spent"
    assert "101 % of it" in fields["description"]
    assert first.headers["Authorization"].startswith("Basic ")
    assert json.loads(second.body)["labels"] == "cost,budget"
    assert second.headers["PRIVATE-TOKEN"] == CANARY
    assert list(Message.objects.order_by("pk").values_list("reference", flat=True)) == [
        "OPS-7", "https://git/x/-/issues/7",
    ]  # fmt: skip


def jira(receiver: Any, **more: str) -> Channel:
    receiver.answers["POST /rest/api/2/issue"] = (201, CREATED)
    return a_channel("jira", url=receiver.url, project="OPS", token=CANARY, **more)


def stands(receiver: Any, status: dict[str, Any], *ways: tuple[str, str, dict[str, Any]]) -> None:
    """How OPS-7 stands, and where it can go."""
    told = {"fields": {"status": status}, "transitions": [{"id": n, "name": name, "to": to} for n, name, to in ways]}
    receiver.answers["GET /rest/api/2/issue/OPS-7"] = (200, json.dumps(told).encode())


def asked(receiver: Any) -> list[str]:
    return [f"{one.method} {one.path.partition('?')[0]}" for one in receiver.posted]


OVER = a_notice("alert 1 1 over", is_over=True)
BACK = a_notice("alert 1 2 warning")
ISSUE = "/rest/api/2/issue/OPS-7"
WAYS = (("11", "Start", TO_DO), ("21", "Reject", REJECTED), ("31", "Finish", DONE))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "status", "moved"),
    [
        pytest.param({}, TO_DO, "21", id="by the first to a done status"),
        pytest.param({"done": "finish"}, TO_DO, "31", id="by the transition that is wished"),
        pytest.param({"done": "Done"}, TO_DO, "31", id="to the status that is wished"),
        pytest.param({}, DONE, None, id="people closed it before: it is told only"),
        pytest.param({"done": "-"}, TO_DO, None, id="as wished it is told only"),
    ],
)
def test_jira_is_told_once_that_it_is_over_and_closes(receiver, more, status, moved):
    channel = jira(receiver, **more)
    stands(receiver, status, *WAYS)
    send(a_notice(), to=channel)
    deliver()
    for _twice in range(2):
        send(OVER, to=channel)
    assert deliver(minutes=1) == {"sent": 1}

    posts = [one for one in receiver.posted[1:] if one.method == "POST"]
    moves = [json.loads(one.body)["transition"]["id"] for one in posts if one.path == f"{ISSUE}/transitions"]
    assert moves == ([moved] if moved else [])
    (told,) = [one for one in posts if one.path == f"{ISSUE}/comment"]
    assert "[over] The budget live 2026 is spent" in json.loads(told.body)["body"]
    assert [one.reference for one in Message.objects.order_by("pk")] == ["OPS-7", "OPS-7"]


@pytest.mark.django_db
def test_jira_is_opened_again_when_the_same_fact_is_back(receiver):
    channel = jira(receiver)
    send(a_notice(), to=channel)
    deliver()
    stands(receiver, TO_DO, *WAYS)
    send(OVER, to=channel)
    deliver(minutes=1)
    stands(receiver, DONE, ("41", "Close", REJECTED), ("51", "Open again", TO_DO))
    send(BACK, to=channel)
    deliver(minutes=2)

    assert json.loads(receiver.posted[-2].body) == {"transition": {"id": "51"}}
    assert asked(receiver).count("POST /rest/api/2/issue") == 1


@pytest.mark.django_db
def test_a_transition_that_is_not_there_is_named_with_those_that_are(receiver):
    channel = jira(receiver, done="Ship it")
    stands(receiver, TO_DO, *WAYS)
    send(a_notice(), OVER, to=channel)
    assert deliver() == {"sent": 1, "failed": 1}
    said = Message.objects.get(state="failed").error
    assert said == "Issue OPS-7 has no transition called Ship it now; there are: Start, Reject, Finish."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        pytest.param({"fields": None, "transitions": None}, {"failed": 1}, id="nothing at all"),
        pytest.param({"fields": {"status": None}, "transitions": [None, 7]}, {"failed": 1}, id="no status, no way"),
        pytest.param(
            {"fields": [], "transitions": [{"id": "1", "name": None, "to": None}]}, {"failed": 1}, id="a way to nowhere"
        ),
        pytest.param({"transitions": [{"id": None, "to": DONE}]}, {"failed": 1}, id="a way that has no number"),
        pytest.param(
            {"fields": {"status": {"statusCategory": None}}, "transitions": [{"id": "1", "to": DONE}]},
            {"sent": 1},
            id="a status of no kind, and a way to the end",
        ),
    ],
)
def test_an_answer_of_nulls_is_told_and_nothing_breaks(receiver, told, outcome):
    channel = jira(receiver)
    send(a_notice(), to=channel)
    deliver()
    receiver.answers[f"GET {ISSUE}"] = (200, json.dumps(told).encode())
    send(OVER, to=channel)
    assert deliver(minutes=1) == outcome
    if outcome == {"failed": 1}:
        assert "OPS-7 has no transition that ends it now" in Message.objects.get(state="failed").error


@pytest.mark.django_db
def test_an_attempt_that_failed_half_way_does_not_move_it_twice(receiver):
    channel = jira(receiver)
    stands(receiver, TO_DO, *WAYS)
    receiver.answers = {f"POST {ISSUE}/comment": (503, b"later")} | receiver.answers
    send(a_notice(), OVER, to=channel)
    assert deliver() == {"sent": 1, "waiting": 1}
    stands(receiver, REJECTED)
    receiver.answers[f"POST {ISSUE}/comment"] = (201, b"{}")
    assert deliver(minutes=5) == {"sent": 1}
    assert asked(receiver).count(f"POST {ISSUE}/transitions") == 1


@pytest.mark.django_db
def test_gitlab_is_closed_told_and_opened_again(receiver):
    receiver.answer = (201, CREATED, {})
    channel = a_channel("gitlab", url=receiver.url, project="a/b", token=CANARY)
    for notice in (a_notice(), OVER, BACK):
        send(notice, to=channel)
        assert deliver() == {"sent": 1}

    place = "/api/v4/projects/a%2Fb/issues"
    assert asked(receiver) == [f"POST {place}", *[f"PUT {place}/7", f"POST {place}/7/notes"] * 2]
    events = [json.loads(one.body)["state_event"] for one in receiver.posted if one.method == "PUT"]
    assert events == ["close", "reopen"]
    assert "[over]" in json.loads(receiver.posted[2].body)["body"]
    assert {one.headers["PRIVATE-TOKEN"] for one in receiver.posted} == {CANARY}


@pytest.mark.django_db
def test_a_ticket_is_not_closed_before_it_is_opened(receiver):
    channel = jira(receiver)
    stands(receiver, TO_DO, *WAYS)
    receiver.answers["POST /rest/api/2/issue"] = (503, b"later")
    send(a_notice(), OVER, to=channel)
    assert deliver() == {"waiting": 2}
    receiver.answers["POST /rest/api/2/issue"] = (201, CREATED)
    assert deliver(minutes=5) == {"sent": 2}
    assert asked(receiver)[-1] == f"POST {ISSUE}/comment"


@pytest.mark.django_db
def test_of_a_ticket_that_could_not_be_opened_nothing_is_closed(receiver):
    channel = jira(receiver)
    receiver.answers["POST /rest/api/2/issue"] = (400, b"no such project")
    send(a_notice(), OVER, to=channel)
    assert deliver() == {"failed": 1, "dropped": 1}
    assert "none was opened" in Message.objects.get(state="dropped").error


@pytest.mark.django_db
def test_an_end_without_a_ticket_makes_none(receiver):
    assert send(OVER, to=jira(receiver)) == 0
