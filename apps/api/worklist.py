"""The addresses of the worklist: unallocated cost, its proposed owners, and what is decided about it."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import CompanyView
from apps.api.errors import BadParameterError
from apps.api.paging import SortedRows
from apps.api.parameters import FORMAT, Parameter
from apps.api.rules import REASON
from apps.finops.windows import Window
from apps.insights import evidence, settling, subjects, worklist
from apps.teams.approval import actor_of
from apps.teams.roles import Can

_PERIOD = (
    Parameter("start", parameters.day, "The first day, YYYY-MM-DD; 62 days before the end by default."),
    Parameter("end", parameters.day, "The day after the last; after the last that came by default."),
)
DISMISSED = Parameter(
    "dismissed", parameters.one_of("true", "false"), "`true`: what was set aside instead.", choices=("true", "false")
)
SUBJECT = Parameter("subject", parameters.text, "The id of a subject.", place="path")
ACTIONS = ("accept", "dismiss", "restore")
ACTION = Parameter("action", parameters.one_of(*ACTIONS), "What to do.", choices=ACTIONS, place="path")
TEAM = Parameter("team", parameters.text, "The owner to accept; the team proposed by default.")
SINCE = Parameter("valid_from", parameters.day, "From which day on; the first unallocated one by default.")
KINDS = (*subjects.FIELDS, subjects.PLATFORM, subjects.UNCLAIMED)


class EvidenceSchema(serializers.Serializer[Any]):
    """One thing that speaks for a team; `share` of the money, `agreeing` of `whole`, agrees."""

    kind = serializers.ChoiceField(list(evidence.RANK))
    team = serializers.CharField()
    sentence = serializers.CharField()
    agreeing = schema.Amount()
    whole = schema.Amount()
    share = schema.Amount()


class WorkItemSchema(serializers.Serializer[Any]):
    """Unallocated cost of a subject; `team` is proposed as its owner, empty where evidence is too thin."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    subject = serializers.CharField()
    currency = serializers.CharField()
    cost = schema.Amount()
    first_day = serializers.DateField()
    team = serializers.CharField(allow_blank=True)
    confidence = serializers.ChoiceField(["high", "medium", "low", "none"])
    draft = serializers.IntegerField(allow_null=True, help_text="the draft that settles it")
    draft_state = serializers.CharField(allow_blank=True)
    dismissed_by = serializers.CharField(allow_blank=True)
    dismissed_because = serializers.CharField(allow_blank=True)
    evidence = EvidenceSchema(many=True)


class WorklistSchema(serializers.Serializer[Any]):
    """What has no owner by the newest publication, per currency the largest first; `totals` are all of it."""

    publication = serializers.IntegerField()
    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    totals = serializers.DictField(child=schema.Amount())
    rows = WorkItemSchema(many=True)


class SettledSchema(serializers.Serializer[Any]):
    """What became of an item: the draft that settles it, and its state."""

    id = serializers.CharField()
    action = serializers.ChoiceField(ACTIONS)
    draft = serializers.IntegerField(allow_null=True)
    draft_state = serializers.CharField(allow_blank=True)


class WorklistView(CompanyView):
    """What has no owner."""

    known = (*_PERIOD, DISMISSED, FORMAT)
    columns = tuple(name for name in schema.columns_of(WorkItemSchema) if name != "evidence")
    file_name = "worklist"

    @schema.asking("worklist", (*_PERIOD, DISMISSED, FORMAT), WorklistSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        here = worklist.worklist(_window(asked))
        items = here.dismissed if asked.get("dismissed") == "true" else here.items
        body = {
            "publication": here.publication.number,
            "start": here.window.start,
            "end": here.window.end,
            "totals": here.totals,
            "rows": SortedRows(items, _item, worklist.place_of),
        }
        return Response(body)


class WorklistItemView(CompanyView):
    """What is decided about an item."""

    written_by = frozenset({Can.CHANGE_RULES})
    columns = schema.columns_of(SettledSchema)

    @schema.writing("settle", (SUBJECT, ACTION, TEAM, SINCE, REASON, FORMAT), SettledSchema)
    def post(self, request: Request, subject: str, action: str) -> HttpResponse:
        given = self.given(request, (TEAM, SINCE, REASON, FORMAT))
        if action not in ACTIONS:
            raise NotFound
        item, by, now = worklist.find(subject), actor_of(request.user), timezone.now()
        if action == "accept":
            draft = settling.accept(item, by=by, now=now, **given)
            return Response({"id": subject, "action": action, "draft": draft.pk, "draft_state": draft.state})
        decide = settling.dismiss if action == "dismiss" else settling.restore
        decide(item, by=by, now=now, reason=given.get("reason", ""))
        return Response({"id": subject, "action": action, "draft": None, "draft_state": ""})


def _window(asked: dict[str, Any]) -> Window | None:
    start, end = asked.get("start"), asked.get("end")
    if start is None and end is None:
        return None
    if start is None or end is None or start >= end:
        raise BadParameterError("start", "give both start and end, the end after the start")
    return Window(start, end)


def _item(item: worklist.WorkItem) -> dict[str, Any]:
    return {
        "id": item.subject.id,
        "kind": item.subject.kind,
        "subject": item.subject.title,
        **{name: getattr(item, name) for name in ("currency", "cost", "first_day", "team", "confidence")},
        "draft": item.draft.pk if item.draft else None,
        "draft_state": item.draft.state if item.draft else "",
        "dismissed_by": item.dismissed.by if item.dismissed else "",
        "dismissed_because": item.dismissed.reason if item.dismissed else "",
        "evidence": [{name: getattr(one, name) for name in schema.columns_of(EvidenceSchema)} for one in item.evidence],
    }
