"""The pages: read the question, ask once, show."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.views.generic import TemplateView, View

from apps.books.statuses import statuses
from apps.dashboards import annotated, books, day_news, estimates, forecasts, selectors, trends, units, why
from apps.dashboards.arriving import said_missing
from apps.dashboards.asking import DEFAULT_METRIC, DEFAULT_PERIOD, METRICS, PERIODS, Asked
from apps.dashboards.faults import refusal
from apps.dashboards.forms import FilterForm, asked_publication, compared_with, read_question
from apps.marts import selectors as marts
from apps.marts.cell import FILTER_NAMES, asked_filters
from apps.marts.query import BadQuestion, Scope
from apps.marts.scoping import scope_of
from apps.marts.selectors import NothingPublished
from apps.rates.selectors import MissingRate

NO_STORE = "no-store, private"
_Page = TypeVar("_Page")
_PUBLICATIONS = ("publication", "as_of", "from", "to")
"""Parameters of pages that name a publication by its number."""


def no_rate(missing: MissingRate) -> str:
    """Which rate is missing, in the reader's language."""
    told = {"source": missing.source, "target": missing.target, "day": missing.day.isoformat()}
    return gettext("There is no rate from %(source)s to %(target)s on %(day)s.") % told


class Guarded(LoginRequiredMixin, View):
    """Signed in, never stored by browser or proxy, failures shaped once. `for_everything`: needs sight of all teams;
    `by_account`: every amount shown says its account, so that it is for those too who see accounts only.
    `period_bar`: the page has the bar of periods, of `cost` with its basis or of `usage`."""

    for_everything = False
    by_account = False
    period_bar: str = ""

    @cached_property
    def scope(self) -> Scope:
        return scope_of(self.request.user, by_account=self.by_account)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = self._answer(request, *args, **kwargs)
        response.headers["Cache-Control"] = NO_STORE
        return response

    def handle_no_permission(self) -> HttpResponseBase:  # type: ignore[override]  # any answer will do
        """To the sign-in; a part of a page cannot be one, and lets the whole page be loaded anew."""
        if self.request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Refresh": "true"})
        return super().handle_no_permission()

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
            return self.say_bad(BadQuestion(no_rate(missing)), keeps_currency=False)

    def say_nothing(self, nothing: NothingPublished) -> HttpResponseBase:
        missing = nothing if isinstance(nothing, marts.NoSuchPublication) else None
        asked_number = str(missing.number) if missing else self.request.GET.get("publication")
        sees_all = self.scope.teams is None
        if sees_all and not asked_number and not marts.publications(1):
            return redirect("first-steps")
        let_go = nothing if isinstance(nothing, marts.LetGo) else None
        gone = str(let_go.number) if let_go else asked_number
        context = {
            "for_everything": sees_all, "asked_number": asked_number, "let_go": let_go,
            "newest": self._asked_of(None, instead_of=gone), "missing": missing,
            "next_kept": self._asked_of(let_go.next_number, instead_of=gone) if let_go else "",
        }  # fmt: skip
        return render(self.request, "dashboards/empty.html", context)

    def _asked_of(self, number: int | None, *, instead_of: str | None) -> str:
        """The parameters of this address with another publication wherever they name this one, or with none."""
        asked = self.request.GET.copy()
        for name in [name for name in _PUBLICATIONS if name in asked and str(asked[name]).lstrip("0") == instead_of]:
            if number is None:
                del asked[name]
            else:
                asked[name] = str(number)
        return asked.urlencode()

    def say_bad(self, bad: BadQuestion, *, keeps_currency: bool = True) -> HttpResponseBase:
        context = {"message": refusal(bad)["refused"], "back": self.back(), **self.refused_bar(keeps_currency)}
        return render(self.request, "dashboards/bad_question.html", context, status=400)

    def back(self) -> str:
        """Where somebody goes on whose question was refused: the page as it is without one."""
        return self.request.path

    def refused_bar(self, keeps_currency: bool) -> dict[str, Any]:
        """The bar of a page that has one, with the choices that can be meant: the days of a period as written, and what
        it was narrowed to."""
        if not self.period_bar:
            return {}
        form = FilterForm(self.request.GET)
        form.is_valid()
        given = {name: form.cleaned_data.get(name) or "" for name in form.fields}
        kept = ("currency", "publication") if keeps_currency else ("publication",)
        narrowed = [(FILTER_NAMES.get(name, name), text) for name, text in asked_filters(self.request.GET)]
        asked = {
            "period": given["period"] or DEFAULT_PERIOD, "metric": given["metric"] or DEFAULT_METRIC,
            "window": {"start": given["start"]}, "last_day": given["last"],
        }  # fmt: skip
        return {
            "asked": asked, "periods": PERIODS, "metrics": METRICS if self.period_bar == "cost" else {},
            "page": {"kept": [*((name, given[name]) for name in kept if given[name]), *narrowed]},
        }  # fmt: skip

    def question(self) -> Asked:
        """What this address asks, of the publication it names."""
        publication = marts.publication(asked_publication(self.request.GET))
        if publication.end_day is None:
            raise NothingPublished(f"Publication {publication.number} holds no cost.")
        return read_question(self.request.GET, publication=publication, scope=self.scope)

    def in_reporting_currency(self, make: Callable[[Asked], _Page]) -> tuple[_Page, MissingRate | None]:
        """A page in the currency the address names, else in the reporting currency; for want of a rate, by currency."""
        asked, reporting = self.question(), settings.COSTOPS_REPORTING_CURRENCY
        if asked.currency or not reporting:
            return make(asked), None
        try:
            return make(asked.converted(reporting)), None
        except MissingRate as missing:
            return make(asked), missing


