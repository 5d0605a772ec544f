"""Pages of signing in, of one's password, and of where one is signed in."""

from typing import Any, cast

from allauth.account.forms import LoginForm
from allauth.account.views import LoginView, PasswordChangeView
from allauth.decorators import rate_limit
from allauth.mfa.base.views import IndexView
from allauth.mfa.webauthn.views import LoginWebAuthnView
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from apps.signin import factors, outbound, sessions
from apps.signin.oidc import Adapter

LOCKED_OUT = 429


class SignIn(LoginView):  # type: ignore[misc]  # it publishes no types
    """By password where the installation lets people, by a passkey, and by its providers."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and not settings.COSTOPS_PASSWORD_LOGIN:
            raise PermissionDenied("Passwords are switched off.")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        status = LOCKED_OUT if form.is_locked_out else 200
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=status)
        return response

    def get_context_data(self, **told: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**told)
        asked = {"next": self.get_next_url()} if self.get_next_url() else {}
        providers = [
            {"title": one.name, "address": one.get_login_url(self.request, **asked)}
            for one in get_adapter().list_providers(self.request)
        ]
        return context | {"by_password": settings.COSTOPS_PASSWORD_LOGIN, "providers": providers}


@method_decorator(rate_limit(action="passkey", limit_get=True), name="get")
class Passkey(LoginWebAuthnView):  # type: ignore[misc]  # it publishes no types
    """By a passkey alone. Whoever asks for it is given a session before anybody knows who they are."""


@never_cache
@rate_limit(action="provider", limit_get=True)  # type: ignore[untyped-decorator]  # it publishes no types
def begin(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """To the provider. By GET: our policy lets no form lead elsewhere, and a sign-in that is begun for somebody ends
    with whom the provider names, in the session that began it."""
    return _carried(request, provider_id, OAuth2LoginView)


@never_cache
def come_back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """From the provider."""
    return _carried(request, provider_id, OAuth2CallbackView)


def _carried(request: HttpRequest, provider_id: str, view: Any) -> HttpResponseBase:
    """What a provider sends may be anything; whatever is wrong with it is one page, and the reason is in the log."""
    adapter = Adapter(request, provider_id)
    try:
        provider = adapter.get_provider()
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    try:
        response: HttpResponseBase = view.adapter_view(adapter)(request)
    except (OAuth2Error, outbound.Failed, LookupError, TypeError, ValueError, AttributeError) as error:
        response = render_authentication_error(request, provider, exception=error)
    return response


def closed(request: HttpRequest) -> HttpResponse:
    """Where the library would ask for what a provider did not tell."""
    return render(request, "account/signup_closed.html", status=403)


class ChangePassword(PasswordChangeView):  # type: ignore[misc]  # it publishes no types
    """One's own password, where one has one and may use it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and not (user.has_usable_password() and settings.COSTOPS_PASSWORD_LOGIN):
            return redirect("settings")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class SecondFactor(IndexView):  # type: ignore[misc]  # it publishes no types
    """One's factors, and whether one must have one."""

    def get_context_data(self, **told: Any) -> dict[str, Any]:
        is_asked = factors.lacks_one(self.request, cast(User, self.request.user))
        context: dict[str, Any] = super().get_context_data(**told)
        return context | {"is_asked": is_asked}


@method_decorator(never_cache, name="dispatch")
class Devices(LoginRequiredMixin, View):
    """Where one is signed in, and signing out there."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        found = [(one, sessions.browser_of(one.user_agent)) for one in sessions.sessions_of(self._user)]
        return render(request, "signin/devices.html", {"sessions": found})

    def post(self, request: HttpRequest) -> HttpResponseBase:
        chosen = request.POST.get("end", "")
        own = UserSession.objects.filter(user=self._user)
        if chosen == "others":
            sessions.end(request, own.exclude(session_key=request.session.session_key))
        elif chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
            sessions.end(request, own.filter(pk=int(chosen)))
        return redirect("usersessions_list")

    @property
    def _user(self) -> User:
        return cast(User, self.request.user)
