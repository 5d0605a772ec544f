"""The page of forecasts and its figure."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views.generic import TemplateView

from apps.dashboards import forecasts
from apps.dashboards.views import Guarded, JsonView


class Forecasts(Guarded, TemplateView):
    """What cost will be."""

    template_name = "dashboards/forecasts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.teams == frozenset():
            raise PermissionDenied("no teams")
        page = forecasts.page(self.request.GET, self.scope)
        return {"page": page, "for_everything": self.scope.teams is None}


class ForecastFigure(JsonView):
    """The fan of that page."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        drawn = forecasts.figure(request.GET, self.scope)
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)
