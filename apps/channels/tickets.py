"""Tickets in Jira and GitLab: opened for a fact, told and closed when it is over, opened again when it is back."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from apps.channels.letters import Letter
from apps.channels.outbound import NotSent, ask

JSON = {"Content-Type": "application/json; charset=utf-8"}
STAYS = "-"
"""Instead of a transition: the issue is told in a comment and stays where it is."""

Asked = Callable[..., dict[str, Any]]


def jira(letter: Letter, options: Mapping[str, str], token: str, reference: str) -> str:
    """Open an issue, or tell the one of this key what became of its fact; its key."""
    user = options.get("login", "")
    auth = f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}" if user else f"Bearer {token}"
    asked = _asking(f"{options['url'].rstrip('/')}/rest/api/2/issue", {"Authorization": auth})
    if not reference:
        fields = {
            "project": {"key": options["project"]},
            "summary": letter.subject[:250],
            "description": _text(letter),
            "issuetype": {"name": options.get("issue_type") or "Task"},
        }
        return str(asked("POST", "", {"fields": fields}).get("key") or "")[:500]
    issue = f"/{quote(reference, safe='')}"
    _move(asked, issue, reference, options.get("again" if not _is_over(letter) else "done", ""), _is_over(letter))
    asked("POST", f"{issue}/comment", {"body": _text(letter)})
    return reference


def _move(asked: Asked, issue: str, key: str, wish: str, is_over: bool) -> None:
    """Move an issue to a done status, or out of it, by the transition or to the status of a name where one is wished.

    An issue that stands there already is left alone: people moved it, or an attempt that failed afterwards did.
    """
    if wish == STAYS:
        return
    found = asked("GET", f"{issue}?fields=status&expand=transitions", None)
    status = _part(_part(found, "fields"), "status")
    ways = [way for way in found.get("transitions") or [] if isinstance(way, Mapping) and way.get("id")]
    if _is_done(status) == is_over or (wish and _named(status) == wish.casefold()):
        return
    for way in ways:
        to = _part(way, "to")
        if wish.casefold() in (_named(way), _named(to)) if wish else _is_done(to) == is_over:
            asked("POST", f"{issue}/transitions", {"transition": {"id": way["id"]}})
            return
    there = ", ".join(str(way.get("name")) for way in ways) or "none"
    wished = f"called {wish}" if wish else f"that {'ends' if is_over else 'begins'} it"
    raise NotSent(f"Issue {key} has no transition {wished} now; there are: {there}.", is_final=True)


def _is_done(status: Mapping[str, Any]) -> bool:
    return bool(_part(status, "statusCategory").get("key") == "done")


def _named(one: Mapping[str, Any]) -> str:
    return str(one.get("name") or "").casefold()


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside of an answer; an empty one where the answer says null or something else."""
    part = told.get(name)
    return part if isinstance(part, Mapping) else {}


def gitlab(letter: Letter, options: Mapping[str, str], token: str, reference: str) -> str:
    """Open an issue, or tell the one at this address what became of its fact; its address."""
    project = f"{options['url'].rstrip('/')}/api/v4/projects/{quote(options['project'], safe='')}/issues"
    asked = _asking(project, {"PRIVATE-TOKEN": token})
    if not reference:
        issue = {"title": letter.subject[:250], "description": _text(letter), "labels": options.get("labels", "")}
        return str(asked("POST", "", issue).get("web_url") or "")[:500]
    number = re.search(r"/(\d+)/?$", reference)
    if number is None:
        raise NotSent("The address of the issue names no number.", is_final=True)
    asked("PUT", f"/{number[1]}", {"state_event": "close" if _is_over(letter) else "reopen"})
    asked("POST", f"/{number[1]}/notes", {"body": _text(letter)})
    return reference


def _text(letter: Letter) -> str:
    """What it says, and the id by which people recognise a repetition."""
    return f"{letter.text}\n\n{letter.message_id}"


def _is_over(letter: Letter) -> bool:
    return all(one.entry.is_over for one in letter.notices)


def _asking(place: str, auth: Mapping[str, str]) -> Asked:
    """Requests below a place; an answer that is no object of JSON says nothing."""

    def asked(method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = ask(method, f"{place}{path}", orjson.dumps(body) if body is not None else b"", {**JSON, **auth})
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return {}
        return said if isinstance(said, dict) else {}

    return asked
