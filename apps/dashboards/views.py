"""The pages: read the question, ask once, show."""

from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.views.generic import TemplateView, View

from apps.dashboards import books, pricing, quality, restated, selectors, sources, trends, units, uploads
from apps.dashboards.asking import METRICS, PERIODS, Asked
from apps.dashboards.forms import FilterForm, asked_publication, read_question
from apps.dashboards.handlers import TOO_LARGE
from apps.finops.errors import CostOpsError
from apps.ingest import services as ingest
from apps.ingest.models import Source
from apps.ingest.uploads import keep as keep_uploads
from apps.ingest.uploads import uploadable_sources
from apps.marts import selectors as marts
from apps.marts.query import BadQuestion, Scope
from apps.marts.selectors import NothingPublished
from apps.pipeline.services import ask_to_land
from apps.pipeline.tasks import ring
from apps.prices.csv_file import COLUMNS as PRICE_COLUMNS
from apps.rates.selectors import MissingRate
from apps.teams.selectors import visible_teams

NO_STORE = "no-store, private"
MOST_UPLOADED = 100
"""Files of one upload whose results a page shows; Django takes no more at once."""


class Guarded(LoginRequiredMixin, View):
    """Signed in, never stored by browser or proxy, failures shaped once. `for_everything`: needs sight of all teams."""

    for_everything = False

    @cached_property
    def scope(self) -> Scope:
        return Scope(visible_teams(self.request.user))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = self._answer(request, *args, **kwargs)
        response.headers["Cache-Control"] = NO_STORE
        return response

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and self.for_everything and self.scope.teams is not None:
            raise PermissionDenied
        try:
            return super().dispatch(request, *args, **kwargs)
        except NothingPublished as nothing:
            return self.say_nothing(nothing)
        except BadQuestion as bad:
            return self.say_bad(bad)
        except MissingRate as missing:
            told = {"source": missing.source, "target": missing.target, "day": missing.day.isoformat()}
            return self.say_bad(
                BadQuestion(gettext("There is no rate from %(source)s to %(target)s on %(day)s.") % told)
            )

    def say_nothing(self, nothing: NothingPublished) -> HttpResponseBase:
        context = {"for_everything": self.scope.teams is None, "asked_number": self.request.GET.get("publication")}
        return render(self.request, "dashboards/empty.html", context)

    def say_bad(self, bad: BadQuestion) -> HttpResponseBase:
        return render(self.request, "dashboards/bad_question.html", {"message": str(bad)}, status=400)

    def question(self) -> Asked:
        """What this address asks, of the publication it names."""
        publication = marts.publication(asked_publication(self.request.GET))
        if publication.end_day is None:
            raise NothingPublished(f"Publication {publication.number} holds no cost.")
        return read_question(self.request.GET, publication=publication, scope=self.scope)


class CostView(Guarded, TemplateView, ABC):
    """A page of cost: one `CostPage` under the filter bar."""

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        if self.scope.teams == frozenset():
            raise PermissionDenied("no teams")
        page = self.page(self.question(), **names)
        if page is None:
            raise Http404
        bar = {"periods": PERIODS, "metrics": METRICS, "form": FilterForm(self.request.GET)}
        return {
            "page": page,
            "asked": page.asked,
            "facts": page.facts,
            **bar,
            "for_everything": self.scope.teams is None,
        }

    @abstractmethod
    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        """The page's content, told by each page; None when there is no such page."""


class Overview(CostView):
    """The cost of all teams."""

    template_name = "dashboards/overview.html"

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        return selectors.overview(asked)


class Team(CostView):
    """The cost of one team."""

    template_name = "dashboards/team.html"

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        return selectors.team(asked, names["team"])


class Namespace(CostView):
    """The cost of a team in one namespace."""

    template_name = "dashboards/namespace.html"

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        return selectors.namespace(asked, **names)


class JsonView(Guarded):
    """JSON for the scripts of a page; failures are JSON too."""

    def say_nothing(self, nothing: NothingPublished) -> HttpResponseBase:
        return JsonResponse({"message": str(nothing)}, status=404)

    def say_bad(self, bad: BadQuestion) -> HttpResponseBase:
        return JsonResponse({"message": str(bad)}, status=400)


