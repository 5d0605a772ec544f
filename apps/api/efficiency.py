"""What clusters hold, what is asked of them and what is used, over the API."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView, etag_of, unchanged
from apps.api.errors import BadParameterError
from apps.api.grammar import check_span
from apps.api.parameters import AS_OF, FORMAT, Parameter, one_of, text
from apps.api.questions import facts
from apps.insights.efficiency import Row, efficiency
from apps.insights.usage_reading import LEVELS, PLACE, RESOURCES, EfficiencyQuery
from apps.marts.models import Publication
from apps.marts.scoping import scope_of
from apps.marts.selectors import publication

PARAMETERS = (
    Parameter("by", one_of(*LEVELS), "What a row is of; `cluster` by default.", choices=tuple(LEVELS)),
    Parameter("start", parameters.day, "The first day; the first one published by default."),
    Parameter("end", parameters.day, "The day after the last one; all that is published by default."),
    Parameter("cluster", text, "Only this cluster."),
    Parameter("node_pool", text, "Only this node pool; empty: outside node pools, as serverless pods are."),
    Parameter("namespace", text, "Only this namespace."),
    Parameter("workload", text, "Only this workload."),
    AS_OF,
    FORMAT,
)
_WHAT = ("capacity", "request", "used", "claimed")
HOURS = tuple(f"{name}_{what}_{end}" for name, (_, end) in RESOURCES.items() for what in _WHAT)
MONEY = ("cost", "over_requested_cost", "unmeasured_cost", "idle_cost")

_FIELDS: dict[str, Any] = {
    **{name: serializers.CharField(allow_null=True, allow_blank=True) for name in PLACE},
    "currency": serializers.CharField(allow_null=True),
    **{name: schema.Amount(allow_null=True) for name in (*HOURS, *MONEY)},
}
EfficiencyRowSchema = type(
    "EfficiencyRowSchema",
    (serializers.Serializer,),
    {
        "__doc__": "One place and currency: hours held, requested, used and claimed (the larger, hour by hour), "
        "and money. null is not known; of `capacity` and `idle_cost` also that a place has none of its own. Hours "
        "stand on every row of a place: do not add them over currencies.",
        **_FIELDS,
    },
)


class EfficiencySchema(serializers.Serializer[Any]):
    """Efficiency by place."""

    publication = schema.PublicationFactsSchema()
    days = serializers.IntegerField(help_text="published days of the window: hours ÷ 24 ÷ days is an average")
    rows = EfficiencyRowSchema(many=True)


class EfficiencyView(AskView):
    """Used, requested and held, of what the caller may see."""

    known = PARAMETERS
    columns = schema.columns_of(EfficiencyRowSchema)
    file_name = "efficiency"

    @schema.asking("efficiency", PARAMETERS, EfficiencySchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        pinned = publication(asked.get("as_of"))
        start, end = asked_window(asked, pinned)
        filters = tuple((name, asked[name]) for name in PLACE if name in asked)
        by, scope = asked.get("by", "cluster"), scope_of(request.user)
        query = EfficiencyQuery(start, end, by, filters, as_of=pinned.number, scope=scope)
        teams = None if scope.teams is None else tuple(sorted(scope.teams))
        etag = etag_of(pinned.number, "efficiency", start, end, by, filters, teams, asked["format"])
        if same := unchanged(request, etag):
            return same
        found = efficiency(query)
        rows = [told for row in found.rows for told in _rows(row, LEVELS[by])]
        body = {"publication": facts(found.publication), "days": found.days, "rows": rows}
        return Response(body, headers={"ETag": etag})


def asked_window(asked: Mapping[str, Any], pinned: Publication, *, most_days: int | None = None) -> tuple[date, date]:
    """The days of a request: all that are published where it names none, or the last so many of them."""
    start, end = asked.get("start", pinned.first_day), asked.get("end", pinned.came_until)
    if start is None or end is None:
        raise BadParameterError("start", f"publication {pinned.number} holds no costs; give start and end")
    if most_days and "start" not in asked:
        start = max(start, end - timedelta(days=most_days))
    check_span(asked, start, end)
    return start, end


def _rows(row: Row, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row for each currency; one without money where nothing is billed of the place."""
    place = dict.fromkeys(PLACE) | dict(zip(names, row.key, strict=True))
    hours = {f"{name}_{what}_{end}": _hours(row, name, what) for name, (_, end) in RESOURCES.items() for what in _WHAT}
    told: dict[str, Mapping[str, Decimal] | None] = {
        "cost": row.cost, "over_requested_cost": row.over_requested, "unmeasured_cost": row.unmeasured,
        "idle_cost": row.idle,
    }  # fmt: skip
    currencies = sorted({currency for amounts in told.values() if amounts for currency in amounts})
    return [
        {
            **place,
            "currency": currency or None,
            **hours,
            **{name: (of or {}).get(currency) for name, of in told.items()},
        }
        for currency in currencies or [""]
    ]


def _hours(row: Row, resource: str, what: str) -> Decimal | None:
    if what == "capacity":
        return row.capacity[resource] if row.capacity else None
    return getattr(row.use[resource], what) if row.use else None
