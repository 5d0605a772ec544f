"""Views of the explorer over the API: kept, shared, changed, deleted."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.parameters import FORMAT, Parameter, one_of, text
from apps.explorer import selectors, services
from apps.explorer.models import SavedView
from apps.teams.roles import Can

SHARED = tuple(SavedView.Shared.values)
KEEPING = (
    Parameter("name", text, "What it is called, 1 to 80 characters; your view of this name is replaced."),
    Parameter("query", text, "What it asks: the query string of the explorer, percent-encoded as one value."),
    Parameter("shared", one_of(*SHARED), "With whom; `nobody` by default.", choices=SHARED),
    Parameter("team", text, "The team it is shared with, where it is shared with one."),
    Parameter("is_default", one_of("true", "false"), "`true`: the explorer opens with it.", choices=("true", "false")),
    FORMAT,
)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the view.", place="path")


class SavedViewSchema(serializers.Serializer[Any]):
    """A question that somebody keeps; `address` opens it. `team` is empty unless it is shared with one."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    owner = serializers.CharField()
    query = serializers.CharField()
    shared = serializers.ChoiceField(SHARED)
    team = serializers.CharField(allow_blank=True)
    is_default = serializers.BooleanField()
    changed_at = serializers.DateTimeField()
    address = serializers.CharField()


class SavedViewsSchema(serializers.Serializer[Any]):
    """Views by name: the caller's own, and those shared with the caller."""

    rows = SavedViewSchema(many=True)


class KeepingView(AskView):
    """What keeps a view."""

    written_by = frozenset({Can.SEE_COST})

    def kept(self, request: Request) -> dict[str, Any]:
        """What a request says of a view."""
        given = self.given(request, KEEPING)
        if "is_default" in given:
            given["is_default"] = given["is_default"] == "true"
        return given


class SavedViewsView(KeepingView):
    """The views the caller may open; a POST keeps one."""

    made_under = "api-view"
    identity = ("number",)

    columns = schema.columns_of(SavedViewSchema)
    file_name = "views"

    @schema.asking("views", parameters.PLAIN, SavedViewsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_row(one) for one in selectors.views_of(request.user)]})

    @schema.writing("keep_view", KEEPING, SavedViewSchema)
    def post(self, request: Request) -> HttpResponse:
        given = {"name": "", "query": ""} | self.kept(request)
        return Response(_row(services.save(by=_user(request), now=_now(), **given)), status=201)


class SavedViewView(KeepingView):
    """One view; a POST changes what its parameters name, a DELETE deletes it. Both are for its owner."""

    columns = SavedViewsView.columns

    @schema.asking("view", (NUMBER, FORMAT), SavedViewSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_row(selectors.view(number, request.user)))

    @schema.writing("change_view", (NUMBER, *KEEPING), SavedViewSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        return Response(_row(services.change(number, by=_user(request), now=_now(), **self.kept(request))))

    @schema.writing("delete_view", (NUMBER, FORMAT), SavedViewSchema)
    def delete(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        told = _row(selectors.view(number, request.user))
        services.forget(number, by=_user(request))
        return Response(told)


def _now() -> datetime:
    return timezone.now()  # a request is an entry point


def _user(request: Request) -> Any:
    return request.user


def _row(one: SavedView) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in ("name", "query", "shared", "is_default", "changed_at")}
    told = {"number": one.pk, "owner": one.owner.get_username(), "team": one.team.name if one.team else "", **plain}
    return told | {"address": f"{reverse('explorer')}?{one.query}"}
