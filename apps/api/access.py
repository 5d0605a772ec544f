"""Who holds which role, over the API: for administrators, with tokens that name the scope."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.teams import granting
from apps.teams.granting import Wish
from apps.teams.models import Grant
from apps.teams.roles import Can, Reach, Role

GIVING = (
    Parameter("who", parameters.text, "To whom: a user name, or `group:` and the name of a group."),
    Parameter("role", parameters.one_of(*Role.values), "Which role.", choices=tuple(Role.values)),
    Parameter("reach", parameters.one_of(*Reach.values), "Over what.", choices=tuple(Reach.values)),
    Parameter("value", parameters.text, "The team, unit, cost centre or account; nothing of everything."),
    Parameter("valid_from", parameters.day, "From this day on, YYYY-MM-DD."),
    Parameter("valid_to", parameters.day, "Before this day, YYYY-MM-DD."),
    FORMAT,
)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the grant.", place="path")


class GrantSchema(serializers.Serializer[Any]):
    """A role that somebody holds over a part of the company, on days before `valid_to`."""

    number = serializers.IntegerField()
    who = serializers.CharField()
    role = serializers.ChoiceField(Role.values)
    reach = serializers.ChoiceField(Reach.values)
    value = serializers.CharField(allow_blank=True)
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)
    given_by = serializers.CharField()
    given_at = serializers.DateTimeField()


class GrantsSchema(serializers.Serializer[Any]):
    """Every grant."""

    rows = GrantSchema(many=True)


class TakenBackSchema(serializers.Serializer[Any]):
    """What was taken back."""

    number = serializers.IntegerField()


class AdminView(AskView):
    """For whoever manages access."""

    written_by = frozenset({Can.MANAGE_ACCESS})
    columns = schema.columns_of(GrantSchema)
    file_name = "access"

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        self.check_may_write(request)


class GrantsView(AdminView):
    """Roles that were given; a POST gives one."""

    @schema.asking("grants", parameters.PLAIN, GrantsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": Rows(granting.grants(), _row)})

    @schema.writing("give_role", GIVING, GrantSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, GIVING)
        for name in ("who", "role", "reach"):
            parameters.needed(given, name)
        now = timezone.now()  # noqa: TID251  # a request is an entry point
        return Response(_row(granting.give(Wish(**given), by=request.user.get_username(), now=now)), status=201)


class GrantView(AdminView):
    """One role that was given."""

    @schema.writing("take_role_back", (NUMBER, FORMAT), TakenBackSchema)
    def delete(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        granting.take(number)
        return Response({"number": number})


def _row(one: Grant) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in AdminView.columns if name not in ("number", "who")}
    return {"number": one.pk, "who": granting.who_of(one), **told}
