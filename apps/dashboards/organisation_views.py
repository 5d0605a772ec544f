"""The pages of the organisation: the overview with its departments, and a page for each unit."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from apps.dashboards import at_hand, disputing, heads, organisation, selectors
from apps.dashboards.asking import Asked
from apps.dashboards.menu import offered_to
from apps.dashboards.views import CostView, TrendFigure
from apps.teams.tree import KINDS


class HeadedView(CostView):
    """A page of cost that begins with its six numbers, and tells what is at hand."""

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        context = super().get_context_data(**names)
        about = heads.About(context["asked"], self.request.user, timezone.now(), names.get("team", ""))
        return {
            **context,
            "cards": heads.head(about, context["landing"]),
            "at_hand": at_hand.at_hand(about),
        }


class Overview(HeadedView):
    """The cost of all teams, and of the departments they stand in; who sees accounts only is led to the explorer."""

    template_name = "dashboards/overview.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if offered_to(request.user).only_accounts:
            return redirect("explorer")
        return super().get(request, *args, **kwargs)

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        return organisation.overview(asked)


class Team(HeadedView):
    """The cost of one team, and where it stands today."""

    template_name = "dashboards/team.html"

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        entries, net = disputing.adjusted(names["team"])
        return {**super().get_context_data(**names), "entries": entries, "adjusted": net}

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        return organisation.team_page(asked, names["team"])


class Unit(CostView):
    """The cost of the teams below a company, unit or department."""

    template_name = "dashboards/unit.html"

    def filters(self, **names: Any) -> dict[str, Any]:
        return {names["kind"]: names["unit"]}

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        return organisation.unit_page(asked, kind=names["kind"], name=names["unit"])


class UnitFigure(TrendFigure):
    """A figure of cost over time below a unit."""

    def get(self, request: HttpRequest, by: str, **filters: str) -> HttpResponseBase:
        if filters["kind"] not in KINDS:
            raise Http404
        return super().get(request, by, **{filters["kind"]: filters["unit"]})
