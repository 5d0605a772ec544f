"""The pages of recommendations: the inbox, and one of them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from apps.dashboards import recommendations
from apps.dashboards.faults import refusal
from apps.dashboards.views import Guarded
from apps.finops.errors import CostOpsError
from apps.operations import selectors
from apps.operations.deciding import BadStep, take, today
from apps.operations.models import Recommendation
from apps.operations.people import seen_teams
from apps.operations.selectors import NoSuchRecommendation
from apps.teams.approval import Actor, NotYours, actor_of


class Deciding(Guarded, TemplateView):
    """A page on which people decide about recommendations; whoever sees no team sees nothing."""

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request.user)

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        if seen_teams(self.request.user) == frozenset():
            raise PermissionDenied("no teams")
        return {"for_everything": self.scope.teams is None, "given": self.request.POST, **said}

    def decide(self, request: HttpRequest, ones: list[Recommendation], **names: Any) -> HttpResponseBase:
        """Take the step a form asks for; what is refused is said on the page, with what was written kept."""
        try:
            step = recommendations.read_step({name: str(value) for name, value in request.POST.items()})
            take(ones, step, by=self.actor, now=timezone.now())
        except NotYours as refused:
            raise PermissionDenied from refused
        except CostOpsError as refused:
            status = 400 if isinstance(refused, BadStep) else 409
            told = refusal(refused, self.template_name)
            return self.render_to_response(self.get_context_data(**told, **names), status=status)
        return redirect(request.get_full_path())


class Inbox(Deciding):
    """What was found, for whoever is to decide."""

    template_name = "dashboards/recommendations.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        wanted = recommendations.asked(self.request.GET.dict())
        day = today(timezone.now())
        chosen = recommendations.read_numbers(self.request.POST.getlist("number"))
        page = recommendations.inbox(self.request.user, self.actor, wanted, day, page=self.request.GET.get("page", ""))
        return {"page": page, "chosen": chosen, **context}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        numbers = recommendations.read_numbers(request.POST.getlist("number"))
        try:
            ones = selectors.find_all(numbers, request.user)
        except NoSuchRecommendation as unknown:
            raise Http404 from unknown
        return self.decide(request, ones)


class OneRecommendation(Deciding):
    """One recommendation."""

    template_name = "dashboards/recommendation.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        one = self.found(said["number"])
        return {"page": recommendations.page(one, self.request.user, self.actor, today(timezone.now())), **context}

    def found(self, number: int) -> Recommendation:
        try:
            return selectors.find(number, self.request.user)
        except NoSuchRecommendation as unknown:
            raise Http404 from unknown

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        return self.decide(request, [self.found(number)], number=number)
