"""Who asks: what a program may see and do with its token."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.models import ApiToken
from apps.api.selectors import scope_of


class ShownTokenSchema(serializers.Serializer[Any]):
    """The token of the request; its secret is known to nobody."""

    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_day = serializers.DateField(allow_null=True)


class MeSchema(serializers.Serializer[Any]):
    """The caller: `teams` is null for those who see all; `token` is null for a session of the pages."""

    user = serializers.CharField()
    teams = serializers.ListField(child=serializers.CharField(), allow_null=True)
    token = ShownTokenSchema(allow_null=True)


class MeView(AskView):
    """Who asks, what they see, and what the token may do."""

    columns = ("user", "teams")
    file_name = "me"

    @schema.asking("me", parameters.PLAIN, MeSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        teams, token = scope_of(request.user).teams, request.auth
        told = {"user": request.user.get_username(), "teams": None if teams is None else sorted(teams)}
        return Response(told | {"token": _token(token) if isinstance(token, ApiToken) else None})


def _token(one: ApiToken) -> dict[str, Any]:
    plain = ("name", "created_at", "expires_at", "last_used_day")
    return {"id": one.public_id, "scopes": one.scopes.split()} | {name: getattr(one, name) for name in plain}
