"""The pages that explain a number, and where it is disputed."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from apps.books import disputes
from apps.books.disputes import CannotDispute, NoSuchDispute
from apps.books.entries import CannotBook
from apps.books.models import Dispute
from apps.books.people import Actor, NotAllowed, actor_of
from apps.dashboards import disputing, explaining
from apps.dashboards.faults import refusal
from apps.dashboards.forms import asked_publication
from apps.dashboards.views import Guarded, no_rate
from apps.insights.invoiced import invoiced


class OfTeams(Guarded, TemplateView):
    """A page for whoever belongs to a team or sees them all."""

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request.user)

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        return {"for_everything": self.scope.teams is None, **said}


class Explain(OfTeams):
    """Where does this number come from?"""

    template_name = "dashboards/explain.html"

    def back(self) -> str:
        return reverse("explorer")  # a number to explain is found there; the page without one is refused

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        page = explaining.page(self.request.GET.dict(), self.scope)
        cell = disputing.offered(page.found, self.actor)
        return {**context, "page": page, "facts": page.facts, "dispute_cell": cell}


class ExplainInvoice(Guarded, TemplateView):
    """The bill rows of an invoice."""

    for_everything = True
    template_name = "dashboards/explain_invoice.html"

    def back(self) -> str:
        return reverse("invoices")

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        given = [self.request.GET.get(name, "") for name in ("invoice_id", "account", "currency")]
        found = invoiced(*given, as_of=asked_publication(self.request.GET), limit=explaining.LIMIT)
        if not found.bill_row_count:
            raise Http404
        page = {"found": found, "more_rows": found.bill_row_count - len(found.bill_rows)}
        return {"page": page, "for_everything": True, **said}


class Disputes(OfTeams):
    """The disputes somebody may know of; a form of the page that explains a number opens one here."""

    template_name = "dashboards/disputes.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        context = super().get_context_data(**said)
        return {**context, "page": disputing.list_page(self.actor)}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        cell, reason = disputing.read_cell(request.POST.get("cell", "")), request.POST.get("reason", "")
        try:
            made = disputes.open_dispute(cell, reason=reason, actor=self.actor, now=timezone.now())
        except NotAllowed as refused:
            raise PermissionDenied from refused
        except CannotDispute as refused:
            told = refusal(refused, self.template_name)
            return self.render_to_response(self.get_context_data(**told), status=409)
        return redirect("dispute", made.pk)


class OneDispute(OfTeams):
    """One dispute: its number explained, the conversation, and what the reader may do."""

    template_name = "dashboards/dispute.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        number = said.pop("number")
        context = super().get_context_data(**said)
        page = disputing.page(self.dispute(number), self.actor)
        return {**context, "page": page, "missing": no_rate(page.missing) if page.missing else ""}

    def dispute(self, number: int) -> Dispute:
        try:
            return disputes.dispute_of(number, self.actor.scope)
        except NoSuchDispute as unknown:
            raise Http404 from unknown

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        dispute, given = self.dispute(number), request.POST.dict()
        try:
            self._do(dispute, {name: str(value) for name, value in given.items()})
        except NotAllowed as refused:
            raise PermissionDenied from refused
        except (CannotDispute, CannotBook) as refused:
            told = refusal(refused, self.template_name)
            return self.render_to_response(self.get_context_data(number=number, **told), status=409)
        return redirect("dispute", number)

    def _do(self, dispute: Dispute, given: dict[str, str]) -> None:
        action, now = given.get("action", ""), timezone.now()
        if action == "entry":
            disputes.settle_by_entry(dispute, disputing.read_draft(given), actor=self.actor, now=now)
            return
        settled_by = action if action in ("rule", "restatement") else ""
        disputes.move(
            dispute,
            "settle" if settled_by else action,
            text=given.get("text", ""),
            actor=self.actor,
            now=now,
            settled_by=settled_by,
        )
