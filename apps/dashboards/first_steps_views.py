"""The page that leads from nothing to the first published number."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from apps.dashboards import first_steps
from apps.dashboards.handlers import TOO_LARGE
from apps.dashboards.source_views import Entitled, when_new
from apps.dashboards.views import Guarded
from apps.finops.errors import CostOpsError
from apps.ingest.sources import InvalidSource
from apps.pipeline.asking import fill_now
from apps.pipeline.tasks import ring

TAKEN = "first-steps-taken"
"""Where a session keeps by what the teams are known that it imported."""


class FirstSteps(Guarded):
    """What is done, what is now, what comes next; staff do it here."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        page = first_steps.page(timezone.now(), taken=_taken(request))
        context = {"page": page, "for_everything": True}
        return render(request, "dashboards/first_steps.html", context)


class FirstStepsProgress(Guarded):
    """How far the machine has come: polled by the page, which shows it in place, or is made anew at another stage."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        context = first_steps.progress(timezone.now())
        if context["stage"] != request.GET.get("stage", context["stage"]):
            return HttpResponse(headers={"HX-Refresh": "true"})
        return when_new(request, "dashboards/parts/first_runs.html", context)


class TakeFirstStep(Entitled):
    """Add a source, or import teams."""

    for_everything = True

    def post(self, request: HttpRequest) -> HttpResponseBase:
        now = timezone.now()
        try:
            self._take(request)
        except CostOpsError as wrong:
            given = {name: str(value) for name, value in request.POST.items()}
            page = first_steps.page(now, taken=_taken(request), given=given, wrong=wrong)
            context = {"page": page, "for_everything": True}
            return render(request, "dashboards/first_steps.html", context, status=400)
        return redirect("first-steps")

    def _take(self, request: HttpRequest) -> None:
        step, now = request.POST.get("step"), timezone.now()
        if step == "source":
            first_steps.add_source(request.POST.dict(), now)
        elif step == "teams":
            brought = request.FILES.get("file")
            if brought is None or request.META.get(TOO_LARGE):
                raise InvalidSource(gettext("Choose a file."))
            request.session[TAKEN] = first_steps.take_teams(brought, now, taken=_taken(request))
            fill_now(now=now)
            ring()
        else:
            raise Http404


def _taken(request: HttpRequest) -> str:
    return str(request.session.get(TAKEN, ""))
