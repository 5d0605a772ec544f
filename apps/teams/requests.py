"""What is true of every request: a program comes with a token, and who only looks is looked up once."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from apps.finops.once import looking
from apps.teams.access import is_service

_LOOKED = "costops_is_person"
_SIGNING_IN = "/signin/"


class LookedUpOnce:
    """Middleware: who only looks is told one state of things, and it is looked up once. Signing in may change what
    somebody holds, by any method."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or request.path.startswith(_SIGNING_IN):
            return self.get_response(request)
        with looking():
            return self.get_response(request)


class PeopleOnly:
    """Middleware: whichever way a session of a service account was begun, it is ended before anything is answered.

    A session is looked at once: what is a person's stays one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.session.get(_LOOKED) != request.user.pk:
            if is_service(request.user):
                request.session.flush()
                request.user = AnonymousUser()
            else:
                request.session[_LOOKED] = request.user.pk
        return self.get_response(request)
