"""The pages of the books: why cost changed, closed months, and invoices."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.generic import TemplateView

from apps.books import selectors, services, statement
from apps.books.invoices import import_invoices
from apps.books.selectors import NotClosed
from apps.books.services import CannotClose
from apps.dashboards import bases, changes, closing, invoices
from apps.dashboards.asking import METRICS, PERIODS
from apps.dashboards.faults import refusal
from apps.dashboards.views import Guarded, JsonView, no_rate
from apps.finops.sheets import BadSheet
from apps.teams.access import may
from apps.teams.roles import Can


class Changes(Guarded, TemplateView):
    """Why did last month change?"""

    by_account = True
    template_name = "dashboards/changes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        page = changes.page(changes.read(self.request.GET, self.scope))
        return {"page": page, "metrics": METRICS, "for_everything": self.scope.teams is None}


class ChangesFigure(JsonView):
    """The bridge of that page."""

    by_account = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return JsonResponse(changes.figure(changes.read(request.GET, self.scope)))


FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class Closing(Guarded, TemplateView):
    """Closed months, and the button that closes the next one."""

    for_everything = True
    template_name = "dashboards/closing.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        may_close = may(self.request.user, Can.CLOSE_MONTHS)
        return {"page": closing.page(timezone.now()), "may_close": may_close, "for_everything": True, **said}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if not may(request.user, Can.CLOSE_MONTHS):
            raise PermissionDenied
        month, reason = request.POST.get("month", ""), request.POST.get("reason", "")
        try:
            services.close(month, by=request.user.get_username(), now=timezone.now(), reason=reason)
        except CannotClose as refused:
            return self.render_to_response(self.get_context_data(**refusal(refused, self.template_name)), status=409)
        return redirect("closing")


class Statement(Guarded):
    """The statement of a closed month, byte for byte."""

    for_everything = True

    def get(self, request: HttpRequest, month: str, form: str) -> HttpResponseBase:
        try:
            closed = selectors.close_of(month)
        except NotClosed as unknown:
            raise Http404 from unknown
        if form not in FORMS:
            raise Http404
        response = HttpResponse(statement.rebuilt(closed, form), content_type=FORMS[form])
        response["Content-Disposition"] = f'attachment; filename="statement-{closed.month}.{form}"'
        return response


class Invoices(Guarded, TemplateView):
    """Invoices against charges, and the form that brings invoices."""

    for_everything = True
    template_name = "dashboards/invoices.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        may_add = may(self.request.user, Can.ADD_INVOICES)
        return {"page": invoices.page(), "may_add": may_add, "for_everything": True, **said}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if not may(request.user, Can.ADD_INVOICES):
            raise PermissionDenied
        try:
            name, content = invoices.brought(request)
            import_invoices(content, name=name, by=request.user.get_username(), now=timezone.now())
        except BadSheet as refused:
            return self.render_to_response(self.get_context_data(**refusal(refused, self.template_name)), status=400)
        return redirect("invoices")


class Invoice(Guarded, TemplateView):
    """One invoice: its services in the four costs, and its charges with file and line."""

    for_everything = True
    template_name = "dashboards/invoice.html"

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        key = (names["invoice"], names["account"], names["currency"])
        page = invoices.invoice_page(*key, self.request.GET.get("service"))
        if page is None:
            raise Http404
        return {"page": page, "one": page.invoice, "for_everything": True}


class Bases(Guarded, TemplateView):
    """List, contracted, effective and billed cost side by side."""

    by_account = True
    template_name = "dashboards/bases.html"
    period_bar = "cost"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        page, missing = self.in_reporting_currency(bases.page)
        return {
            "page": page, "asked": page.asked, "facts": page.facts, "periods": PERIODS,
            "missing_rate": no_rate(missing) if missing else "", "for_everything": self.scope.teams is None,
        }  # fmt: skip
