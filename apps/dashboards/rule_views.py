"""The pages of rules: what they do, drafts of others, and the worklist of cost without an owner."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from apps.allocation import rehearsal
from apps.dashboards import rules, worklist
from apps.dashboards.faults import refusal
from apps.dashboards.views import Guarded
from apps.finops.errors import CostOpsError
from apps.insights import settling
from apps.insights.worklist import find
from apps.teams import proposals
from apps.teams.approval import Actor, NotYours, actor_of
from apps.teams.dating import BadChange
from apps.teams.models import RuleDraft


class Acting(Guarded, TemplateView):
    """A page on which people act: whoever sees no team sees nothing, what is refused is said on the page."""

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.request.user)

    def told(self, **said: Any) -> dict[str, Any]:
        if self.scope.is_empty:
            raise PermissionDenied("no teams")
        return {"for_everything": self.scope.teams is None, "given": self.request.POST, **said}

    def refuse(self, refused: CostOpsError, **names: Any) -> HttpResponseBase:
        status = 403 if isinstance(refused, NotYours) else 400 if isinstance(refused, BadChange) else 409
        told = refusal(refused, self.template_name)
        return self.render_to_response(self.get_context_data(**told, **names), status=status)


class Rules(Acting):
    """The rules in force, drafts of others, and the form that makes one."""

    template_name = "dashboards/rules.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        is_narrowed = self.request.GET.get("verdict") == "any"
        page = rules.page(self.scope.teams, self.actor, timezone.now(), is_narrowed=is_narrowed)
        return {"page": page, **told}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        now, reason = timezone.now(), request.POST.get("reason", "")
        try:
            kept = proposals.propose(rules.written(request.POST.dict()), by=self.actor, now=now, reason=reason)
        except CostOpsError as refused:
            return self.refuse(refused)
        try:
            rehearsal.rehearse_or_ask(kept, by=self.actor.name, now=now)
        except rehearsal.NothingToTryOn as nothing:
            proposals.note(kept, "not simulated", by=self.actor.name, now=now, outcome=str(nothing))
        return redirect("rule-draft", number=kept.pk)


class Draft(Acting):
    """One draft: what it says, what it would do, and what may be done with it."""

    template_name = "dashboards/rule_draft.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        told = self.told(**said)
        return {"page": rules.draft_page(self.found(said["number"]), self.scope.teams, self.actor), **told}

    def found(self, number: int) -> RuleDraft:
        """The draft; not yours and not there are the same."""
        seen = proposals.visible(self.scope.teams, self.actor, number=number)
        if not seen:
            raise Http404
        return seen[0]

    def post(self, request: HttpRequest, number: int) -> HttpResponseBase:
        found, action = self.found(number), request.POST.get("action", "")
        try:
            rehearsal.act(found, action, by=self.actor, now=timezone.now(), why=request.POST.get("reason", ""))
        except CostOpsError as refused:
            return self.refuse(refused, number=number)
        return redirect("rule-draft", number=number)


class WorkPage(Acting):
    """Cost without an owner, and the buttons that give it one."""

    for_everything = True
    template_name = "dashboards/worklist.html"

    def get_context_data(self, **said: Any) -> dict[str, Any]:
        may_decide = self.actor.teams is None
        return {
            **self.told(**said),
            "page": worklist.page(self.request.GET.dict()),
            "may_decide": may_decide,
            "may_draft": self.actor.may_draft,
        }

    def post(self, request: HttpRequest) -> HttpResponseBase:
        given, now = request.POST.dict(), timezone.now()
        reason = str(given.get("reason", ""))
        try:
            item = find(str(given.get("subject", "")), str(given.get("currency", "")))
            if given.get("action") == "accept":
                team, since = str(given.get("team", "")), _day(str(given.get("valid_from", "")))
                kept = settling.accept(item, by=self.actor, now=now, team=team, valid_from=since, reason=reason)
                return redirect("rule-draft", number=kept.pk)
            decide = settling.restore if given.get("action") == "restore" else settling.dismiss
            decide(item, by=self.actor, now=now, reason=reason)
        except CostOpsError as refused:
            return self.refuse(refused)
        return redirect(request.get_full_path())


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadChange(f"{text!r} is no date; write it such as 2026-11-01.") from None
