"""The pages of budgets: how all stand, one with its burn-down, and setting them."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from apps.budgets import selectors, services, sheet
from apps.budgets.drafts import Draft
from apps.budgets.models import Budget
from apps.budgets.people import must_be_finance, seen_teams
from apps.budgets.selectors import NoSuchBudget
from apps.dashboards import budget_figures, budget_words, budgets
from apps.dashboards.faults import refusal
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView
from apps.finops.errors import CostOpsError
from apps.finops.sheets import BadSheet
from apps.teams.approval import Actor, NotYours


def brought(request: HttpRequest, by: Actor, most_bytes: int) -> tuple[bytes, str]:
    """The file of a form, with its name; from others than finance none came in."""
    must_be_finance(by)
    table = request.FILES.get("table")
    if not isinstance(table, UploadedFile):
        raise BadSheet("No file was chosen.")
    if (table.size or 0) > most_bytes:
        raise BadSheet(f"{table.name}: more than {most_bytes >> 20} MiB; split the file.")
    return table.read(), str(table.name)


class Setting(Acting):
    """A page on which finance sets budgets."""

    def refused(self, refused: CostOpsError, **names: Any) -> HttpResponseBase:
        status = 403 if isinstance(refused, NotYours) else 400
        told = refusal(refused, self.template_name)
        return self.render_to_response(self.get_context_data(**told, **names), status=status)


class Budgets(Setting):
    """How every budget stands."""

    template_name = "dashboards/budgets.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told, user = self.told(**said), self.request.user
        given, filled = self.request.GET.dict(), self.request.POST.dict()
        page = budgets.page(given, filled, seen_teams(user), self.actor, timezone.now())
        return {**told, "page": page, "brought": budget_words.brought(given.get("brought", ""))}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Set a budget, or take a file of many."""
        now = timezone.now()
        try:
            if request.POST.get("action") == "bring":
                content, name = brought(request, self.actor, sheet.MOST_BYTES)
                done = services.bring(content, name, by=self.actor, now=now)
                return redirect(f"{reverse('budgets')}?brought={done.new}-{done.changed}-{done.same}")
            blank: dict[str, Any] = {"name": "", "amount": "", "currency": "", "valid_from": None}
            given = budgets.read_draft({name: str(value) for name, value in request.POST.items()})
            kept = services.create(Draft(**blank | given), by=self.actor, now=now)
        except CostOpsError as refused:
            return self.refused(refused)
        return redirect("budget", kept.pk)


class OneBudget(Setting):
    """One budget."""

    template_name = "dashboards/budget.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        found = find(self.request, said["number"])
        filled = self.request.POST.dict()
        now = timezone.now()
        whole = selectors.whole(found, now=now)
        page = budgets.one_page(whole, filled, self.actor, now)
        remarks = budget_words.remarks(whole.standing) if whole.standing else ()
        return {**told, "page": page, "remarks": (*remarks, *budget_words.late(whole))}

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Decide anew from a period on, or end it."""
        find(request, number)
        given, now = budgets.read_draft({name: str(value) for name, value in request.POST.items()}), timezone.now()
        try:
            if request.POST.get("action") == "end":
                day, why = given.get("valid_to"), given.get("why", "")
                services.end(number, day, by=self.actor, now=now, why=why)
            else:
                services.change(number, given, by=self.actor, now=now)
        except CostOpsError as refused:
            return self.refused(refused, number=number)
        return redirect("budget", number)


class BudgetFigure(JsonView):
    """The burn-down of one budget."""

    def get(self, request: HttpRequest, number: int) -> HttpResponseBase:
        drawn = budget_figures.figure(selectors.whole(find(request, number), now=timezone.now()))
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)


def find(request: HttpRequest, number: int) -> Budget:
    """The budget of an address; not theirs and not there are the same answer."""
    try:
        return selectors.find(number, seen_teams(request.user))
    except NoSuchBudget as unknown:
        raise Http404 from unknown
