"""One tool asked: the API's own address, called here with the caller's token, and its answer made short."""

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import resolve

from apps.api.authentication import SCHEME
from apps.assistants.inputs import schema_of, unknown_arguments
from apps.assistants.tools import MOST_ROWS, Tool, asked_as
from apps.audit.requests import note_answer
from apps.marts.selectors import NothingPublished, publication


class CannotAnswerError(Exception):
    """The question was refused; the message says what to ask instead."""


def ask(tool: Tool, arguments: Mapping[str, Any], *, key: str, address: str = "") -> dict[str, Any]:
    """The answer of a tool, for whom the token belongs to; raises CannotAnswerError where there is none.

    `address` is where the question came from, for the log of reads.
    """
    if unknown := unknown_arguments(tool, arguments):
        known = ", ".join(schema_of(tool)["properties"])
        raise CannotAnswerError(f"{unknown[0]}: {tool.name} takes no such argument; it takes {known}.")
    if missing := [name for name in tool.required if arguments.get(name) is None]:
        raise CannotAnswerError(f"{missing[0]}: must be given.")
    asked = dict(tool.fixed or {}) | asked_as(arguments)
    request = _request(tool.path(), asked, key, address)
    response = _answer(request)
    note_answer(request, response, question=f"{tool.name}: {urlencode(asked)}")  # no middleware sees this request
    body = orjson.loads(response.content)
    if response.status_code != 200:
        raise CannotAnswerError(_said(body, response.status_code))
    return _shortened(tool, body) | {"publication": _publication(body), "links": _links(tool, arguments, asked, body)}


def _request(path: str, asked: Mapping[str, str], key: str, address: str) -> WSGIRequest:
    site = urlsplit(settings.COSTOPS_SITE_URL)
    return WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": urlencode(asked),
            "SERVER_NAME": site.hostname or "localhost",
            "SERVER_PORT": str(site.port or 80),
            "REMOTE_ADDR": address,
            "wsgi.url_scheme": site.scheme or "http",
            "wsgi.input": io.BytesIO(),
            "HTTP_ACCEPT": "application/json",
            "HTTP_AUTHORIZATION": f"{SCHEME} {key}",
        }
    )


def _answer(request: WSGIRequest) -> HttpResponse:
    """The API's answer, in JSON; authentication, limits and scope are the API's own."""
    match = request.resolver_match = resolve(request.path_info)
    response: Any = match.func(request, *match.args, **match.kwargs)
    answered: HttpResponse = response.render()
    return answered


def _said(body: Mapping[str, Any], status: int) -> str:
    """Why the API refused."""
    error = body.get("error")
    told = body.get("detail") or (error.get("message") if isinstance(error, dict) else "")
    return str(told or f"The question was refused ({status}).")


def _shortened(tool: Tool, body: dict[str, Any]) -> dict[str, Any]:
    """The answer with at most MOST_ROWS rows, without the columns that pages show better."""
    rows = body.get("rows")
    if not isinstance(rows, list):
        return body
    kept = [{name: row[name] for name in row if name not in tool.left_out} for row in rows[:MOST_ROWS]]
    total = body.get("page", {}).get("rows_total", len(rows)) if isinstance(body.get("page"), dict) else len(rows)
    short = {name: value for name, value in body.items() if name != "page"}
    return short | {"rows": kept, "rows_left_out": total - len(kept)}


def _publication(body: Mapping[str, Any]) -> Any:
    """Where the numbers are from: as the answer says it, else the newest publication's number."""
    if body.get("publication") is not None:
        return body["publication"]
    try:
        return publication().number
    except NothingPublished:
        return None


def _links(
    tool: Tool, arguments: Mapping[str, Any], asked: Mapping[str, str], body: Mapping[str, Any]
) -> dict[str, str]:
    """The page that shows the same to a person, and the address of the whole answer."""
    site = str(settings.COSTOPS_SITE_URL).rstrip("/")
    page = body["page"] if isinstance(body.get("page"), str) else tool.page_of(arguments)
    return {"page": f"{site}{page}", "api": f"{site}{tool.path()}?{urlencode(asked)}"}
