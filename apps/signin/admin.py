"""Signing in, in the admin: to be read only, without secrets."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin

from apps.signin.models import Given, Kept
from apps.teams.reading import ToRead

for _theirs in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(_theirs)  # providers stand in COSTOPS_SSO_FILE; the rest is changed by whom it is about


@admin.register(Authenticator)
class AuthenticatorAdmin(ToRead):
    """Who has which second factor."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__username",)
    ordering = ("-pk",)
    exclude = ("data",)


@admin.register(SocialAccount)
class SocialAccountAdmin(ToRead):
    """Who comes by which provider."""

    list_display = ("user", "provider", "uid", "last_login")
    list_filter = ("provider",)
    search_fields = ("user__username", "uid")
    ordering = ("-pk",)
    exclude = ("extra_data",)


@admin.register(UserSession)
class UserSessionAdmin(ToRead):
    """Who is signed in, and where."""

    list_display = ("user", "created_at", "last_seen_at", "ip", "user_agent")
    search_fields = ("user__username", "ip")
    ordering = ("-last_seen_at",)
    exclude = ("data",)


@admin.register(Given)
class GivenAdmin(ToRead):
    """What groups of a provider gave."""

    list_display = ("user", "kind", "name")
    list_filter = ("kind",)
    search_fields = ("user__username", "name")
    ordering = ("-pk",)


@admin.register(Kept)
class KeptAdmin(ToRead):
    """Tries that are counted."""

    list_display = ("key", "until")
    ordering = ("-until",)
