"""The page of settings, and where somebody begins after signing in."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from apps.dashboards import own_settings
from apps.dashboards.faults import refusal
from apps.dashboards.own_settings import NoSuchChoice
from apps.dashboards.views import Guarded
from apps.teams.preferring import preference_of


def in_language(response: HttpResponseBase, language: str) -> HttpResponseBase:
    """An answer after which pages are in a language; empty for what the browser asks for."""
    cookie: Any = response
    if language:
        cookie.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 24 * 3600, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    else:
        cookie.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


class Settings(Guarded):
    """What whoever looks prefers; what holds for all is told to administrators."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        try:
            chosen = own_settings.choose(cast(User, request.user), self.scope, request.POST)
        except NoSuchChoice as refused:
            return self._page(400, **refusal(refused, labels=own_settings.titles()))
        return in_language(redirect("settings"), chosen.language)

    def _page(self, status: int = 200, **said: Any) -> HttpResponseBase:
        page = own_settings.page(cast(User, self.request.user), self.scope)
        context = {"page": page, "for_everything": self.scope.teams is None, **said}
        return render(self.request, "dashboards/settings.html", context, status=status)


class Theme(Guarded):
    """Light or dark, chosen with the button that stands on every page; the script of the page has applied it."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        try:
            own_settings.choose_theme(cast(User, request.user), request.POST.get("theme", ""))
        except NoSuchChoice as refused:
            return HttpResponse(str(refused), status=400, content_type="text/plain")
        return HttpResponse(status=204)


class Start(Guarded):
    """Where one begins: in one's language, at the page one prefers."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = redirect(own_settings.start(cast(User, request.user), self.scope))
        language = preference_of(request.user).language
        return in_language(response, language) if language else response
