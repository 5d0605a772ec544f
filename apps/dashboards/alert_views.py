"""The pages of alerts: what asks for attention, one of them, and thresholds."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from apps.alerts import people, selectors
from apps.alerts.models import Alert
from apps.alerts.people import NotOpen
from apps.alerts.selectors import NoSuchAlert
from apps.channels.letters import SEVERITY_WORDS
from apps.channels.recipients import known_teams
from apps.dashboards import alerting
from apps.dashboards.faults import refusal
from apps.dashboards.views import Guarded
from apps.finops.errors import CostOpsError
from apps.teams.approval import Actor, NotYours, actor_of


class Told(Guarded, TemplateView):
    """A page of what people are told; whoever sees no team sees nothing."""

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request.user)

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        if known_teams(self.request.user) == frozenset():  # type: ignore[arg-type]  # signed in: `Guarded`
            raise PermissionDenied("no teams")
        return {"for_everything": self.scope.teams is None, "given": self.request.POST, **said}

    def labels(self, **_names: Any) -> dict[str, str]:
        """The labels of fields that the page makes of data, by their names."""
        return {}

    def refuse(self, refused: CostOpsError, **names: Any) -> HttpResponseBase:
        """Say on the page why something was not done; whose it is not, is told so."""
        if isinstance(refused, NotYours):
            raise PermissionDenied from refused
        status = 409 if isinstance(refused, NotOpen) else 400
        told = refusal(refused, self.template_name, self.labels(**names))
        return self.render_to_response(self.get_context_data(**told, **names), status=status)


class Alerts(Told):
    """What asks for attention."""

    template_name = "dashboards/alerts.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        wanted = alerting.asked(self.request.GET.dict())
        return {"page": alerting.alerts(self.request.user, self.actor, wanted), **context}


class OneAlert(Told):
    """One alert."""

    template_name = "dashboards/alert.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        return {"page": alerting.page(self.found(said["number"]), self.actor), **context}

    def found(self, number: int) -> Alert:
        try:
            return selectors.find(number, self.request.user)
        except NoSuchAlert as unknown:
            raise Http404 from unknown

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        one = self.found(number)
        try:
            people.acknowledge(one, by=self.actor, note=request.POST.get("note", ""), now=timezone.now())
        except CostOpsError as refused:
            return self.refuse(refused, number=number)
        return redirect(request.get_full_path())


class AlertRules(Told):
    """From where rules speak."""

    template_name = "dashboards/alert_rules.html"

    def labels(self, **_names: Any) -> dict[str, str]:
        return {name: str(word) for name, word in SEVERITY_WORDS.items()}

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        return {"page": alerting.thresholds(self.actor, self.request.GET.get("team", "")), **context}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        try:
            alerting.set_threshold(request.POST.dict(), by=self.actor, now=timezone.now())
        except CostOpsError as refused:
            return self.refuse(refused)
        return redirect(request.get_full_path())
