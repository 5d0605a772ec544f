"""Text that no database and no query holds is refused before a page reads it."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

NUL = "\x00"
_TOLD_BY_NAME = ("/api/v1/", "/api/compat/")
"""Here the parameter is named that holds it."""


class NoNulCookies:
    """Middleware: a cookie that holds a NUL was not given by us. It is as if it were not sent: nobody is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        for name in [name for name, value in request.COOKIES.items() if NUL in value]:
            del request.COOKIES[name]
        return self.get_response(request)


class NoNuls:
    """Middleware: a NUL in an address or a form is a bad request. PostgreSQL refuses it, and it ends a text of SQL."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if NUL in request.path_info:
            raise BadRequest
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """What was sent is read by now, to look for the token of a form."""
        if request.path_info.startswith(_TOLD_BY_NAME):
            return
        told = (*request.GET.lists(), *request.POST.lists())
        if any(NUL in text for name, texts in told for text in (name, *texts)):
            raise BadRequest
