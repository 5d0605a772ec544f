"""The explorer over HTTP: the page, its figure, the values of its filters, its files, and what is kept beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property

from apps.dashboards import annotated, explorer, explorer_figures
from apps.dashboards import faults as faults_told
from apps.dashboards.arriving import said_missing
from apps.dashboards.faults import refusal
from apps.dashboards.forms import asked_publication
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView, no_rate
from apps.explorer import annotating, exporting, selectors, services
from apps.explorer.answering import Explored, explore, offered_values
from apps.explorer.models import SavedView
from apps.explorer.question import CONVERTED, CannotBeAsked, Exploration, read
from apps.explorer.selectors import NoSuchAnnotation, NoSuchView
from apps.finops.errors import CostOpsError
from apps.finops.sheets import BadSheet
from apps.finops.windows import ONE_DAY
from apps.marts import selectors as marts
from apps.marts.query import BadQuestion, Scope
from apps.rates.selectors import MissingRate
from apps.teams.approval import NotYours

_PLUMBING = ("ask", "dimension", "q")
"""Parameters that are no part of a question."""


def asked_of(data: QueryDict) -> tuple[dict[str, list[str]], Exploration]:
    """What an address gives and the question it makes; raises CannotBeAsked."""
    given = {name: data.getlist(name) for name in data if name not in _PLUMBING}
    if "ask" in data:  # the form sends it
        given = {name: [explorer.of_one_line(text) for text in texts] for name, texts in given.items()}
    return given, read(given)


def answered(asked: Exploration, scope: Scope) -> Explored:
    """The answer, in the currency the address names, else in the reporting currency; for want of a rate in one of those
    billed, with the rate that is `missing`."""
    publication = marts.publication(asked.publication)
    reporting = settings.COSTOPS_REPORTING_CURRENCY
    if reporting and not asked.currency:
        try:
            return explore(replace(asked, currency=f"{CONVERTED}{reporting}"), publication, scope)
        except MissingRate as missing:
            return replace(explore(asked, publication, scope), missing=missing)
    return explore(asked, publication, scope)


class Keeping(Acting):
    """A page beside the explorer: what is refused is said on it."""

    by_account = True

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    @cached_property
    def may_write(self) -> explorer.Pairs:
        """The teams whose days somebody may write about."""
        return explorer.teams(self.actor.teams)

    def refused(self, refused: CostOpsError) -> HttpResponse:
        status = 403 if isinstance(refused, NotYours) else 400
        return self.render_to_response(self.get_context_data(**refusal(refused, self.template_name)), status=status)


class Explorer(Keeping):
    """The explorer."""

    template_name = "dashboards/explorer.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        told = self.told()
        if not request.GET and (chosen := selectors.default_view(request.user)) is not None and chosen.query:
            return redirect(f"{request.path}?{chosen.query}")
        given: Mapping[str, Sequence[str]] = dict(request.GET.lists())
        try:
            given, asked = asked_of(request.GET)
            if "ask" in request.GET:
                return redirect(f"{request.path}?{asked.params()}")
            return self.render_to_response(self.shown(told, given, asked))
        except CannotBeAsked as wrong:
            return self.faulty(told, given, wrong.faults)
        except MissingRate as missing:
            return self.faulty(told, given, {"currency": no_rate(missing)})
        except BadQuestion as bad:
            return self.faulty(told, given, {"": str(bad)})

    def shown(self, told: dict[str, Any], given: Mapping[str, Sequence[str]], asked: Exploration) -> dict[str, Any]:
        page = explorer.page(answered(asked, self.scope), given, self.actor)
        missing = page.found.missing
        return self.beside(told) | {
            "page": page, "form": page.form, "facts": page.found.publication, "asked": asked,
            "late_bills": said_missing(page.found.query),
            "missing_rate": no_rate(missing) if missing else "",
        }  # fmt: skip

    def faulty(self, told: dict[str, Any], given: Any, faults: Mapping[str, str]) -> HttpResponse:
        said = {name: faults_told.said(fault) for name, fault in faults.items()}
        context = self.beside(told) | {"form": explorer.form(given, None, said), "faults": said}
        return self.render_to_response(context, status=400)

    def beside(self, told: dict[str, Any]) -> dict[str, Any]:
        shelf = explorer.shelf(self.user, self.scope)
        return {**told, "shelf": shelf, "writers": self.may_write, "speaks_for_all": self.actor.teams is None}

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        """After something was refused: the same page, saying so."""
        given, asked = asked_of(self.request.GET)
        return self.shown(self.told(**said), given, asked)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Save the question as a view, or write, delete an annotation."""
        self.told()
        actions = {"save": self.save, "annotate": self.annotate, "remove": self.remove}
        act = actions.get(request.POST.get("action", ""))
        if act is None:
            raise Http404
        try:
            act()
        except NoSuchAnnotation as unknown:
            raise Http404 from unknown
        except CannotBeAsked as wrong:
            return self.faulty(self.told(), dict(request.GET.lists()), wrong.faults)
        except CostOpsError as refused:
            return self.refused(refused)
        return redirect(request.get_full_path())

    def save(self) -> None:
        given = self.request.POST
        shared, _, team = given.get("shared", "nobody").partition(":")
        services.save(
            name=given.get("name", ""), query=self.request.META["QUERY_STRING"], by=self.user, now=timezone.now(),
            shared=shared, team=team, is_default="is_default" in given,
        )  # fmt: skip

    def annotate(self) -> None:
        given = self.request.POST
        first = _day(given.get("first", ""))
        draft = annotating.Draft(
            first, _day(given["last"]) if given.get("last") else first, given.get("text", "").strip(),
            given.get("team", ""), given.get("link", "").strip(),
        )  # fmt: skip
        annotating.write(draft, by=self.actor, now=timezone.now())

    def remove(self) -> None:
        annotating.remove(_number(self.request.POST.get("number", "")), by=self.actor, teams=self.scope.teams)


