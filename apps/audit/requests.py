"""Requests that change or take away something are written down, whoever answers them."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from apps.audit import services
from apps.audit.models import AuditEntry
from apps.audit.reading import note_read
from apps.audit.services import Deed
from apps.finops.running import at_work

logger = logging.getLogger(__name__)
READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
ONLY_LOOKS = "only_looks"
"""What a view sets on a request that changes nothing though it is a POST."""
CHANGES = "changes"
"""What a view sets on a request that changes something though it is a GET, as coming back from another sign-in does."""
BODY = "audit_body"
"""What a view sets on a request whose body is no form: the values it read there, by name."""
QUERY = "?"
"""The name of what stood in the address of a request with a body."""
BEGUN = "audit_begun"
"""The key of what was noted before the view."""
MACHINE_MADE = ("text/csv", "application/vnd.", "application/pdf", "application/x-ndjson", "application/zip")


class Recorded:
    """Middleware: every write and every export is an entry; reads too where `COSTOPS_AUDIT_READS` says so.

    A write is noted before its view changes anything: a database that does not take the note takes no change either.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        before = "" if request.method in READING else _name(request)  # who signs out is nobody afterwards
        response = self.get_response(request)
        is_reading = request.method in READING and not getattr(request, CHANGES, False)
        looks = is_reading or getattr(request, ONLY_LOOKS, False)
        if not looks or _is_export(response) or _is_read(request):
            _record(request, response, before)
        else:
            _write_down(request, lambda: services.forget(getattr(request, BEGUN, "")))
        note_answer(request, response)
        return response

    def process_view(self, request: HttpRequest, _view: object, _args: object, _given: object) -> None:
        """Note a write that begins; one that shows a token is noted when it is known whose (`begin_of_token`)."""
        if request.method not in READING and (
            _name(request) or not ("Authorization" in request.headers or _is_too_many(request))
        ):
            setattr(request, BEGUN, _begin(_deed(request)))


def begin_of_token(request: HttpRequest, actor: str, via: str) -> None:
    """Note a write that begins with the API token `via`, of a user."""
    if request.method not in READING:
        services.forget(getattr(request, BEGUN, ""))  # who is signed in besides is not who asks
        deed = replace(_deed(request), actor=actor, way=AuditEntry.Way.TOKEN, details={"via": via})
        setattr(request, BEGUN, _begin(deed))


def _begin(deed: Deed) -> str:
    try:
        return services.begin(deed)
    except DatabaseError as error:  # read-only, or not migrated yet: to be asked again, like one that does not answer
        raise OperationalError("The audit log cannot be written.") from error


def _is_export(response: HttpResponseBase) -> bool:
    """Whether an answer is a file to keep, or a table for another program."""
    kind = str(response.headers.get("Content-Type", ""))
    return response.status_code == 200 and ("Content-Disposition" in response.headers or kind.startswith(MACHINE_MADE))


def _is_read(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(settings.COSTOPS_AUDIT_READS and match and not request.path.startswith(settings.STATIC_URL))


NAMELESS_A_MINUTE = 60
"""Entries of one address without a name; who tries without end is in the log of the web server, not in the chain."""


def _is_too_many(request: HttpRequest) -> bool:
    key = f"audit:nameless:{address_of(request)[:45]}"
    cache.add(key, 0, 60)
    try:
        return cache.incr(key) > NAMELESS_A_MINUTE
    except ValueError:  # it was forgotten meanwhile
        return False


def _record(request: HttpRequest, response: HttpResponseBase, before: str) -> None:
    """An entry; of those without a name only so many."""
    begun = getattr(request, BEGUN, "")
    if _name(request) or before or begun or not _is_too_many(request):
        _write_down(request, lambda: services.record(_deed(request, before), response.status_code, begun=begun))


def _write_down(request: HttpRequest, write: Callable[[], object]) -> None:
    """Where the database does not take it, the log does: the answer was given already."""
    try:
        write()
    except DatabaseError:
        logger.exception("audit: what %s did could not be written down", _name(request) or "somebody")


def _deed(request: HttpRequest, before: str = "") -> Deed:
    """What a request does, as far as it is known by now; `before` is who asked, where they are nobody any more."""
    match, token = request.resolver_match, getattr(request, "auth", None)
    via: dict[str, Any] = {} if token is None else {"via": token.public_id}
    return Deed(
        at=timezone.now(),  # noqa: TID251  # a middleware is an entry point
        actor=_name(request) or before,
        way=_way(request),
        action=f"{request.method} {(match.url_name or match.view_name) if match else '?'}",
        subject=match.kwargs if match else {"path": request.path},
        details=via | _given(request) | via,  # first, so that it is never cut off; and nobody's to give
        address=address_of(request),
        request_id=str(at_work().get("request_id", "")),
    )


def note_answer(request: HttpRequest, response: HttpResponseBase, question: str = "") -> None:
    """Write a read down where reads are kept; `question` is the one of an assistant that it answers."""
    if not (settings.COSTOPS_READ_LOG and _is_shown(request, response) and _name(request)):
        return
    way, now = _way(request), timezone.now()  # noqa: TID251  # a middleware is an entry point
    try:
        address, is_export = address_of(request), _is_export(response)
        note_read(request, is_export=is_export, way=way, address=address, at=now, question=question)
    except DatabaseError:
        logger.exception("audit: what %s looked at could not be written down", _name(request))


def _is_shown(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether an answer shows what was asked for: what is refused of a form is said on the whole page once more."""
    if request.method == "POST":
        return isinstance(response, TemplateResponse)  # error pages are none
    return request.method == "GET" and response.status_code == 200


def _way(request: HttpRequest) -> str:
    return AuditEntry.Way.PAGE if getattr(request, "auth", None) is None else AuditEntry.Way.TOKEN


def _name(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return user.get_username() if user is not None and user.is_authenticated else ""


def address_of(request: HttpRequest) -> str:
    """Where it came from; behind a proxy the last one it names, which is the only one it vouches for."""
    if settings.SECURE_PROXY_SSL_HEADER and (named := request.headers.get("X-Forwarded-For")):
        return named.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _given(request: HttpRequest) -> dict[str, Any]:
    """What stood in a body where the view has read it (what was refused is not read for this), and in the address.

    The query stands apart from a body: nothing of one hides what is in the other.
    """
    asked = {QUERY: _values(request.GET)} if request.GET else {}
    body = getattr(request, BODY, {}) | _values(getattr(request, "_post", None) or QueryDict())
    uploads: list[tuple[str, list[Any]]] = list((getattr(request, "_files", None) or QueryDict()).lists())
    for name, files in uploads:
        told = [f"{file.name} ({file.size} bytes)" for file in files]
        body[name] = [body[name], *told] if name in body else told if len(told) > 1 else told[0]
    return asked | body | asked if body else _values(request.GET)


def _values(given: QueryDict) -> dict[str, Any]:
    """One value as it is, several as a list."""
    return {name: values[0] if len(values) == 1 else values for name, values in given.lists()}
