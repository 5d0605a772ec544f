"""Estimates over the API: what days cost whose bill has not come, and how good that was. Never among `costs`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import grammar, parameters, schema
from apps.api.asking import AskView
from apps.api.parameters import AS_OF, FORMAT, Parameter
from apps.api.questions import cost_question, present
from apps.estimates.selectors import Goodness, accuracy, estimates, reach_of
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import METRICS
from apps.marts.scoping import scope_of

ACCURACY = (
    Parameter("metric", parameters.one_of(*METRICS), "The cost basis; `effective_cost` by default.", choices=METRICS),
    Parameter(
        "group_by",
        parameters.each_of("day", "team"),
        "`day`, `team` or both, comma-separated; both by default.",
        is_list=True,
    ),
    Parameter("team", parameters.text, "Only this team."),
    AS_OF,
    FORMAT,
)


class PriceSourceSchema(serializers.Serializer[Any]):
    """Where prices are from: `first` and `last` are the days whose bills tell them; null for platform cost."""

    priced_by = serializers.CharField()
    currency = serializers.CharField()
    first = serializers.DateField(allow_null=True)
    last = serializers.DateField(allow_null=True)
    cost = schema.Amount()


class EstimatesSchema(schema.CostsSchema):
    """Cost of days that wait for their bill, grouped and filtered as `costs`; `status` is always `estimated`."""

    prices = PriceSourceSchema(many=True)


class EstimatesView(AskView):
    """Estimated cost, for the teams the caller may see; by default of all days that wait for their bill."""

    known = parameters.COSTS

    @schema.asking("estimates", parameters.COSTS, EstimatesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query, page = cost_question(asked, scope_of(request.user), days=_days)
        found = estimates(query)
        self.columns = found.answer.columns
        self.file_name = f"estimates-publication-{query.as_of}"
        prices = [asdict(one) for one in found.prices]
        return Response({"status": "estimated", **present(found.answer, page), "prices": prices})


def _days(asked: Mapping[str, Any], pinned: Publication) -> Window:
    """The days of a request, by default all of a publication, those that wait for their bill among them."""
    first, end = reach_of(pinned)
    known = {name: day for name, day in (("start", first), ("end", end)) if day}
    return grammar.window({**known, **asked}, pinned)


class AccuracyRowSchema(serializers.Serializer[Any]):
    """Estimated against billed: `error_percent` counts differences without their signs, `bias_percent` with them."""

    day = serializers.DateField(required=False)
    team = serializers.CharField(required=False)
    currency = serializers.CharField()
    estimated = schema.Amount()
    actual = schema.Amount()
    difference = schema.Amount()
    error_percent = schema.Amount(allow_null=True)
    bias_percent = schema.Amount(allow_null=True)


class AccuracySchema(serializers.Serializer[Any]):
    """How good the estimates of the last thirty estimated days were; `totals` by currency, of cells of day and team."""

    publication = serializers.IntegerField()
    metric = serializers.ChoiceField(METRICS)
    totals = AccuracyRowSchema(many=True)
    rows = AccuracyRowSchema(many=True)


class AccuracyView(AskView):
    """How good estimates were, for the teams the caller may see."""

    known = ACCURACY
    file_name = "estimates-accuracy"

    @schema.asking("estimates-accuracy", ACCURACY, AccuracySchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        names = asked.get("group_by", ("day", "team"))
        given = {name: asked[name] for name in ("metric", "team", "as_of") if name in asked}
        found = accuracy(scope=scope_of(request.user), **given)
        self.columns = (*names, *(name for name in schema.columns_of(AccuracyRowSchema) if name not in ("day", "team")))
        rows = [_row((*names, "currency"), key, one) for key, one in found.by(*names).items()]
        totals = [_row(("currency",), key, one) for key, one in found.by().items()]
        return Response({"publication": found.publication, "metric": found.metric, "totals": totals, "rows": rows})


def _row(names: tuple[str, ...], key: tuple[Any, ...], one: Goodness) -> dict[str, Any]:
    told = ("estimated", "actual", "difference", "error_percent", "bias_percent")
    return dict(zip(names, key, strict=True)) | {name: getattr(one, name) for name in told}
