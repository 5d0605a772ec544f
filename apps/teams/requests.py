"""Requests of programs come with a token: a session of theirs is nobody's."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from apps.teams.access import is_service

_LOOKED = "costops_is_person"


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
