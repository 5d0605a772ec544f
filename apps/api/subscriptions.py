"""Subscriptions over the API: which reports somebody gets, and in which language."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.letters import ROLES
from apps.api.parameters import FORMAT, Parameter
from apps.reports import recipients
from apps.reports.recipients import NotForYou, Target
from apps.teams.access import speaks_whole
from apps.teams.roles import Can

LANGUAGES = tuple(dict(settings.LANGUAGES))
WISHING = (
    Parameter("role", parameters.one_of(*ROLES), "Which report.", choices=ROLES),
    Parameter("team", parameters.text, "Of which team, where it is that of a lead."),
    Parameter("is_wanted", parameters.one_of("true", "false"), "Whether it is to come.", choices=("true", "false")),
    Parameter("language", parameters.one_of(*LANGUAGES), "The language of all.", choices=LANGUAGES),
    FORMAT,
)


class ReportSubscriptionSchema(serializers.Serializer[Any]):
    """A report the caller may read, and whether it comes to them; `team` is empty where it is of all teams."""

    role = serializers.ChoiceField(ROLES)
    team = serializers.CharField(allow_blank=True)
    is_wanted = serializers.BooleanField()


class ReportSubscriptionsSchema(serializers.Serializer[Any]):
    """The reports the caller may read; `language` is empty for that of the installation."""

    address = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True)
    rows = ReportSubscriptionSchema(many=True)


class WishedSchema(serializers.Serializer[Any]):
    """What was wished."""

    role = serializers.CharField(allow_blank=True)
    team = serializers.CharField(allow_blank=True)
    is_wanted = serializers.BooleanField(allow_null=True)
    language = serializers.CharField(allow_blank=True)


class SubscriptionsView(AskView):
    """Which reports the caller gets; a POST wishes for one, or not, or for a language."""

    written_by = frozenset({Can.SEE_COST})
    columns = schema.columns_of(ReportSubscriptionSchema)
    identity = ("role", "team")
    file_name = "subscriptions"

    @schema.asking("subscriptions", parameters.PLAIN, ReportSubscriptionsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        user = cast(User, request.user)
        got = recipients.got(user)
        rows = [
            {"role": str(one.report), "team": one.name, "is_wanted": (str(one.report), one.name) in got}
            for one in recipients.readable(user)
        ]
        return Response({"address": user.email, "language": recipients.language_of(user), "rows": rows})

    @schema.writing("wish_for_report", WISHING, WishedSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, WISHING)
        user = cast(User, request.user)
        if "language" in given and not speaks_whole(user):
            raise NotForYou("language: that of all your letters is not chosen with a token for some teams.")
        if "language" not in given or "role" in given:
            target = _target(user, parameters.needed(given, "role"), given.get("team", ""))
            is_wanted = parameters.needed(given, "is_wanted") == "true"
            now = timezone.now()  # noqa: TID251  # a request is an entry point
            recipients.wish(user, target, is_wanted=is_wanted, by=user.get_username(), now=now)
        if "language" in given:
            recipients.read_in(user, given["language"])
        told = {"role": given.get("role", ""), "team": given.get("team", ""), "language": recipients.language_of(user)}
        return Response(told | {"is_wanted": given["is_wanted"] == "true" if "is_wanted" in given else None})


def _target(user: User, role: str, team: str) -> Target:
    for one in recipients.readable(user):
        if (str(one.report), one.name) == (role, team):
            return one
    raise NotForYou(f"team: there is no report for {role} {f'of {team[:60]!r} ' if team else ''}that you may read.")
