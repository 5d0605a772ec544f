"""The pages of the books: why cost changed, and closed months."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.generic import TemplateView

from apps.dashboards import changes
from apps.dashboards.asking import METRICS
from apps.dashboards.views import Guarded, JsonView


class Changes(Guarded, TemplateView):
    """Why did last month change?"""

    template_name = "dashboards/changes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.teams == frozenset():
            raise PermissionDenied("no teams")
        page = changes.page(changes.read(self.request.GET, self.scope))
        return {"page": page, "metrics": METRICS, "for_everything": self.scope.teams is None}


class ChangesFigure(JsonView):
    """The bridge of that page."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return JsonResponse(changes.figure(changes.read(request.GET, self.scope)))
