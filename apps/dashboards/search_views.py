"""The page of a search, and the suggestions while one types."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.views.generic import TemplateView

from apps.dashboards import searching
from apps.dashboards.views import Guarded


class Search(Guarded, TemplateView):
    """Everything that fits, of what one may see."""

    template_name = "dashboards/search.html"
    most = searching.LISTED

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        sees_all = self.scope.teams is None
        text = searching.cleaned(self.request.GET.get("q", ""))
        by = searching.Searcher(cast(User, self.request.user), self.scope, sees_all)
        groups = searching.search(text, by, most=self.most)
        nothing = searching.nothing(text) if text and not groups else ""
        return {"text": text, "groups": groups, "nothing": nothing, "for_everything": sees_all}


class Suggestions(Search):
    """The first of each sort, as options of a list box."""

    template_name = "dashboards/_suggestions.html"
    most = searching.SUGGESTED
