"""The pages of the savings ledger: the way from found to verified, one initiative, and the form that writes one."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone

from apps.dashboards import savings
from apps.dashboards.faults import refusal
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView
from apps.finops.errors import CostOpsError
from apps.operations import selectors as recommendations
from apps.operations.deciding import NotPossible, today
from apps.operations.people import seen_teams
from apps.operations.selectors import NoSuchRecommendation
from apps.savings import outcomes, selectors, services
from apps.savings.selectors import Entry, NoSuchInitiative
from apps.savings.statements import FIELDS, read_statement
from apps.teams.approval import NotYours


class OfLedger(Acting):
    """A page of the ledger; whoever sees no team sees nothing."""

    def told(self, **said: Any) -> dict[str, Any]:
        if seen_teams(self.request.user) == frozenset():
            raise PermissionDenied("no teams")
        return {"for_everything": self.scope.teams is None, "given": self.request.POST, **said}

    def refuse(self, refused: CostOpsError, **names: Any) -> HttpResponseBase:
        status = 403 if isinstance(refused, NotYours) else 409 if isinstance(refused, NotPossible) else 400
        told = refusal(refused, self.template_name)
        return self.render_to_response(self.get_context_data(**told, **names), status=status)

    def found(self, number: int) -> Entry:
        try:
            return selectors.entry(number, self.request.user)
        except NoSuchInitiative as unknown:
            raise Http404 from unknown


class Ledger(OfLedger):
    """Every initiative, and the way from found to verified."""

    template_name = "dashboards/savings.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        return {**self.told(**said), "page": savings.ledger(self.request.user, self.actor)}


class Saving(OfLedger):
    """One initiative; a POST takes a step with it, or keeps what was measured beside the money."""

    template_name = "dashboards/saving.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        return {**self.told(**said), "page": savings.page(self.found(said["number"]), self.actor, self.request.user)}

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        one, now, given = self.found(number).one, timezone.now(), request.POST.dict()
        try:
            if given.get("action") == "measure":
                outcomes.keep(one, given, by=self.actor, now=now)
            else:
                action, why = str(given.get("action", "")), str(given.get("why", ""))
                services.take(one, action, by=self.actor, now=now, why=why)
        except CostOpsError as refused:
            return self.refuse(refused, number=number)
        return redirect("saving", number=number)


class WriteSaving(OfLedger):
    """The form of an initiative: a new one, one that a recommendation begins, or a draft that is changed."""

    template_name = "dashboards/saving_form.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        if not self.actor.may_speak:
            raise PermissionDenied("no teams of one's own")
        return {**told, "page": savings.form(self.actor, self.standing(), number=said.get("number"))}

    def standing(self) -> dict[str, str]:
        """What stands in the fields: what was just written, the draft, or what a recommendation states."""
        number, asked = self.kwargs.get("number"), self.request.GET.get("recommendation", "")
        if self.request.method == "POST":
            return {name: str(value) for name, value in self.request.POST.items()}
        if number is not None:
            return savings.of_initiative(self.found(number).one, self.actor)
        if asked.isascii() and asked.isdigit() and len(asked) < 16:
            try:
                found = recommendations.find(int(asked), self.request.user)
            except NoSuchRecommendation as unknown:
                raise Http404 from unknown
            return savings.of_recommendation(found, today(timezone.now()))
        return {}

    def post(self, request: HttpRequest, number: int | None = None) -> HttpResponseBase:
        names = {} if number is None else {"number": number}
        written = {name: str(value) for name, value in request.POST.items() if name in FIELDS}
        try:
            statement = read_statement(written)
            if number is None:
                kept = services.write(statement, by=self.actor, now=timezone.now())
            else:
                kept = services.rewrite(self.found(number).one, statement, by=self.actor, now=timezone.now())
        except CostOpsError as refused:
            return self.refuse(refused, **names)
        return redirect("saving", number=kept.pk)


class WayFigure(JsonView):
    """The waterfall of a currency."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        drawn = savings.way_figure(request.user, request.GET.get("currency", ""))
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)


class SavingFigure(JsonView):
    """What an initiative cost beside what it would have cost."""

    def get(self, request: HttpRequest, number: int) -> HttpResponseBase:
        try:
            drawn = savings.effect_figure(selectors.entry(number, request.user), request.user)
        except NoSuchInitiative as unknown:
            raise Http404 from unknown
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)
