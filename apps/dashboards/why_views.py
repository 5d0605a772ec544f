"""The page of why cost changed, its panel on pages of cost, and its figure."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.generic import TemplateView

from apps.dashboards import why
from apps.dashboards.arriving import said_missing
from apps.dashboards.asking import METRICS, PERIODS
from apps.dashboards.views import Guarded, JsonView, no_rate


class Why(Guarded, TemplateView):
    """Why cost is not what it was in the period before."""

    template_name = "dashboards/why.html"
    period_bar = "cost"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        given = self.request.GET
        page, missing = self.in_reporting_currency(lambda asked: why.page(why.read(given, asked)))
        return {
            "page": page,
            "asked": page.asked,
            "facts": page.found.publication,
            "late_bills": said_missing(why.read(given, page.asked).query()),
            "missing_rate": no_rate(missing) if missing else "",
            "periods": PERIODS,
            "metrics": METRICS,
            "for_everything": self.scope.teams is None,
        }


class WhyPanel(Why):
    """The same in short, fetched by a page of cost when it comes into view."""

    template_name = "dashboards/_why.html"
    period_bar = ""


class WhyFigure(JsonView):
    """The bridge of that page."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        figure, _missing = self.in_reporting_currency(lambda asked: why.figure(why.read(request.GET, asked)))
        return JsonResponse(figure)
