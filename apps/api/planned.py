"""The addresses of planned changes: what is known of cost ahead."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.parameters import FORMAT, Parameter, one_of, text
from apps.insights.models import PlannedChange
from apps.insights.planned import entering
from apps.marts.scoping import scope_of
from apps.teams.approval import actor_of

ALL = Parameter("all", one_of("true", "false"), "`true`: withdrawn changes too.", choices=("true", "false"))
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The id of a planned change.", place="path")
_DRAFT = (
    Parameter("first_day", parameters.day, "The first day of the change, YYYY-MM-DD."),
    Parameter("amount", text, "What a day costs more (less, below zero), in `currency`; or give `percent`."),
    Parameter("percent", text, "By how many percent a day costs more, -100 to 100000."),
    Parameter("currency", text, "Of the amount; percent hold in every currency."),
    Parameter("team", text, "Whose cost; everybody's by default."),
    Parameter("service", text, "Of which service; all by default."),
    Parameter("commitment", text, "A commitment that will be renewed: its end is not counted. Give no day with it."),
    Parameter("note", text, "What is planned; must be given."),
)


class PlannedSchema(serializers.Serializer[Any]):
    """A change that is known ahead; `amount` per day in `currency`, or `percent`, or the renewal of a commitment."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(PlannedChange.Kind.values)
    first_day = serializers.DateField(allow_null=True)
    amount = schema.Amount(allow_null=True)
    percent = schema.Amount(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    team = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    commitment = serializers.CharField(allow_blank=True)
    note = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    withdrawn_by = serializers.CharField(allow_blank=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class AllPlannedSchema(serializers.Serializer[Any]):
    """Planned changes, the earliest first."""

    rows = PlannedSchema(many=True)


class PlannedView(AskView):
    """Changes known ahead, of the teams the caller may see."""

    known = (ALL, FORMAT)
    columns = schema.columns_of(PlannedSchema)
    identity = ("id",)
    file_name = "planned-changes"

    @schema.asking("planned", (ALL, FORMAT), AllPlannedSchema)
    def get(self, request: Request) -> HttpResponse:
        is_all = self.asked(request).get("all") == "true"
        return Response({"rows": [_row(one) for one in entering.planned(scope_of(request.user), is_all=is_all)]})

    @schema.writing("plan", (*_DRAFT, FORMAT), PlannedSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, (*_DRAFT, FORMAT))
        made = entering.plan(entering.Draft(**given), by=actor_of(request.user), now=timezone.now())
        return Response(_row(made), status=201)


class WithdrawView(AskView):
    """Taking a planned change back."""

    columns = schema.columns_of(PlannedSchema)

    @schema.writing("withdraw_planned", (NUMBER, FORMAT), PlannedSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        return Response(_row(entering.withdraw(number, by=actor_of(request.user), now=timezone.now())))


def _row(one: PlannedChange) -> dict[str, Any]:
    return {name: getattr(one, name) for name in PlannedView.columns}
