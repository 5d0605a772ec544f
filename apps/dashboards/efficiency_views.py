"""The page of efficiency, and its figure."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views.generic import TemplateView

from apps.dashboards import efficiency, efficiency_hours
from apps.dashboards.asking import PERIODS
from apps.dashboards.views import Guarded, JsonView


class Efficiency(Guarded, TemplateView):
    """What clusters hold, what is asked of them and what is used."""

    template_name = "dashboards/efficiency.html"
    period_bar = "usage"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        ask = efficiency.read(self.request.GET, self.question())
        page = efficiency.page(ask)
        return {
            "page": page, "hours": efficiency_hours.part(ask), "asked": page.asked, "facts": page.facts,
            "periods": PERIODS, "for_everything": self.scope.teams is None,
        }  # fmt: skip


class EfficiencyFigure(JsonView):
    """Capacity, requested and used by day."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if self.scope.is_empty:
            raise Http404
        return JsonResponse(efficiency.figure(efficiency.read(request.GET, self.question())))


class HoursFigure(JsonView):
    """Used, requested and held by the hour of the day, or of the week."""

    def get(self, request: HttpRequest, view: str) -> HttpResponseBase:
        if self.scope.is_empty or view not in efficiency_hours.VIEWS:
            raise Http404
        return JsonResponse(efficiency_hours.figure(efficiency.read(request.GET, self.question()), view))
