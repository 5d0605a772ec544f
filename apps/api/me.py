"""Who asks: what a program may see and do with its token."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.models import ApiToken
from apps.marts.scoping import scope_of
from apps.teams.access import Somebody, may
from apps.teams.roles import Can


class ShownTokenSchema(serializers.Serializer[Any]):
    """The token of the request; its secret is known to nobody."""

    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    scopes = serializers.ListField(child=serializers.CharField())
    teams = serializers.ListField(child=serializers.CharField(), allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_day = serializers.DateField(allow_null=True)


class MeSchema(serializers.Serializer[Any]):
    """The caller: `teams` is null for those who see all, `accounts` are those whose cost they see
    whosever it is, `may` is what they may do of the whole company; `token` is null for a session of the pages."""

    user = serializers.CharField()
    teams = serializers.ListField(child=serializers.CharField(), allow_null=True)
    accounts = serializers.ListField(child=serializers.CharField())
    may = serializers.ListField(child=serializers.CharField())
    token = ShownTokenSchema(allow_null=True)


class MeView(AskView):
    """Who asks, what they see, and what the token may do."""

    columns = ("user", "teams", "accounts", "may")
    file_name = "me"

    @schema.asking("me", parameters.PLAIN, MeSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        (teams, accounts), token = scope_of(request.user, by_account=True).identity, request.auth
        told = {"user": request.user.get_username(), "teams": teams, "accounts": accounts, "may": _may(request.user)}
        return Response(told | {"token": _token(token) if isinstance(token, ApiToken) else None})


def _may(user: Somebody) -> list[str]:
    return [can.value for can in Can if may(user, can)]


def _token(one: ApiToken) -> dict[str, Any]:
    plain = ("name", "teams", "created_at", "expires_at", "last_used_day")
    return {"id": one.public_id, "scopes": one.scopes.split()} | {name: getattr(one, name) for name in plain}
