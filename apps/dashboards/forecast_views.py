"""The page of forecasts, its figure, and the changes people plan on it."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from apps.dashboards import forecasts
from apps.dashboards.faults import refusal
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView
from apps.finops.errors import CostOpsError
from apps.insights.planned import entering
from apps.teams.approval import NotYours


class Forecasts(Acting):
    """What cost will be, and what is known of it ahead."""

    template_name = "dashboards/forecasts.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        return {**told, "page": forecasts.page(self.request.GET, self.scope, self.actor)}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Plan a change, or withdraw one; the next forecast knows it."""
        now, given = timezone.now(), request.POST
        try:
            if number := given.get("withdraw", ""):
                entering.withdraw(int(number) if number.isdecimal() else 0, by=self.actor, now=now)
            else:
                entering.plan(forecasts.draft(given.dict()), by=self.actor, now=now)
        except CostOpsError as refused:
            status = 403 if isinstance(refused, NotYours) else 400
            return self.render_to_response(self.get_context_data(**refusal(refused, self.template_name)), status=status)
        shown = {name: self.request.GET[name] for name in ("level", "key", "currency") if name in self.request.GET}
        return redirect(f"{reverse('forecasts')}?{urlencode(shown | {'planned': 'yes'})}")


class ForecastFigure(JsonView):
    """The fan of that page."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        drawn = forecasts.figure(request.GET, self.scope)
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)
