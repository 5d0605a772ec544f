"""The page of runs, what keeps it fresh, and what may be asked of the machine there."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from apps.dashboards import running
from apps.dashboards.faults import refusal
from apps.dashboards.source_views import Entitled, when_new
from apps.dashboards.views import Guarded
from apps.pipeline import asking
from apps.pipeline.asking import NotToBeRetried
from apps.pipeline.tasks import ring


def runs_page(request: HttpRequest, *, status: int = 200, **said: Any) -> HttpResponseBase:
    found = running.page(running.read(request.GET), timezone.now())
    context = {"page": found, "news": found.news, "for_everything": True, **said}
    return render(request, "dashboards/runs.html", context, status=status)


class Runs(Guarded):
    """Steps and runs."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return runs_page(request)


class RunsProgress(Guarded):
    """How far the machine has come: polled by the page, which shows it in place."""

    for_everything = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        chosen = running.read(request.GET)
        context = {"news": running.news(chosen, timezone.now()), "progress_url": running.progress_url(chosen)}
        return when_new(request, "dashboards/parts/runs_whole.html", context)


class FillNow(Entitled):
    """Look and fill at once, or try one run again."""

    for_everything = True

    def post(self, request: HttpRequest) -> HttpResponseBase:
        number = request.POST.get("run", "")
        try:
            if number:
                asking.retry(_whole(number), now=timezone.now())
            else:
                asking.fill_now(now=timezone.now())
        except NotToBeRetried as refused:
            return runs_page(request, status=409, **refusal(refused))
        ring()
        return redirect(reverse("first-steps") if request.POST.get("next") == "first-steps" else reverse("runs"))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
