"""Forecasts over the API."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import forecast_schema, schema
from apps.api.asking import AskView
from apps.api.paging import SortedRows
from apps.api.parameters import AS_OF, FORMAT, Parameter, one_of, text
from apps.insights import selectors
from apps.insights.models import Forecast
from apps.marts.scoping import scope_of

PARAMETERS = (
    Parameter("level", one_of(*selectors.LEVELS), "Only forecasts of this level.", choices=selectors.LEVELS),
    Parameter("key", text, "Only this team, service, cluster or part of the organisation; empty for what has none."),
    Parameter("currency", text, "Only forecasts in this currency; amounts are never converted."),
    AS_OF,
    FORMAT,
)
_HEAD = ("publication", "model_version", "first_day", "dropped_days")
_BOUNDS = ("mean", "low_80", "high_80", "low_95", "high_95")


class ForecastsView(AskView):
    """Forecasts of daily effective cost, for the teams the caller may see."""

    known = PARAMETERS
    columns = schema.columns_of(forecast_schema.ForecastSchema)
    file_name = "forecasts"

    @schema.asking("forecasts", PARAMETERS, forecast_schema.ForecastsSchema, rows=50)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        if "as_of" not in asked and not selectors.is_any():
            return Response(dict.fromkeys(_HEAD) | {"rows": []})
        run = selectors.newest_run(asked.get("as_of"))
        narrowed = {name: asked[name] for name in ("level", "key", "currency") if name in asked}
        found = selectors.forecasts(run, scope_of(request.user), by_day=False, **narrowed)
        rows = SortedRows(found, _row, selectors.place_of, selectors.with_days)
        return Response({name: getattr(run, name) for name in _HEAD} | {"rows": rows})


def _row(one: Forecast) -> dict[str, Any]:
    plain = [name for name in ForecastsView.columns if name not in ("days",)]
    days = [{"day": day} | dict(zip(_BOUNDS, amounts, strict=True)) for day, amounts in selectors.days_of(one)]
    return {name: getattr(one, name) for name in plain} | {"days": days}
