"""The pages of plans, their figures and files, and the button that plans by other settings from now on."""

from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from apps.dashboards import plans
from apps.dashboards.faults import refusal
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView
from apps.finops.errors import CostOpsError
from apps.finops.sheets import MOST_BYTES, BadSheet
from apps.marts.query import BadQuestion
from apps.planning import outcomes, services
from apps.planning.registry import NoSuchPlanner, planner_of
from apps.planning.scaling import BadObject
from apps.planning.selectors import NoPlan
from apps.teams.approval import NotYours


class Plans(Acting):
    """Every planner, with what its plans come to."""

    template_name = "dashboards/plans.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        return {**self.told(**said), "planners": plans.overview(self.scope)}


class Plan(Acting):
    """One plan."""

    template_name = "dashboards/plan.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        try:
            page = plans.page(said["planner"], self.request.GET.dict(), self.scope, self.actor)
        except (NoPlan, NoSuchPlanner) as nothing:
            raise Http404 from nothing
        return {**told, "page": page}

    def post(self, request: HttpRequest, planner: str) -> HttpResponseBase:
        """Plan by these settings from now on, or keep a measurement."""
        given, now = request.POST.dict(), timezone.now()
        given.pop("csrfmiddlewaretoken", None)
        subject, action = str(given.pop("subject", "")), given.pop("action", "")
        try:
            if action == "bring":
                self.bring(request, planner)
                given = {}
            elif action == "measure":
                outcomes.measure(planner, subject, given, by=self.actor, now=now)
                given = {}
            else:
                services.choose(planner, subject, given, by=self.actor, now=now)
        except (NoPlan, NoSuchPlanner) as nothing:
            raise Http404 from nothing
        except CostOpsError as refused:
            status = 403 if isinstance(refused, NotYours) else 400
            told = refusal(refused, self.template_name, plans.labels(planner))
            return self.render_to_response(self.get_context_data(planner=planner, **told), status=status)
        where = {"subject": subject} | given if action != "bring" else {}
        return redirect(f"{reverse('plan', args=[planner])}{'?' if where else ''}{urlencode(where)}")

    def bring(self, request: HttpRequest, planner: str) -> None:
        """Take the table that was uploaded; whatever is wrong with it is said on the page."""
        table, brought = request.FILES.get("table"), planner_of(planner).bring
        if not isinstance(table, UploadedFile) or brought is None:
            raise BadSheet("No file was chosen.")
        if (table.size or 0) > MOST_BYTES:
            raise BadSheet(f"{table.name}: more than {MOST_BYTES >> 20} MiB; split the file.")
        brought.take(table.read(), str(table.name), self.actor, timezone.now())


class PlanFigure(JsonView):
    """A figure of a plan."""

    def get(self, request: HttpRequest, planner: str, what: str) -> HttpResponseBase:
        try:
            drawn = plans.figure(planner, what, request.GET.dict(), self.scope)
        except (NoPlan, NoSuchPlanner) as nothing:
            raise Http404 from nothing
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)


class PlanFile(JsonView):
    """A plan as a file."""

    def get(self, request: HttpRequest, planner: str, name: str) -> HttpResponseBase:
        try:
            made = plans.file(planner, name, request.GET.dict(), self.scope)
        except (NoPlan, NoSuchPlanner) as nothing:
            raise Http404 from nothing
        except BadObject as refused:
            return self.say_bad(BadQuestion(str(refused)))
        if made is None:
            raise Http404
        headers = {"Content-Disposition": f'attachment; filename="{planner}-{made.file_name}"'}
        return HttpResponse(made.text, content_type=f"{made.content_type}; charset=utf-8", headers=headers)
