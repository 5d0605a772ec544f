"""Middleware: sessions end in time, and whoever must have a second factor sets one up before anything else."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from apps.signin import factors, sessions
from apps.signin.adapters import client_address

NO_STORE = "no-store, private"
FOR_PROGRAMS = ("/api/v1/", "/api/compat/", "/api/schema/", "/mcp")
"""Below these an answer is for a program: it is refused in words, not led to a page."""
OPEN = frozenset(
    {
        "login", "logout", "set_language", "account_reauthenticate", "mfa_index", "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes",
    }
)  # fmt: skip
"""What leads to a second factor, and out."""


class SignedIn:
    """Middleware after authentication, for sessions only: who comes with a token has none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.get_response(request)
        now = timezone.now()  # noqa: TID251  # a middleware is an entry point
        if sessions.is_over(request.session, now):
            logout(request)  # they are nobody from here on, and led to the sign-in by whatever they asked for
            return self.get_response(request)
        if not request.path.endswith("/progress/"):  # a page that asks by itself is not somebody being there
            sessions.note(request, now, address=client_address(request))
        response = self.get_response(request)
        if "ETag" not in response.headers:
            response.headers.setdefault("Cache-Control", NO_STORE)
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        """Lead whoever lacks a second factor to it."""
        user, match = request.user, request.resolver_match
        if not isinstance(user, User) or (match and match.url_name in OPEN) or not factors.lacks_one(request, user):
            return None
        if request.path.startswith(FOR_PROGRAMS):
            raise PermissionDenied("Set up a second factor first.")
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": reverse("mfa_index")})
        return redirect("mfa_index")
