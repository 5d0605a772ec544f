"""The pages of what is idle, their figures, and the buttons that decide about it."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone

from apps.dashboards import idle
from apps.dashboards.faults import refusal
from apps.dashboards.rule_views import Acting
from apps.dashboards.views import JsonView
from apps.finops.errors import CostOpsError
from apps.insights.idle import deciding
from apps.insights.idle.selectors import NothingFound
from apps.teams.approval import NotYours


def today(now: datetime) -> date:
    """The business day of a moment."""
    return now.astimezone(ZoneInfo(settings.COSTOPS_TIME_ZONE)).date()


class Deciding(Acting):
    """A page with buttons that decide about the rows chosen on it."""

    def decide(self, request: HttpRequest) -> None:
        now, action = timezone.now(), request.POST.get("action", "")
        chosen = idle.picked(request.POST.getlist("pick"), self.scope, day=today(now))
        if action == "undo":
            for number in {one.decision.pk for one in chosen if one.decision}:
                deciding.undo(number, by=self.actor, now=now)
            return
        reason, until = request.POST.get("reason", ""), _day(request.POST.get("until", ""))
        findings = [one.finding for one in chosen]
        deciding.decide(findings, action, reason=reason, until=until, by=self.actor, now=now)

    def refuse(self, refused: CostOpsError, **names: Any) -> HttpResponseBase:
        status = 403 if isinstance(refused, NotYours) else 400
        told = refusal(refused, self.template_name)
        return self.render_to_response(self.get_context_data(**told, **names), status=status)


class Idle(Deciding):
    """What is idle."""

    template_name = "dashboards/idle.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said) | {"chosen": self.request.POST.getlist("pick")}
        return {**told, "page": idle.page(self.request.GET, self.scope, self.actor, day=today(timezone.now()))}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        try:
            self.decide(request)
        except CostOpsError as refused:
            return self.refuse(refused)
        return redirect(request.get_full_path())


class IdleOne(Deciding):
    """One thing that is idle."""

    template_name = "dashboards/idle_one.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        try:
            page = idle.one(said["identity"], self.scope, self.actor, day=today(timezone.now()))
        except NothingFound as nothing:
            raise Http404 from nothing
        return {**told, "page": page}

    def post(self, request: HttpRequest, identity: str) -> HttpResponseBase:
        try:
            self.decide(request)
        except CostOpsError as refused:
            return self.refuse(refused, identity=identity)
        return redirect("idle-one", identity=identity)


class IdleFigure(JsonView):
    """A figure of one thing."""

    def get(self, _request: HttpRequest, identity: str, what: str) -> HttpResponseBase:
        try:
            drawn = idle.figure(identity, what, self.scope, day=today(timezone.now()))
        except NothingFound as nothing:
            raise Http404 from nothing
        if drawn is None:
            raise Http404
        return JsonResponse(drawn)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise deciding.CannotDecide(f"{text[:20]!r} is no date; write it such as 2026-12-01.") from None
