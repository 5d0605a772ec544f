"""The business calendar over the API: the days of a year, and bringing terms and promotions."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.bringing import BringView
from apps.api.parameters import FORMAT, Parameter
from apps.calendars import selectors, services
from apps.finops.windows import Window
from apps.teams.approval import actor_of

YEAR = Parameter("year", parameters.whole_number(1990, 2100), "The year; this one by default.", pattern=r"^\d{4}$")
FILE = (parameters.NAME, FORMAT)


class CalendarDaysSchema(serializers.Serializer[Any]):
    """Days from `first` to `last`, both within: a day off, a weekend worked, a term, a promotion, a season."""

    first = serializers.DateField()
    last = serializers.DateField()
    kind = serializers.CharField()
    name = serializers.CharField()
    origin = serializers.CharField(help_text="a country, an import by its number, or the setting")


class CalendarSchema(serializers.Serializer[Any]):
    """The days of a year that are not like their weekday."""

    year = serializers.IntegerField()
    time_zone = serializers.CharField()
    working_days = serializers.IntegerField()
    rows = CalendarDaysSchema(many=True)


class CalendarBroughtSchema(serializers.Serializer[Any]):
    """What was brought, under which number; null where all of it held already."""

    number = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField()


class CalendarView(BringView):
    """The business calendar; a POST brings terms, promotions, days off and days worked, all or nothing."""

    known = (YEAR, FORMAT)
    known_to_bring = FILE
    columns = schema.columns_of(CalendarDaysSchema)
    file_name = "calendar"

    @schema.asking("calendar", (YEAR, FORMAT), CalendarSchema)
    def get(self, request: Request) -> HttpResponse:
        now = timezone.now()
        year = self.asked(request).get("year", selectors.today(now).year)
        days = Window(date(year, 1, 1), date(year + 1, 1, 1))
        rows = [dict(zip(self.columns, told, strict=True)) for told in sorted(selectors.told_of(days))]
        working = selectors.working_days(days).count(days)
        return Response({"year": year, "time_zone": selectors.time_zone(), "working_days": working, "rows": rows})

    @schema.bringing("import_calendar", FILE, CalendarBroughtSchema)
    def post(self, request: Request) -> HttpResponse:
        content, given = self.brought(request)
        now = timezone.now()
        kept = services.bring(content, given.get("name", "upload"), by=actor_of(request.user), now=now)
        if kept is None:
            return Response({"number": None, "rows": 0})
        return Response({"number": kept.number, "rows": kept.spans.count()}, status=201)
