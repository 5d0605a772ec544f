"""The page of the price table of what can be bought, and its file."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from apps.dashboards import offering
from apps.dashboards.faults import said
from apps.dashboards.handlers import TOO_LARGE
from apps.dashboards.views import Guarded
from apps.finops.errors import CostOpsError
from apps.planning.offers import csv_file, table
from apps.teams.approval import NotYours, actor_of


class Offers(Guarded):
    """What is on sale; finance adds rows, by a form or a file."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        actor, now, brought = actor_of(request.user), timezone.now(), request.FILES.get("file")
        if request.META.get(TOO_LARGE):
            return self._page(413, gettext("These files are too large together."))
        try:
            if "what" not in request.POST:
                count = offering.add_row(request.POST.dict(), actor, now)
            elif brought is None:
                return self._page(400, gettext("Choose a file."))
            else:
                count = offering.add_file(brought, request.POST["what"], actor, now)
        except CostOpsError as wrong:
            return self._page(403 if isinstance(wrong, NotYours) else 400, said(str(wrong)))
        if not count:
            return self._page(200, gettext("All of that is in the table already; nothing was added."))
        told = ngettext("%(count)d row was added.", "%(count)d rows were added.", count) % {"count": count}
        return self._page(200, told + " " + gettext("Plans follow with the next fill."))

    def _page(self, status: int = 200, message: str = "") -> HttpResponseBase:
        kind, role = ("error", "alert") if status != 200 else ("ok", "status")
        given = self.request.POST.dict() if status != 200 else {}
        context = {
            "page": offering.offering(timezone.localdate(), actor_of(self.request.user), given), "message": message,
            "message_kind": kind, "message_role": role, "for_everything": True,
            "columns": ",".join(csv_file.COLUMNS), "need_columns": ",".join(csv_file.NEED_COLUMNS),
        }  # fmt: skip
        return render(self.request, "dashboards/offers.html", context, status=status)


class OffersFile(Guarded):
    """Every row of the price table, as it is imported."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        headers = {"Content-Disposition": 'attachment; filename="offers.csv"'}
        return HttpResponse(csv_file.write(table.rows()), content_type="text/csv; charset=utf-8", headers=headers)
