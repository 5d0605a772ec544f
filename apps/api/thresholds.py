"""Rules of alerts over the API: from where each speaks, for all and for single teams, and setting that."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.alerts import limits
from apps.alerts.facts import Limits, Rule
from apps.alerts.models import Threshold
from apps.alerts.rules import BY_NAME, NAMES, RULES
from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.parameters import FORMAT, Parameter
from apps.finops.notices import SEVERITIES
from apps.marts.scoping import scope_of
from apps.teams.approval import actor_of

RULE = Parameter("rule", parameters.one_of(*NAMES), "Only of this rule.", choices=NAMES)
LISTING = (RULE, Parameter("team", parameters.text, "Only of this team."), FORMAT)
SETTING = (
    Parameter("rule", parameters.one_of(*NAMES), "The rule.", choices=NAMES),
    Parameter("team", parameters.text, "For this team; for all by default."),
    *(
        Parameter(name, parameters.text, f"From this number on it is `{name}`; never by default.")
        for name in SEVERITIES
    ),
    Parameter("is_on", parameters.one_of("true", "false"), "`false` silences it.", choices=("true", "false")),
    Parameter("reset", parameters.one_of("true", "false"), "`true` takes the defaults.", choices=("true", "false")),
    FORMAT,
)


class AlertRuleSchema(serializers.Serializer[Any]):
    """A rule for all (`team` is empty), or for a team that has numbers of its own; null: never this grave."""

    rule = serializers.ChoiceField(NAMES)
    title = serializers.CharField()
    says = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    team = serializers.CharField(allow_blank=True)
    info = schema.Amount(allow_null=True)
    warning = schema.Amount(allow_null=True)
    critical = schema.Amount(allow_null=True)
    falls = serializers.BooleanField(help_text="the lower the graver")
    by_team = serializers.BooleanField(help_text="teams may have numbers of their own")
    is_on = serializers.BooleanField()
    is_default = serializers.BooleanField()
    changed_by = serializers.CharField(allow_blank=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class AlertRulesSchema(serializers.Serializer[Any]):
    """The rules of alerts in their order; those of teams the caller may see."""

    rows = AlertRuleSchema(many=True)


class AlertRulesView(AskView):
    """From where rules of alerts speak; a POST sets it."""

    known = LISTING
    columns = schema.columns_of(AlertRuleSchema)
    identity = ("rule", "team")
    file_name = "alert-rules"

    @schema.asking("alert_rules", LISTING, AlertRulesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        rows = [row for rule in RULES for row in _rows(rule, request)]
        return Response({"rows": [row for row in rows if all(row[name] == asked[name] for name in asked)]})

    @schema.writing("set_alert_rule", SETTING, AlertRuleSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, SETTING)
        name, team = parameters.needed(given, "rule"), given.get("team", "")
        by, now = actor_of(request.user), timezone.now()  # noqa: TID251  # a request is an entry point
        if given.get("reset") == "true":
            limits.reset(name, team=team, by=by, now=now)
        else:
            limits.set_limits(name, given, team=team, is_on=given.get("is_on") != "false", by=by, now=now)
        rule = BY_NAME[name]
        in_force = limits.in_force(rule)
        return Response(_row(rule, team, in_force.get(team, in_force[""])))


def _rows(rule: Rule, request: Request) -> list[dict[str, Any]]:
    scope = scope_of(request.user)
    found = limits.in_force(rule)
    return [_row(rule, team, found[team]) for team in sorted(found) if not team or scope.allows(team)]


def _row(rule: Rule, team: str, chosen: Limits) -> dict[str, Any]:
    newest = Threshold.objects.filter(rule=rule.name, team=team).order_by("-pk").first()
    return {
        "rule": rule.name,
        "title": str(rule.title),
        "says": str(rule.about),
        "unit": rule.unit,
        "team": team,
        **{name: chosen.by_severity.get(name) for name in SEVERITIES},
        "falls": rule.falls,
        "by_team": rule.by_team,
        "is_on": chosen.is_on,
        "is_default": newest is None or newest.is_default,
        "changed_by": newest.by if newest else "",
        "changed_at": newest.at if newest else None,
    }
