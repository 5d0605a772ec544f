"""Exchange rates over the API: to read, and to bring."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import rate_schema, schema
from apps.api.bringing import BringView
from apps.api.parameters import CURRENCY, CURRENCY_CODE, DAY, FORMAT, NAME, Parameter, currency, day, one_of
from apps.rates import selectors, services
from apps.rates.models import Rate
from apps.teams.roles import Can

RATES = (
    Parameter("from", currency, "Only rates from this currency.", pattern=CURRENCY_CODE.pattern),
    Parameter("to", currency, "Only rates to this currency.", pattern=CURRENCY_CODE.pattern),
    Parameter("start", day, "The first day, YYYY-MM-DD.", pattern=DAY.pattern),
    Parameter("end", day, "The day after the last, YYYY-MM-DD.", pattern=DAY.pattern),
    CURRENCY[1],
    FORMAT,
)
IMPORT_RATES = (
    NAME,
    Parameter("carry_forward", one_of("true", "false"), "`true` fills days without a rate.", choices=("true", "false")),
    FORMAT,
)


class RatesView(BringView):
    """Exchange rates by pair and day; a POST imports them, all or nothing."""

    known = RATES
    known_to_bring = IMPORT_RATES
    written_by = frozenset({Can.SPEAK_FOR_COMPANY, Can.MANAGE_SOURCES})
    columns = (
        "day",
        "from",
        *(name for name in schema.columns_of(rate_schema.RateSchema) if name not in ("day", "from")),
    )
    identity = ("day", "from", "to")
    file_name = "rates"

    @schema.asking("rates", RATES, rate_schema.RatesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        names = {"from": "source", "to": "target", "start": "start", "end": "end", "rates_as_of": "at"}
        found = selectors.rates(**{ours: asked[name] for name, ours in names.items() if name in asked})
        locked = set(selectors.locks().values_list("month", flat=True))
        return Response({"rows": [_rate(rate, locked) for rate in found]})

    @schema.bringing("import_rates", IMPORT_RATES, rate_schema.ImportedSchema)
    def post(self, request: Request) -> HttpResponse:
        content, given = self.brought(request)
        done = services.import_rates(
            content,
            name=given.get("name", "upload"),
            by=request.user.get_username(),
            now=timezone.now(),  # noqa: TID251  # a request is an entry point
            carry_forward=given.get("carry_forward") == "true",
        )
        body = {"version": done.version, "rows": done.rates, "changed": done.changed}
        return Response(body, status=201 if done.version else 200)


def _rate(rate: Rate, locked: set[str]) -> dict[str, Any]:
    return {
        "day": rate.day,
        "from": rate.from_currency,
        "to": rate.to_currency,
        "rate": rate.rate,
        "quoted_day": rate.quoted_day,
        "file": rate.version.file_name,
        "line": rate.line,
        "version": rate.version.number,
        "by": rate.version.created_by,
        "at": rate.version.created_at,
        "is_locked": f"{rate.day:%Y-%m}" in locked,
    }
