"""Alerts over the API: what asks for attention, one with its history, and taking note."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts import people, selectors
from apps.alerts.models import Alert
from apps.alerts.rules import NAMES
from apps.alerts.selectors import Wanted
from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.finops.notices import SEVERITIES
from apps.teams.approval import actor_of
from apps.warehouse.sentences import told_of

ALERT_STATES = tuple(str(state) for state in Alert.State.values)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the alert.", place="path")
LISTING = (
    Parameter(
        "state", parameters.one_of(*selectors.STATES), "Only in this state; `current` by default: open or noted.",
        choices=selectors.STATES,
    ),
    Parameter("rule", parameters.one_of(*NAMES), "Only of this rule.", choices=NAMES),
    Parameter("team", parameters.text, "Only of this team."),
    Parameter("severity", parameters.one_of(*SEVERITIES), "Only this grave.", choices=SEVERITIES),
    FORMAT,
)  # fmt: skip
NOTE = Parameter("note", parameters.text, "What is done about it, or why nothing; it is kept.")


class AlertStepSchema(serializers.Serializer[Any]):
    """One thing that happened; `by` is empty for the machine."""

    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True)
    action = serializers.CharField()
    severity = serializers.ChoiceField(SEVERITIES)
    note = serializers.CharField(allow_blank=True)


class AlertSchema(serializers.Serializer[Any]):
    """A fact that asks for attention; `team` is empty for the company's, `opening` counts how often it came back."""

    number = serializers.IntegerField()
    rule = serializers.CharField()
    subject = serializers.CharField()
    period = serializers.CharField(allow_blank=True)
    team = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(SEVERITIES)
    title = serializers.CharField()
    state = serializers.ChoiceField(ALERT_STATES)
    opening = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(allow_blank=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    link = serializers.CharField(allow_blank=True, help_text="the page that tells everything")
    lines = serializers.ListField(child=serializers.CharField())


class WholeAlertSchema(AlertSchema):
    """An alert with everything that happened."""

    steps = AlertStepSchema(many=True)


class AlertsSchema(serializers.Serializer[Any]):
    """Those asked for: open ones first, the gravest, then the newest."""

    rows = AlertSchema(many=True)


class AlertsView(AskView):
    """What asks for attention."""

    known = LISTING
    columns = tuple(name for name in schema.columns_of(AlertSchema) if name != "lines")
    file_name = "alerts"

    @schema.asking("alerts", LISTING, AlertsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        return Response({"rows": Rows(selectors.ordered(request.user, Wanted(**asked)), _row)})


class AlertView(AskView):
    """One alert."""

    columns = AlertsView.columns
    file_name = "alert"

    @schema.asking("alert", (NUMBER, FORMAT), WholeAlertSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_whole(selectors.find(number, request.user)))


class AcknowledgeView(AskView):
    """Taking note of an alert."""

    columns = AlertsView.columns

    @schema.writing("acknowledge_alert", (NUMBER, NOTE, FORMAT), WholeAlertSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, (NOTE, FORMAT))
        one = selectors.find(number, request.user)
        now = timezone.now()  # noqa: TID251  # a request is an entry point
        people.acknowledge(one, by=actor_of(request.user), note=given.get("note", ""), now=now)
        return Response(_whole(one))


def _row(one: Alert) -> dict[str, Any]:
    told = {"number": one.pk, "title": told_of(one.title), "lines": [told_of(line) for line in one.lines]}
    return told | {name: getattr(one, name) for name in schema.columns_of(AlertSchema) if name not in told}


def _whole(one: Alert) -> dict[str, Any]:
    names = schema.columns_of(AlertStepSchema)
    steps = [{name: getattr(step, name) for name in names} for step in one.steps.order_by("pk")]
    return _row(one) | {"steps": steps}
