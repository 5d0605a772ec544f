"""Every request gets an identity, and is counted and timed by the name of its address; machines are answered first."""

import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from prometheus_client import Histogram

from apps.finops.running import told_of
from apps.monitoring.logs import REQUEST_ID

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = Histogram(
    "costops_http_request_seconds",
    "How long requests took, by the name of their address.",
    ["method", "view", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
NAMES = tuple(f"costops_http_request_seconds_{part}" for part in ("bucket", "count", "sum", "created"))


class Watched:
    """Middleware, the outermost: lines of the log name the request, its answer bears the same name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        identity = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        request.META[REQUEST_ID] = identity
        began = time.monotonic()
        with told_of(request_id=identity):
            response = self.get_response(request)
        SECONDS.labels(_method(request), _view(request), response.status_code).observe(time.monotonic() - began)
        response[HEADER] = identity
        return response


class ForMachines:
    """Middleware that answers orchestrators and Prometheus by whatever host and scheme they ask."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = _match(request)
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request)
        return response


def _match(request: HttpRequest) -> ResolverMatch | None:
    """What of ours is asked for; None where the request is for somebody."""
    try:
        return resolve(request.path_info, urlconf="apps.monitoring.urls")
    except Resolver404:
        return None


def _method(request: HttpRequest) -> str:
    """Anybody may send any word as a method; a counter for each would fill the memory."""
    return request.method if request.method in _METHODS else "other"


def _view(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.url_name or match.view_name or "unnamed") if match else "none"
