"""How the library that signs people in behaves here: who comes from where, what is said, and what follows."""

import logging
import unicodedata
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import RateLimitUsage, consume
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.audit import services as audit
from apps.audit.models import AuditEntry
from apps.audit.requests import CHANGES, address_of
from apps.signin import groups, outbound
from apps.signin.models import Given

logger = logging.getLogger(__name__)
NOWHERE = "::"
"""The address of whoever has none, as by a socket in the file system: they are counted together."""


def client_address(request: HttpRequest) -> str:
    """Where a request comes from, as the audit log tells it; proxies are believed as COSTOPS_BEHIND_PROXY says."""
    try:
        return str(ip_address(address_of(request)))
    except ValueError:
        return NOWHERE


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # it publishes no types
    """Accounts are made by administrators or by single sign-on; nobody signs up here."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("That name and password do not go together."),
        "too_many_login_attempts": _("Too many tries. Wait five minutes, then try again."),
        "incorrect_password": _("That is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **given: Any) -> str:
        """Wrong passwords are counted by the name alone: the library adds the host, with the port the browser says.

        It counts second factors beside them, as `mfa-auth-user-1`, which somebody may type for a name.
        """
        name = given.get("username") or given.get("email") or ""
        return f"name:{unicodedata.normalize('NFKC', name.strip()).casefold()}"

    def count_try(self, request: HttpRequest) -> RateLimitUsage:
        """One more try of an address; it is rolled back where what was tried is right.

        Counted apart from `login_failed`, all of which the library forgets when somebody shows a factor of their own.
        """
        usage = consume(request, app="allauth.account", action="try")
        if usage is None:
            raise self.validation_error("too_many_login_attempts")
        return usage

    def authenticate(self, request: HttpRequest, **given: Any) -> AbstractBaseUser | None:
        counted = self.count_try(request)
        user: AbstractBaseUser | None = super().authenticate(request, **given)
        if user is not None:
            counted.rollback()
        return user

    def add_message(self, request: HttpRequest, level: int, *told: Any, **more: Any) -> None:
        """What failed is said; what went well is seen."""
        if level >= messages.ERROR:
            super().add_message(request, level, *told, **more)

    def is_reauthentication_required(self, *, app: str, **_more: Any) -> bool:
        """Before a factor changes one shows who one is; who cannot here came by single sign-on, and did there."""
        return bool(self.get_reauthentication_methods(self.request.user))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("settings")

    def pre_login(self, request: HttpRequest, user: User, **given: Any) -> HttpResponse | None:
        """Whoever holds what groups of a provider gave comes by it: nobody else says whether they are still in them."""
        refused: HttpResponse | None = super().pre_login(request, user, **given)
        if refused is None and _came_by(given) is None and _is_looked_after(user):
            request.session.flush()
            return render(request, "socialaccount/by_provider.html", status=403)
        return refused

    def post_login(self, request: HttpRequest, user: User, **given: Any) -> HttpResponse:
        """What the groups of the provider give is given before the first page."""
        if login := _came_by(given):
            now = timezone.now()  # noqa: TID251  # a sign-in happens now
            groups.follow(user, groups.named_by(login), at=now, address=client_address(request))
        response: HttpResponse = super().post_login(request, user, **given)
        return response


def _came_by(given: Mapping[str, Any]) -> SocialLogin | None:
    return (given.get("signal_kwargs") or {}).get("sociallogin")


@transaction.atomic
def _link(request: HttpRequest, login: SocialLogin, owner: User) -> None:
    """Whoever the provider names is the owner from now on, and the audit log says so: who answers the request may be
    nobody yet, where a second factor is asked for or the owner is switched off."""
    login.connect(request, owner)
    deed = audit.Deed(
        at=timezone.now(),  # noqa: TID251  # a sign-in happens now
        actor=owner.get_username(),
        way=AuditEntry.Way.PAGE,
        action="link of the sign-in",
        subject={"user": owner.get_username()},
        details={"provider": login.account.provider, "uid": login.account.uid},
        address=client_address(request),
    )
    audit.record(deed, 200)


def _is_looked_after(user: User) -> bool:
    """Whether groups gave somebody what they hold, at a provider by which they can come. Superusers hold all anyway:
    one of them gets in where the provider is down."""
    if user.is_superuser or not Given.objects.filter(user=user).exists():
        return False
    known = {app.provider_id or app.provider for app in Provided().list_apps(None)}
    return bool(SocialAccount.objects.filter(user=user, provider__in=known).exists())


class Provided(DefaultSocialAccountAdapter):  # type: ignore[misc]  # it publishes no types
    """People whom a provider of the installation vouches for."""

    def list_apps(self, request: HttpRequest | None, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Providers stand in COSTOPS_SSO_FILE and nowhere else: who may write to the database adds none."""
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(sociallogin.provider.app.settings["makes_accounts"])

    def on_authentication_error(self, request: HttpRequest, provider: Any, **told: Any) -> None:
        """Why it failed is for the log, and that it did for the audit log; the page says neither."""
        setattr(request, CHANGES, True)
        reason = told.get("exception") or told.get("error")
        logger.warning("a sign-in by %s was refused: %s", provider.app.provider_id, reason)

    def get_requests_session(self) -> outbound.Session:
        return outbound.session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Who comes for the first time: an account is theirs by a verified address only, and where that is allowed.

        Whatever the browser asked for by `process`: who is signed in links no account of a provider to theirs. That
        somebody came is in the audit log, however it ends.
        """
        setattr(request, CHANGES, True)
        sociallogin.state["process"] = AuthProcess.LOGIN
        if sociallogin.is_existing:
            return
        address = sociallogin.email_addresses[0] if sociallogin.email_addresses else None
        owners = list(User.objects.filter(email__same_address=address.email)[:2]) if address else []
        if address is None or not owners:
            self._forget_unverified(sociallogin)
        elif address.verified and len(owners) == 1 and sociallogin.provider.app.settings["links_accounts"]:
            _link(request, sociallogin, owners[0])
        else:
            raise ImmediateHttpResponse(render(request, "socialaccount/taken.html", status=403))

    def _forget_unverified(self, sociallogin: SocialLogin) -> None:
        """An address that nobody verified is not kept: kept, it would be taken for that of its owner."""
        if not any(one.verified for one in sociallogin.email_addresses):
            sociallogin.email_addresses = []
            sociallogin.user.email = ""
