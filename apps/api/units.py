"""Unit economics over the API: drivers to bring, cost per unit and why it changed to ask."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema, unit_schema
from apps.api.asking import AskView
from apps.api.bringing import BringView
from apps.api.errors import BadParameterError
from apps.api.grammar import check_span
from apps.api.paging import SortedRows
from apps.api.parameters import AS_OF, CURRENCY, DAY, FORMAT, NAME, Parameter, day, one_of, text, whole_number
from apps.api.questions import facts, late, used_rate
from apps.finops.windows import Window
from apps.marts.query import METRICS
from apps.marts.scoping import scope_of
from apps.marts.selectors import publication
from apps.teams.roles import Can
from apps.units import selectors, services
from apps.units.csv_file import SCOPES
from apps.units.models import DriverVersion
from apps.units.query import GRAINS, ChangeAnswer, UnitAnswer, UnitQuery

_UNIT_PERIOD = (
    Parameter("start", day, "The first day, YYYY-MM-DD; the first published day by default.", pattern=DAY.pattern),
    Parameter("end", day, "The day after the last; after the last that came by default.", pattern=DAY.pattern),
)
_DRIVER = Parameter("driver", text, "What cost is divided by, such as requests; must be given.")
_BY = Parameter("by", one_of(*SCOPES), "Whose cost or units; `team` by default.", choices=SCOPES)
_DRIVERS_AS_OF = Parameter(
    "drivers_as_of", whole_number(1, 10**12), "The version of the drivers.", pattern=r"^\d{1,12}$"
)
QUANTITIES = (
    _DRIVER,
    _BY,
    Parameter("start", day, "The first day, YYYY-MM-DD; the first that was told by default.", pattern=DAY.pattern),
    Parameter("end", day, "The day after the last; after the last that was told by default.", pattern=DAY.pattern),
    _DRIVERS_AS_OF,
    FORMAT,
)
_UNITS = (
    _DRIVER,
    _BY,
    *_UNIT_PERIOD,
    Parameter("metric", one_of(*METRICS), "The cost basis; `effective_cost` by default.", choices=METRICS),
    _DRIVERS_AS_OF,
    AS_OF,
    *CURRENCY,
    FORMAT,
)
UNITS = (
    Parameter(
        "grain", one_of(*GRAINS), "A row per day, per month or for `all` days; `day` by default.", choices=GRAINS
    ),
    *_UNITS,
)
UNIT_CHANGE = (
    Parameter("resource", text, "What efficiency is measured by: a driver, or `list_cost`, the default."),
    Parameter(
        "before_start", day, "The first day compared with; by default the days that `compare=previous` of costs names."
    ),
    Parameter("before_end", day, "The day after the last one compared with."),
    *_UNITS,
)
IMPORT_DRIVERS = (NAME, FORMAT)

_ASKED = ("metric", "grain", "resource", "currency", "rates_as_of", "drivers_as_of")
_PARTS = ("before", "volume", "mix", "efficiency", "price", "after")


def _driver(asked: dict[str, Any]) -> str:
    if "driver" not in asked:
        raise BadParameterError("driver", "driver must be given, such as requests")
    return str(asked["driver"])


def _question(request: Request, asked: dict[str, Any]) -> UnitQuery:
    driver = _driver(asked)
    pinned = publication(asked.get("as_of"))
    start, end = asked.get("start", pinned.first_day), asked.get("end", pinned.came_until)
    if start is None or end is None:
        raise BadParameterError("start", f"publication {pinned.number} holds no costs; give start and end")
    check_span(asked, start, end)
    given = {name: asked[name] for name in _ASKED if name in asked}
    return UnitQuery(
        driver, asked.get("by", "team"), start, end, as_of=pinned.number, scope=scope_of(request.user), **given
    )


class UnitsView(AskView):
    """Cost per unit, for the teams the caller may see."""

    known = UNITS
    columns = schema.columns_of(unit_schema.UnitRowSchema)
    file_name = "units"

    @schema.asking("units", UNITS, unit_schema.UnitsSchema, rows=1_000)
    def get(self, request: Request) -> HttpResponse:
        found = selectors.unit_costs(_question(request, self.asked(request)))
        rows = SortedRows(found.rows.keys, lambda key: asdict(found.rows.make(key)), tuple)
        return Response(_head(found) | {"totals": [asdict(row) for row in found.totals], "rows": rows})


class UnitChangeView(AskView):
    """Why cost changed: volume, mix, efficiency and price."""

    known = UNIT_CHANGE
    columns = schema.columns_of(unit_schema.UnitChangeRowSchema)
    file_name = "unit-change"

    @schema.asking("unit_change", UNIT_CHANGE, unit_schema.UnitChangeSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query = _question(request, asked)
        found = selectors.unit_change(query, _before(asked))
        before = found.before
        rows = [
            {"currency": bridge.currency, "subject": subject} | {part: getattr(change, part) for part in _PARTS}
            for bridge in found.bridges
            for subject, change in [*bridge.subjects.items(), ("", bridge.total)]
        ]
        without = [
            {"currency": bridge.currency} | dict(zip(("before", "after"), bridge.without_driver, strict=True))
            for bridge in found.bridges
        ]
        head = _head(found) | {"before_start": before.start, "before_end": before.end, "resource": query.resource}
        head |= {"unknown_because": found.unknown_because, "late": late(query.costs(query.metric))}
        return Response(head | {"without_driver": without, "rows": rows})


def _before(asked: dict[str, Any]) -> Window | None:
    first, last = asked.get("before_start"), asked.get("before_end")
    if first is None and last is None:
        return None
    if first is None or last is None or first >= last:
        raise BadParameterError("before_start", "before_start and before_end go together, and the end comes after")
    return Window(first, last)


def _head(found: UnitAnswer | ChangeAnswer) -> dict[str, Any]:
    names = ("driver", "by", "metric", "start", "end", "currency", "rates_as_of")
    return {
        "publication": facts(found.publication),
        "query": {name: getattr(found.query, name) for name in names} | {"drivers": found.version},
        "rates": [used_rate(rate) for rate in found.rates],
    }


class DriversView(BringView):
    """Versions of the drivers; a POST imports quantities, all or nothing."""

    known = parameters.PLAIN
    known_to_bring = IMPORT_DRIVERS
    written_by = frozenset({Can.SPEAK_FOR_COMPANY, Can.MANAGE_SOURCES})
    columns = schema.columns_of(unit_schema.DriverVersionSchema)
    file_name = "drivers"

    @schema.asking("drivers", parameters.PLAIN, unit_schema.DriverVersionsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        if scope_of(request.user).teams is not None:
            raise PermissionDenied
        return Response({"rows": [_version(one) for one in selectors.versions()]})

    @schema.bringing("import_drivers", IMPORT_DRIVERS, unit_schema.DriverVersionSchema)
    def post(self, request: Request) -> HttpResponse:
        content, given = self.brought(request)
        done = services.import_drivers(
            content,
            name=given.get("name", "upload"),
            by=request.user.get_username(),
            now=timezone.now(),  # noqa: TID251  # a request is an entry point
        )
        return Response(_version(done), status=201)


class QuantitiesView(AskView):
    """How many units there were, by day and subject; leads see those of their teams."""

    known = QUANTITIES
    columns = schema.columns_of(unit_schema.QuantitySchema)
    identity = ("day", "subject")
    file_name = "quantities"

    @schema.asking("quantities", QUANTITIES, unit_schema.QuantitiesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        start, end = asked.get("start", parameters.FIRST_DAY), asked.get("end", parameters.LAST_DAY)
        query = UnitQuery(_driver(asked), asked.get("by", "team"), start, end, scope=scope_of(request.user))
        at = selectors.driver_version(asked.get("drivers_as_of"))
        found = selectors.told(query.driver, query.by, Window(query.start, query.end), at)
        rows = [dict(zip(self.columns, row, strict=True)) for row in found if query.scope.allows(row[1])]
        head = {"driver": query.driver, "by": query.by, "drivers": at.number if at else 0}
        return Response(head | {"rows": rows})


def _version(one: DriverVersion) -> dict[str, Any]:
    plain = ("drivers", "first_day", "last_day", "rows", "origin", "created_by", "created_at")
    return {"version": one.number, "by": one.scope} | {name: getattr(one, name) for name in plain}
