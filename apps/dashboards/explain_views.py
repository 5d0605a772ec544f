"""The page that explains a number."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.views.generic import TemplateView

from apps.dashboards import explaining
from apps.dashboards.views import Guarded


class Explain(Guarded, TemplateView):
    """Where does this number come from?"""

    template_name = "dashboards/explain.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        if self.scope.teams == frozenset():
            raise PermissionDenied("no teams")
        page = explaining.page(self.request.GET.dict(), self.scope)
        return {"page": page, "facts": page.facts, "for_everything": self.scope.teams is None, **said}