class CostView(Guarded, TemplateView, ABC):
    """A page of cost: one `CostPage` under the filter bar."""

    period_bar = "cost"

    def get_context_data(self, **names: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        page, missing = self.in_reporting_currency(lambda asked: self.page(asked, **names))
        if page is None:
            raise Http404
        bar = {"periods": PERIODS, "metrics": METRICS, "form": FilterForm(self.request.GET)}
        news = day_news.tell(page.asked, page.facts, timezone.now(), **self.filters(**names))
        return {
            "page": page,
            "asked": page.asked,
            "facts": news.facts,
            "news": news,
            "late_bills": said_missing(page.asked.query(**self.filters(**names))),
            "landing": forecasts.card(page.asked, self.filters(**names)),
            "missing_rate": no_rate(missing) if missing else "",
            "why_params": why.panel_params(page.asked, **self.filters(**names)),
            **bar,
            "for_everything": self.scope.teams is None,
        }

    def filters(self, **names: Any) -> dict[str, Any]:
        """What a question of the page is narrowed by, where that is not what its address names."""
        return names

    @abstractmethod
    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        """The page's content, told by each page; None when there is no such page."""


class Namespace(CostView):
    """The cost of a team in one namespace."""

    template_name = "dashboards/namespace.html"

    def page(self, asked: Asked, **names: Any) -> selectors.CostPage | None:
        days = statuses(marts.publication(asked.publication), asked.window.start, asked.window.end, timezone.now())
        return selectors.namespace(asked, statuses=days.by_day, **names)


class JsonView(Guarded):
    """JSON for the scripts of a page; failures are JSON too."""

    def say_nothing(self, nothing: NothingPublished) -> HttpResponseBase:
        return JsonResponse({"message": str(nothing)}, status=404)

    def say_bad(self, bad: BadQuestion, *, keeps_currency: bool = True) -> HttpResponseBase:
        return JsonResponse({"message": str(bad)}, status=400)


class TrendFigure(JsonView):
    """A figure of cost over time, for a page of the same address."""

    def get(self, request: HttpRequest, by: str, **filters: str) -> HttpResponseBase:
        if by not in trends.BY or not all(
            self.scope.allows(team) for team in [filters.get("team")] if team is not None
        ):
            raise Http404
        asked = self.question()
        figure = trends.figure(asked, by, **filters)
        return JsonResponse(annotated.mark(day_news.mark(figure, asked, timezone.now(), **filters), asked, **filters))


class Estimates(Guarded, TemplateView):
    """What days cost whose bill has not come, and how good such estimates were."""

    template_name = "dashboards/estimates.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        number = asked_publication(self.request.GET)
        found = estimates.page(number, self.scope)
        return {"page": found, "pinned": number, "for_everything": self.scope.teams is None}


class Units(Guarded, TemplateView):
    """Cost per unit, and why it changed."""

    template_name = "dashboards/units.html"
    period_bar = "cost"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        given = self.request.GET
        page, missing = self.in_reporting_currency(
            lambda asked: units.units_page(asked, units.read_measure(given, asked))
        )
        return {
            "page": page,
            "asked": page.asked,
            "facts": page.facts,
            "late_bills": said_missing(page.asked.query()),
            "missing_rate": no_rate(missing) if missing else "",
            "why_params": why.panel_params(page.asked),
            "periods": PERIODS,
            "metrics": METRICS,
            "for_everything": self.scope.teams is None,
        }


class UnitsFigure(JsonView):
    """A figure of cost per unit."""

    def get(self, request: HttpRequest, what: str) -> HttpResponseBase:
        asked, before = self.question(), compared_with(request.GET)
        asked = replace(asked, before=before) if before else asked
        measure = units.read_measure(request.GET, asked)
        if what not in ("cost", "bridge") or measure is None or self.scope.is_empty:
            raise Http404
        return JsonResponse(units.figure(asked, measure, what))


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
