"""What fails outside of the API's views: told as a problem below `/api/`, as a page everywhere else."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.views import defaults

from apps.api.errors import DATABASE_SECONDS, problem
from apps.api.problems import PROBLEMS
from apps.api.renderers import ProblemRenderer
from apps.warehouse.database import is_away


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, "malformed") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, "permission_denied") or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _problem(request, "not_found") or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *_anything: Any) -> HttpResponseBase:
    """A defect; or what we depend on is away, and coming again helps."""
    if is_away(sys.exc_info()[1]):
        return _unavailable(request)
    return _problem(request, "internal") or defaults.server_error(request)


def _unavailable(request: HttpRequest) -> HttpResponse:
    response = _problem(request, "unavailable") or HttpResponse(
        loader.get_template("503.html").render(), status=503, headers={"Cache-Control": "private, no-store"}
    )
    response["Retry-After"] = str(DATABASE_SECONDS)
    return response


def _problem(request: HttpRequest, code: str) -> HttpResponse | None:
    if not request.path.startswith("/api/"):
        return None
    body = problem(code, PROBLEMS[code].cause, request.get_full_path())
    headers = {"Cache-Control": "private, no-store"}
    return HttpResponse(
        ProblemRenderer().render(body), ProblemRenderer.media_type, status=body["status"], headers=headers
    )
