"""From a number to its pools, rules and bill rows, over the API."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView, etag_of, unchanged
from apps.api.questions import cell_question, facts, used_rate
from apps.insights.explain import BillRow, Explanation, Part, explain
from apps.insights.weights import UNITS, Weight
from apps.marts.cell import address
from apps.marts.query import METRICS
from apps.marts.scoping import scope_of
from apps.marts.selectors import facts as facts_of
from apps.marts.selectors import publication

EXPLAIN: parameters.Known = (
    *parameters.CELL,
    parameters.Parameter(
        "limit",
        parameters.whole_number(1, 10_000),
        "At most this many parts and bill rows, the largest; 20 by default.",
        pattern=r"^\d{1,5}$",
    ),
    parameters.FORMAT,
)

_PART = (
    "day", "pool", "resource", "service", "charge_category", "cluster", "namespace", "workload", "team", "kind", "rule",
    "ruleset", "currency", "amount", "pool_amount", "share",
)  # fmt: skip
BILL_ROW = ("place", "day", "resource", "service", "description", "currency", "amount")


class MeasuredSchema(serializers.Serializer[Any]):
    """So many hours of one resource, of those there were."""

    resource = serializers.CharField()
    claimed = schema.Amount()
    of = schema.Amount()


class WeightSchema(serializers.Serializer[Any]):
    """What was measured of a part: it weighed `weight` of `total` in its pool."""

    weight = schema.Amount()
    total = schema.Amount()
    unit = serializers.ChoiceField(UNITS)
    measured = MeasuredSchema(many=True)


class PartSchema(serializers.Serializer[Any]):
    """What one pool contributed: `amount` is `share` of `pool_amount`, given by `rule` of `ruleset`, which holds the
    policies too."""

    day = serializers.DateField()
    pool = serializers.CharField()
    resource = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    charge_category = serializers.CharField(allow_blank=True)
    cluster = serializers.CharField(allow_blank=True)
    namespace = serializers.CharField(allow_blank=True)
    workload = serializers.CharField(allow_blank=True)
    team = serializers.CharField()
    kind = serializers.CharField()
    rule = serializers.CharField(allow_blank=True)
    ruleset = serializers.IntegerField()
    currency = serializers.CharField()
    amount = schema.Amount()
    pool_amount = schema.Amount()
    share = schema.Amount(allow_null=True)
    weight = WeightSchema(allow_null=True)


class BillRowSchema(serializers.Serializer[Any]):
    """A charge behind the parts; `place` is file and line as received."""

    place = serializers.CharField()
    day = serializers.DateField()
    resource = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    amount = schema.Amount()


class ConversionSchema(serializers.Serializer[Any]):
    """`amount` in `currency` became `converted`; `rate` is null for what is billed in the reporting currency."""

    day = serializers.DateField()
    currency = serializers.CharField()
    amount = schema.Amount()
    converted = schema.Amount()
    rate = schema.UsedRateSchema(allow_null=True)


class CellSchema(serializers.Serializer[Any]):
    """The number asked about."""

    metric = serializers.ChoiceField(METRICS)
    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    filters = serializers.DictField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
    excludes = serializers.DictField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
    currency = serializers.CharField(allow_null=True)
    rates_as_of = serializers.IntegerField(allow_null=True)


class ExplanationSchema(serializers.Serializer[Any]):
    """A number and what it is made of. `answered` is the number by currency, `totals` the same as billed: the parts add
    up to it, `bill_total` of the bill rows to the `pool_total` of the pools. Lists hold the largest; counts and totals
    are of all."""

    sentence = serializers.CharField()
    adds_up = serializers.BooleanField()
    publication = schema.PublicationFactsSchema()
    query = CellSchema()
    answered = serializers.DictField(child=schema.Amount())
    totals = serializers.DictField(child=schema.Amount())
    conversions = ConversionSchema(many=True)
    pool_count = serializers.IntegerField()
    pool_total = serializers.DictField(child=schema.Amount())
    part_count = serializers.IntegerField()
    parts = PartSchema(many=True)
    bill_row_count = serializers.IntegerField()
    bill_total = serializers.DictField(child=schema.Amount())
    rows = BillRowSchema(many=True)
    page = serializers.CharField(help_text="the address of the same explanation as a page")


class ExplainView(AskView):
    """One number, for the teams the caller may see: the sentence, the parts, the bill rows with file and line."""

    known = EXPLAIN
    columns = BILL_ROW

    @schema.asking("explain", EXPLAIN, ExplanationSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query, limit = cell_question(asked, scope_of(request.user)), asked.get("limit", 20)
        etag = etag_of(query.as_of, "explain", query, limit, asked["format"])
        if same := unchanged(request, etag):
            return same
        found = explain(query, limit=limit)
        self.file_name = f"bill-rows-{query.start}-{query.end}-publication-{found.publication}"
        return Response(_presented(found), headers={"ETag": etag})


def _presented(found: Explanation) -> dict[str, Any]:
    query = found.query
    pinned = publication(found.publication)
    return {
        "sentence": found.sentence,
        "adds_up": found.adds_up,
        "publication": facts(facts_of(pinned, query.start, query.end)),
        "query": {
            **{name: getattr(query, name) for name in ("metric", "start", "end", "currency", "rates_as_of")},
            "filters": {name: list(values) for name, values in query.filters},
            "excludes": {name: list(values) for name, values in query.excludes},
        },
        **{name: getattr(found, name) for name in ("answered", "totals", "pool_count", "pool_total", "part_count")},
        "conversions": [
            {
                **{name: getattr(one, name) for name in ("day", "currency", "amount", "converted")},
                "rate": used_rate(one.rate) if one.rate else None,
            }
            for one in found.conversions
        ],
        "parts": [_part(part) for part in found.parts],
        "bill_row_count": found.bill_row_count,
        "bill_total": found.bill_total,
        "rows": [_bill_row(row) for row in found.bill_rows],
        "page": address(reverse("explain"), query),
    }


def _part(part: Part) -> dict[str, Any]:
    return {**{name: getattr(part, name) for name in _PART}, "weight": _weight(part.weight) if part.weight else None}


def _weight(weight: Weight) -> dict[str, Any]:
    measured = [{"resource": one.resource, "claimed": one.claimed, "of": one.of} for one in weight.measured]
    return {"weight": weight.weight, "total": weight.total, "unit": weight.unit, "measured": measured}


def _bill_row(row: BillRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in BILL_ROW}
