"""Efficiency by the hour of the day over the API."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.efficiency import asked_window
from apps.api.parameters import AS_OF, FORMAT, Parameter, one_of, text
from apps.api.questions import facts
from apps.insights.hours import MOST_DAYS, as_row, by_hour
from apps.insights.usage_reading import PLACE, RESOURCES, EfficiencyQuery
from apps.marts.scoping import scope_of
from apps.marts.selectors import facts as facts_of
from apps.marts.selectors import publication

BY = ("hour", "week")
PARAMETERS = (
    Parameter("by", one_of(*BY), "The 24 hours of the day (default), or the 168 of the week.", choices=BY),
    Parameter("resource", one_of(*RESOURCES), "`cpu` by default.", choices=tuple(RESOURCES)),
    Parameter("start", parameters.day, f"The first day; the last {MOST_DAYS} published ones by default."),
    Parameter("end", parameters.day, "The day after the last one; all that is published by default."),
    *(Parameter(name, text, f"Only this {name.replace('_', ' ')}.") for name in PLACE),
    AS_OF,
    FORMAT,
)


class HourSchema(serializers.Serializer[Any]):
    """An hour of the company's clock: cores, GiB or cards on average over the hours `seen`, and the 95th percentile of
    what was used in them. null is not known; of `capacity` also that a place has none of its own."""

    weekday = serializers.IntegerField(allow_null=True, help_text="1: Monday; null: every day")
    hour = serializers.IntegerField(help_text="0 to 23")
    seen = serializers.IntegerField(help_text="hours of which use is known")
    used = schema.Amount(allow_null=True)
    used_p95 = schema.Amount(allow_null=True)
    requested = schema.Amount(allow_null=True)
    capacity = schema.Amount(allow_null=True)
    coverage = schema.Amount(allow_null=True, help_text="observed ÷ expected samples")


class HoursSchema(serializers.Serializer[Any]):
    """Efficiency by the hour."""

    publication = schema.PublicationFactsSchema()
    time_zone = serializers.CharField()
    rows = HourSchema(many=True)


class EfficiencyHoursView(AskView):
    """Used, requested and held by the hour of the day or of the week, of what the caller may see."""

    known = PARAMETERS
    columns = schema.columns_of(HourSchema)
    file_name = "efficiency-hours"

    @schema.asking("efficiency_hours", PARAMETERS, HoursSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        pinned = publication(asked.get("as_of"))
        start, end = asked_window(asked, pinned, most_days=MOST_DAYS)
        filters = tuple((name, asked[name]) for name in PLACE if name in asked)
        query = EfficiencyQuery(start, end, "cluster", filters, as_of=pinned.number, scope=scope_of(request.user))
        found = by_hour(query, asked.get("resource", "cpu"))
        rows = found.week if asked.get("by") == "week" else found.day
        body = {"publication": facts(facts_of(pinned, start, end)), "time_zone": found.time_zone}
        return Response(body | {"rows": [as_row(one) for one in rows]})
