"""The pages of what comes in: sources and runs, quality, restatements, uploads and prices."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.generic import TemplateView

from apps.dashboards import auditing, faults, installation, pricing, quality, restated, sources, uploads
from apps.dashboards.handlers import TOO_LARGE
from apps.dashboards.views import Guarded
from apps.finops.errors import CostOpsError
from apps.ingest import services as ingest
from apps.ingest.models import Source
from apps.ingest.uploads import keep as keep_uploads
from apps.ingest.uploads import uploadable_sources
from apps.pipeline.services import ask_to_land
from apps.pipeline.tasks import ring
from apps.prices.csv_file import COLUMNS as PRICE_COLUMNS
from apps.teams.access import may
from apps.teams.roles import Can

MOST_UPLOADED = 100
"""Files of one upload whose results a page shows; Django takes no more at once."""


class Sources(Guarded, TemplateView):
    """Sources, what is wrong with them, and runs."""

    for_everything = True
    template_name = "dashboards/sources.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        return {"page": sources.sources_page(now), "news": sources.news(now), "for_everything": True}


class Installation(Guarded, TemplateView):
    """The installation itself."""

    for_everything = True
    template_name = "dashboards/installation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"page": installation.installation_page(), "for_everything": True}


class SourcesProgress(Guarded):
    """How far the machine has come: polled by the sources page, which shows it in place; nothing new has no content."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return when_new(request, "dashboards/parts/runs.html", {"news": sources.news(timezone.now())})


def when_new(request: HttpRequest, part: str, context: dict[str, Any]) -> HttpResponseBase:
    """A part of a page that asks for itself; without content where its `news` are what was seen."""
    if context["news"]["mark"] == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, part, context)


class Quality(Guarded, TemplateView):
    """What is wrong with bills, what is held back, how they arrive and what they restated."""

    for_everything = True
    template_name = "dashboards/quality.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"sources": quality.quality(timezone.now()), "for_everything": True}


class Restatements(Guarded, TemplateView):
    """What new issues of bills changed."""

    for_everything = True
    template_name = "dashboards/restatements.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"ledger": restated.ledger(self.request.GET), "for_everything": True}


class Entitled(Guarded):
    """For those who may do one thing of the whole company: manage sources, unless it is said."""

    can = Can.MANAGE_SOURCES

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not may(request.user, self.can):
            raise PermissionDenied
        return super()._answer(request, *args, **kwargs)


class Audit(Entitled, TemplateView):
    """What was done, by whom."""

    can = Can.SEE_AUDIT

    template_name = "dashboards/audit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"page": auditing.audit_page(self.request.GET)}


class DecideHeld(Entitled):
    """Take or refuse what was held back of a source."""

    for_everything = True

    def post(self, request: HttpRequest, source: str) -> HttpResponseBase:
        found = get_object_or_404(Source, name=source)
        decision = request.POST.get("decision")
        shown = [int(pk) for pk in request.POST.getlist("shown") if pk.isascii() and pk.isdecimal() and len(pk) < 19]
        if decision not in ingest.DECISIONS:
            raise Http404
        ingest.decide(found, decision, shown=shown)
        return redirect("quality")


class Upload(Entitled):
    """Bills that people bring; a script asks for JSON, and shows how far the upload has come."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self._page(chosen=request.GET.get("source", ""))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        name = request.POST.get("source", "")
        source = next((one for one in uploadable_sources() if one.name == name), None)
        brought = uploads.brought(request.FILES.getlist("files"))
        if request.META.get(TOO_LARGE):
            return self._page(413, chosen=name, message=gettext("These files are too large together."))
        if source is None or not brought:
            return self._page(400, chosen=name, message=gettext("Choose a source and at least one file."))
        if refused := uploads.refused(brought):
            return self._page(400, chosen=name, refused=refused)
        keep_uploads(source, brought)
        ask_to_land(source.name, now=timezone.now())
        ring()
        named = urlencode([("file", one.name) for one in brought])
        address = f"{reverse('sources-upload-results', args=[source.name])}?{named}"
        return JsonResponse({"next": address}) if self._wants_json else redirect(address)

    @property
    def _wants_json(self) -> bool:
        return self.request.headers.get("Accept") == "application/json"

    def _page(self, status: int = 200, **said: Any) -> HttpResponseBase:
        if self._wants_json and status != 200:
            told = "; ".join(f"{name}: {reason}" for name, reason in said.get("refused", ()))
            return JsonResponse({"message": said.get("message") or told}, status=status)
        context = uploads.form() | said | {"for_everything": self.scope.teams is None}
        return render(self.request, "dashboards/upload.html", context, status=status)


class UploadResults(Entitled):
    """What became of the files of an upload."""

    def get(self, request: HttpRequest, source: str) -> HttpResponseBase:
        found = next((one for one in uploadable_sources() if one.name == source), None)
        results = uploads.results(found, request.GET.getlist("file")[:MOST_UPLOADED]) if found else None
        if results is None or not results.files:
            raise Http404
        context = {"results": results, "for_everything": self.scope.teams is None}
        response = render(request, "dashboards/upload_results.html", context)
        if results.is_waiting:
            response.headers["Refresh"] = "3"
        return response


class Prices(Guarded):
    """Unit prices and commitments; staff brings price lists."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if not may(request.user, Can.MANAGE_SOURCES):
            raise PermissionDenied
        brought = request.FILES.get("file")
        if request.META.get(TOO_LARGE):
            return self._page(413, gettext("These files are too large together."))
        if brought is None:
            return self._page(400, gettext("Choose a file."))
        try:
            count = pricing.take_list(brought)
        except CostOpsError as wrong:
            return self._page(400, faults.said(str(wrong)))
        return self._page(200, gettext("%(count)d prices were taken.") % {"count": count})

    def _page(self, status: int = 200, message: str = "") -> HttpResponseBase:
        kind, role = ("error", "alert") if status != 200 else ("ok", "status")
        context = {
            "pricing": pricing.pricing(self.request.GET, timezone.now()), "columns": ",".join(PRICE_COLUMNS),
            "message": message, "message_kind": kind, "message_role": role, "for_everything": True,
        }  # fmt: skip
        return render(self.request, "dashboards/prices.html", context, status=status)