class TrendFigure(JsonView):
    """A figure of cost over time, for a page of the same address."""

    def get(self, request: HttpRequest, by: str, **filters: str) -> HttpResponseBase:
        if by not in trends.BY or not all(
            self.scope.allows(team) for team in [filters.get("team")] if team is not None
        ):
            raise Http404
        return JsonResponse(trends.figure(self.question(), by, **filters))


class Units(Guarded, TemplateView):
    """Cost per unit, and why it changed."""

    template_name = "dashboards/units.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.teams == frozenset():
            raise PermissionDenied("no teams")
        asked = self.question()
        page = units.units_page(asked, units.read_measure(self.request.GET, asked))
        return {
            "page": page,
            "asked": page.asked,
            "facts": page.facts,
            "periods": PERIODS,
            "metrics": METRICS,
            "for_everything": self.scope.teams is None,
        }


class UnitsFigure(JsonView):
    """A figure of cost per unit."""

    def get(self, request: HttpRequest, what: str) -> HttpResponseBase:
        asked = self.question()
        measure = units.read_measure(request.GET, asked)
        if what not in ("cost", "bridge") or measure is None or self.scope.teams == frozenset():
            raise Http404
        return JsonResponse(units.figure(asked, measure, what))


class Sources(Guarded, TemplateView):
    """Sources, what is wrong with them, and runs."""

    for_everything = True
    template_name = "dashboards/sources.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        return {"page": sources.sources_page(now), "news": sources.news(now), "for_everything": True}


class SourcesProgress(JsonView):
    """How far the machine has come: polled by the sources page."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return JsonResponse(sources.news(timezone.now()))


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


class Staff(Guarded):
    """For those who keep the installation."""

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_staff:
            raise PermissionDenied
        return super()._answer(request, *args, **kwargs)


class DecideHeld(Staff):
    """Take or refuse what was held back of a source."""

    for_everything = True

    def post(self, request: HttpRequest, source: str) -> HttpResponseBase:
        found = get_object_or_404(Source, name=source)
        decision = request.POST.get("decision")
        if decision not in ("accept", "reject"):
            raise Http404
        ingest.decide(found, accept=decision == "accept")
        return redirect("quality")


class Upload(Staff):
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


class UploadResults(Staff):
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
        if not request.user.is_staff:
            raise PermissionDenied
        brought = request.FILES.get("file")
        if request.META.get(TOO_LARGE):
            return self._page(413, gettext("These files are too large together."))
        if brought is None:
            return self._page(400, gettext("Choose a file."))
        try:
            count = pricing.take_list(brought)
        except CostOpsError as wrong:
            return self._page(400, str(wrong))
        return self._page(200, gettext("%(count)d prices were taken.") % {"count": count})

    def _page(self, status: int = 200, message: str = "") -> HttpResponseBase:
        kind, role = ("error", "alert") if status != 200 else ("ok", "status")
        context = {
            "pricing": pricing.pricing(self.request.GET, timezone.now()), "columns": ",".join(PRICE_COLUMNS),
            "message": message, "message_kind": kind, "message_role": role, "for_everything": True,
        }  # fmt: skip
        return render(self.request, "dashboards/prices.html", context, status=status)


class Reconciliation(Guarded, TemplateView):
    """Charged against allocated."""

    for_everything = True
    template_name = "dashboards/reconciliation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        number = asked_publication(self.request.GET)
        params = f"publication={number}" if number else ""
        return {"books": books.books(number, params), "pinned": number, "for_everything": True}


class ReconciliationDays(Guarded, TemplateView):
    """The days of one source, billing month and currency."""

    for_everything = True
    template_name = "dashboards/reconciliation_days.html"

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        number = asked_publication(self.request.GET)
        found = books.days(number, **names)
        if not found.rows:
            raise Http404
        return {
            **names,
            "books": found,
            "figure": books.figure_link(found, **names),
            "pinned": number,
            "for_everything": True,
        }


class ReconciliationFigure(JsonView):
    """The figure of those days."""

    for_everything = True

    def get(self, request: HttpRequest, **names: str) -> HttpResponseBase:
        return JsonResponse(books.figure(asked_publication(request.GET), **names))


class Publications(Guarded, TemplateView):
    """What was published, the newest first."""

    for_everything = True
    template_name = "dashboards/publications.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"publications": books.published(), "for_everything": True}
