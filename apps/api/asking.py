"""What every address of the API shares: strict parameters, pages, one answer per key, private caching."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.exceptions import ParseError, PermissionDenied, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import deprecations, idempotency, paging, parameters
from apps.api.bodies import FieldsBody, kind_of
from apps.api.errors import BadParameterError
from apps.api.grammar import check_span
from apps.api.parameters import Known
from apps.api.questions import digest_of
from apps.audit.reading import SHOWN
from apps.audit.requests import BODY
from apps.finops.windows import ONE_DAY
from apps.marts.query import CostQuery
from apps.marts.scoping import scope_of, without_teams
from apps.marts.selectors import issue, publication
from apps.teams.access import may_somewhere
from apps.teams.roles import Can

SHEETS = parameters.TABLE_FORMATS[1:]
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_WITHOUT_LENGTH = "The body comes in pieces, of which none would be read: send it whole, with its Content-Length."


@method_decorator(conditional_page, name="dispatch")
class AskView(APIView):
    """An address of the API.

    A GET documented by `schema.asking` whose answer has `rows` is given page by page; where they are a plain list,
    `identity` names the columns that tell them apart (all of them by default). A write with an `Idempotency-Key`
    is done once. `written_by` is what of it somebody needs to change anything here at all; `made_under` names the
    address of what a POST makes, by its `number`.
    """

    parser_classes: Sequence[type[BaseParser]] = (FieldsBody,)
    known: Known = parameters.PLAIN
    formats: tuple[str, ...] = parameters.FORMATS
    columns: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    written_by: frozenset[Can] = frozenset({Can.DECIDE})
    made_under = ""
    file_name = "costops"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers and request.method not in SAFE_METHODS:
            raise ParseError(_WITHOUT_LENGTH)
        name = str(request.method).lower()
        handler = getattr(self, name, None)
        if handler is not None and self._is_paged(request):
            setattr(self, name, self._page_by_page(handler))
        key = request.headers.get(idempotency.HEADER)
        if key is not None and handler is not None and request.method not in SAFE_METHODS:
            setattr(self, name, self._once(handler, key))

    def check_permissions(self, request: Request) -> None:
        """Who is refused has asked as well: it counts, and says how much is left."""
        if request.user.is_authenticated:
            super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """They were, before permissions."""

    def asked(self, request: Request) -> dict[str, Any]:
        """The parameters of a request but those of its page, the format that was agreed on among them."""
        pages = parameters.PAGE if self._is_paged(request) else ()
        given = dict(parameters.read(request.query_params, (*self.known, *pages)))
        for parameter in pages:
            given.pop(parameter.name, None)
        start, end, last = (given.get(name) for name in ("start", "end", "last"))
        after = last + ONE_DAY if isinstance(last, date) else end
        if isinstance(start, date) and isinstance(after, date):
            check_span(given, start, after)
        return {**given, "format": getattr(request.accepted_renderer, "format", "json")}

    def given(self, request: Request, known: Known) -> dict[str, Any]:
        """The parameters of a write but its format: of the address, and of a body of JSON where there is one."""
        told = request.query_params.copy()
        kind = kind_of(request)
        if _has_body(request, kind) and kind not in {parser.media_type for parser in self.parser_classes}:
            self.check_may_write(request)
            raise UnsupportedMediaType(kind[:60])
        if kind == FieldsBody.media_type:
            body: Any = request.data
            for name, value in body.items():
                told.appendlist(name, value)
        found = dict(parameters.read(told, known))
        found.pop(parameters.FORMAT.name, None)
        return found

    def check_may_write(self, request: Request) -> None:
        """Refuse whoever changes nothing here, whatever they would say."""
        if not any(may_somewhere(request.user, can) for can in self.written_by):
            raise PermissionDenied

    def note_teams(self, request: Request, query: CostQuery) -> None:
        """Tell the log of reads to which teams an answer is narrowed."""
        setattr(request._request, SHOWN, without_teams(query)[1])

    def _is_paged(self, request: Request) -> bool:
        return _rows_of(getattr(self, str(request.method).lower(), None)) is not None

    def _page_by_page(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        def page(request: Request, *args: Any, **kwargs: Any) -> Any:
            response = handler(request, *args, **kwargs)
            if isinstance(response, Response) and isinstance(response.data, dict):
                is_sheet = getattr(request.accepted_renderer, "format", "") in SHEETS
                limit = parameters.MAX_LIMIT if is_sheet else _rows_of(handler) or parameters.DEFAULT_LIMIT
                response.data = paging.cut(request, response.data, self.identity, limit)
                if response.data["page"]["next_cursor"] and not response.has_header("ETag"):
                    response["ETag"] = paging.etag_of_page(request, response.data)
            return response

        page.rows_of_a_page = _rows_of(handler)  # type: ignore[attr-defined]  # `asked` reads it
        return page

    def _once(self, handler: Callable[..., Any], key: str) -> Callable[..., Any]:
        def once(request: Request, *args: Any, **kwargs: Any) -> Any:
            now = timezone.now()  # noqa: TID251  # a request is an entry point
            asked = idempotency.asked_of(request)
            return idempotency.once(asked, key, lambda: handler(request, *args, **kwargs), now=now)

        return once

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """By `format`, else by Accept; a format that is not there is a bad parameter, not a missing page."""
        chosen = request.query_params.get(parameters.FORMAT.name)
        if chosen not in (None, *self.formats) and not force:
            raise BadParameterError(parameters.FORMAT.name, f"format is not one of {', '.join(self.formats)}")
        return super().perform_content_negotiation(request, force)

    def get_renderer_context(self) -> dict[str, Any]:
        return {**super().get_renderer_context(), "columns": self.columns}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method not in SAFE_METHODS and isinstance(body := getattr(request, "_full_data", None), dict):
            read = {name: value for name, value in body.items() if isinstance(value, str)}
            setattr(request._request, BODY, read)  # for the audit log, where the view has read it
        paging.link_to_next(request, response)
        if response.status_code == 201 and self.made_under:  # also where it is told again
            response["Location"] = reverse(self.made_under, args=[response.data["number"]])
        done = super().finalize_response(request, response, *args, **kwargs)
        done["Cache-Control"] = "private, no-cache"
        patch_vary_headers(done, ("Accept", "Authorization", "Cookie"))
        deprecations.announce(done, request.resolver_match.route if request.resolver_match else "")
        chosen = getattr(request.accepted_renderer, "format", "")
        if done.status_code == 200 and chosen in SHEETS:
            done["Content-Disposition"] = f'attachment; filename="{self.file_name}.{chosen}"'
        return done


def _has_body(request: Request, kind: str) -> bool:
    """Whether something was sent that a write would have to read: a form without fields says nothing."""
    sent = request._request
    if kind in _FORMS and sent.method == "POST":  # of no other method Django reads one
        return bool(sent.POST or sent.FILES)
    length = str(sent.META.get("CONTENT_LENGTH") or "0")
    return length != "0"


def _rows_of(handler: Any) -> int | None:
    """How many rows a page of a handler's answers has when nothing is said (`schema.asking`); None: it has no pages."""
    found: int | None = getattr(handler, "rows_of_a_page", None)
    return found


class CompanyView(AskView):
    """What concerns all teams at once is for those who may see them all."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if scope_of(request.user).teams is not None:
            raise PermissionDenied


def etag_of(number: int | None, *asked: Any) -> str:
    """The ETag of an answer that a publication, the question and the viewer's scope decide."""
    return f'"{number}-{digest_of(issue(publication(number)), *asked)}"'


def unchanged(request: Request, etag: str) -> HttpResponse | None:
    """304, if the caller has the answer of this ETag already."""
    same = get_conditional_response(request._request, etag=etag)  # there is no public way to Django's own request
    if same is not None:
        same["ETag"] = etag
    return same