class ExplorerViews(Keeping):
    """The views somebody keeps and those that others share: opened, renamed, shared, deleted."""

    template_name = "dashboards/explorer_views.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        return {**self.told(**said), "shelf": explorer.shelf(self.user, self.scope)}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        self.told()
        given, number = request.POST, _number(request.POST.get("number", ""))
        try:
            if given.get("action") == "delete":
                services.forget(number, by=self.user)
            else:
                shared, _, team = given.get("shared", "nobody").partition(":")
                services.change(
                    number, by=self.user, now=timezone.now(), name=given.get("name", ""), shared=shared, team=team,
                    is_default="is_default" in given,
                )  # fmt: skip
        except NoSuchView as unknown:
            raise Http404 from unknown
        except CostOpsError as refused:
            return self.refused(refused)
        return redirect("explorer-views")


class ExplorerView(Acting):
    """One view by its number: on to what it asks."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.told()
        try:
            found: SavedView = selectors.view(kwargs["number"], request.user)
        except NoSuchView as unknown:
            raise Http404 from unknown
        return redirect(f"/explorer/?{found.query}")


class Annotations(Keeping):
    """Everything written about days, and a file of more."""

    template_name = "dashboards/annotations.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        kept = selectors.annotations(self.scope.teams).order_by("-first", "-last", "-pk")[:500]
        rows = [(one, annotating.may_write(self.actor, one.team.name if one.team else "")) for one in kept]
        may_bring = self.actor.teams is None or bool(self.actor.teams)
        return {**told, "rows": rows, "may_bring": may_bring, "added": self.request.GET.get("added", "")[:6]}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        self.told()
        try:
            if request.POST.get("action") == "remove":
                number = _number(request.POST.get("number", ""))
                annotating.remove(number, by=self.actor, teams=self.scope.teams)
                return redirect("annotations")
            content, name = _file(request)
            _, added = annotating.bring(content, name, by=self.actor, now=timezone.now())
        except NoSuchAnnotation as unknown:
            raise Http404 from unknown
        except CostOpsError as refused:
            return self.refused(refused)
        return redirect(f"{request.path}?added={added}")


class ExplorerFigure(JsonView):
    """The figure of a question."""

    by_account = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if self.scope.is_empty:
            raise Http404
        found = _found(request, self.scope)
        kept, _ = explorer.annotations(found)
        first = min((day for day, _ in found.steps if day), default=found.window.start)
        marks = annotated.marks(kept, first, found.window.end - ONE_DAY)
        return JsonResponse(explorer_figures.figure(found, marks))


class ExplorerValues(JsonView):
    """The values that a filter may have, for whoever is typing."""

    by_account = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if self.scope.is_empty:
            raise Http404
        name, text = request.GET.get("dimension", ""), request.GET.get("q", "")[:200]
        try:
            _, asked = asked_of(request.GET)
            publication = marts.publication(asked_publication(request.GET))
            found = offered_values(asked, publication, self.scope, name)
        except CannotBeAsked as wrong:
            raise BadQuestion(str(wrong)) from wrong
        return JsonResponse({"values": [asdict(offer) for offer in explorer.offers(found, name, text)]})


class ExplorerFile(JsonView):
    """The rows of a question as a file; one that would hold a part of them alone, for want of a rate, is refused."""

    by_account = True

    def get(self, request: HttpRequest, form: str) -> HttpResponseBase:
        if form not in exporting.FORMS or self.scope.is_empty:
            raise Http404
        found = _found(request, self.scope)
        if found.missing and found.others:
            raise found.missing
        write, media = exporting.FORMS[form]
        name = f"costs-{found.window.start}-{found.window.end}-publication-{found.publication.number}.{form}"
        response = HttpResponse(write(exporting.sheet(found)), content_type=media)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _found(request: HttpRequest, scope: Scope) -> Explored:
    try:
        return answered(asked_of(request.GET)[1], scope)
    except CannotBeAsked as wrong:
        raise BadQuestion(str(wrong)) from wrong


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise annotating.CannotAnnotate(f"first: {text[:20]!r} is no day; write it such as 2026-10-01") from None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _file(request: HttpRequest) -> tuple[bytes, str]:
    table = request.FILES.get("table")
    if table is None or isinstance(table, list):
        raise BadSheet("No file was chosen.")
    if (table.size or 0) > annotating.MOST_BYTES:
        raise BadSheet(f"{table.name}: more than {annotating.MOST_BYTES >> 20} MiB; split the file.")
    return table.read(), str(table.name)
