"""The pages of anomalies, their figure, and the form that answers one."""

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone

from apps.dashboards import anomalies
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView
from apps.finops.errors import CostOpsError
from apps.insights.anomalies import feedback, selectors
from apps.insights.anomalies.selectors import NoAnomaly, Seen
from apps.marts.query import Scope


class Anomalies(Acting):
    """What departs from its usual."""

    template_name = "dashboards/anomalies.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        return {"page": anomalies.page(self.request.GET, self.scope), **told}


class OneAnomaly(Acting):
    """One anomaly: day by day, what moved, and what people say of it."""

    template_name = "dashboards/anomaly.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        return {"page": anomalies.detail(_found(said["slug"], self.scope), self.actor), **told}

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        one, given = _found(slug, self.scope), request.POST
        try:
            until = _day(given.get("until", ""))
            feedback.say(
                one.anomaly, given.get("verdict", ""), by=feedback.speaker(self.actor, one.anomaly),
                now=timezone.now(), reason=given.get("reason", ""), until=until,
            )  # fmt: skip
        except CostOpsError as refused:
            return self.refuse(refused, slug=slug)
        return redirect("anomaly", slug=slug)


class AnomalyFigure(JsonView):
    """The figure of one anomaly."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        return JsonResponse(anomalies.figure(_found(slug, self.scope)))


def _found(slug: str, scope: Scope) -> Seen:
    """The anomaly; not yours and not there are the same."""
    try:
        return selectors.anomaly(selectors.newest_run(), scope, slug)
    except NoAnomaly as nothing:
        raise Http404 from nothing


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise feedback.BadFeedback(f"until: {text!r} is no date; write it such as 2026-11-30.") from None
