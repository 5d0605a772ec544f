"""Disputes over the API, and entries that people book."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.books import AdjustmentsView, BookedEntrySchema
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.api.questions import cell_question
from apps.books import disputes, entries, manual
from apps.books.disputes import MOVES, cell_of
from apps.books.models import Dispute, ManualEntry
from apps.books.people import actor_of
from apps.marts.cell import address
from apps.teams.roles import Can

_TEXT = "What is said; it is kept for ever."
REASON = Parameter("reason", parameters.lines, "Why; it is kept for ever.")
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the dispute.", place="path")
STATES = tuple(str(state) for state in Dispute.State.values)
LISTING = (
    Parameter("state", parameters.one_of(*STATES), "Only those in this state."),
    Parameter("team", parameters.text, "Only those of this team."),
    FORMAT,
)
OPENING: parameters.Known = (*parameters.CELL, REASON, FORMAT)
MOVING = (
    Parameter("action", parameters.one_of(*MOVES), "What to do.", choices=tuple(MOVES)),
    Parameter("text", parameters.lines, _TEXT),
    Parameter("settled_by", parameters.one_of("rule", "restatement"), "With `settle`: what changed the number."),
    FORMAT,
)
BOOKING = (
    Parameter("from_team", parameters.text, "The team the cost is taken from."),
    Parameter("to_team", parameters.text, "The team it goes to."),
    Parameter("amount", parameters.text, "More than zero, at most twelve decimals."),
    Parameter("currency", parameters.text, "The currency of the amount, one that is billed in."),
    Parameter("original_month", parameters.month, "The month it belongs to, YYYY-MM.", pattern=r"^\d{4}-\d\d$"),
    Parameter("service", parameters.text, "The service it concerns, if one."),
    REASON,
    Parameter("dispute", parameters.whole_number(1, 10**12), "The accepted dispute that this settles."),
    FORMAT,
)


class RemarkSchema(serializers.Serializer[Any]):
    """One thing said or done."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    action = serializers.CharField()
    text = serializers.CharField()


class EntrySchema(BookedEntrySchema):
    """Cost that finance moved between two teams; `closed_in` is null until a month that holds it is closed."""

    closed_in = serializers.CharField(allow_null=True)


class DisputeSchema(serializers.Serializer[Any]):
    """A number a team does not accept; `explain` is the address of its explanation, as it was disputed."""

    number = serializers.IntegerField()
    team = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    settled_by = serializers.CharField(allow_blank=True)
    amount = schema.Amount()
    currency = serializers.CharField()
    publication = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    opened_by = serializers.CharField()
    explain = serializers.CharField()


class WholeDisputeSchema(DisputeSchema):
    """A dispute with everything said and booked about it."""

    remarks = RemarkSchema(many=True)
    entries = EntrySchema(many=True)


class DisputesSchema(serializers.Serializer[Any]):
    """Disputes of the teams the caller may see, the newest first."""

    rows = DisputeSchema(many=True)


class DisputesView(AskView):
    """Disputes; a POST opens one."""

    made_under = "api-dispute"
    written_by = frozenset({Can.DISPUTE, Can.ANSWER_DISPUTES})
    known = LISTING
    columns = schema.columns_of(DisputeSchema)
    file_name = "disputes"

    @schema.asking("disputes", LISTING, DisputesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        only = {name: asked[name] for name in ("state", "team") if name in asked}
        found = disputes.disputes(actor_of(request.user).scope, **only)
        return Response({"rows": Rows(found, _dispute)})

    @schema.writing("open_dispute", OPENING, WholeDisputeSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, OPENING)
        actor = actor_of(request.user)
        cell = cell_question(given, actor.scope)
        made = disputes.open_dispute(cell, reason=given.get("reason", ""), actor=actor, now=_now())
        return Response(_whole(made), status=201)


class DisputeView(AskView):
    """One dispute; a POST says or does something about it."""

    written_by = frozenset({Can.DISPUTE, Can.ANSWER_DISPUTES})
    columns = schema.columns_of(DisputeSchema)
    file_name = "dispute"

    @schema.asking("dispute", (NUMBER, FORMAT), WholeDisputeSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_whole(disputes.dispute_of(number, actor_of(request.user).scope)))

    @schema.writing("move_dispute", (NUMBER, *MOVING), WholeDisputeSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, MOVING)
        actor = actor_of(request.user)
        told = {name: given.get(name, "") for name in ("text", "settled_by")}
        dispute = disputes.dispute_of(number, actor.scope)
        return Response(_whole(disputes.move(dispute, given.get("action", ""), actor=actor, now=_now(), **told)))


class BookView(AdjustmentsView):
    """The adjusting entries of the open month; a POST books one that people agreed on."""

    written_by = frozenset({Can.BOOK_ENTRIES})

    @schema.writing("book_entry", BOOKING, EntrySchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, BOOKING)
        actor, number = actor_of(request.user), given.pop("dispute", None)
        draft = entries.Draft(**{name: given.get(name, "") for name in entries.Draft.__dataclass_fields__})
        if number is None:
            return Response(_entry(entries.book(draft, actor=actor, now=_now())), status=201)
        dispute = disputes.dispute_of(number, actor.scope)
        return Response(_entry(disputes.settle_by_entry(dispute, draft, actor=actor, now=_now())), status=201)


def _now() -> datetime:
    return timezone.now()  # noqa: TID251  # a request is an entry point


def _dispute(one: Dispute) -> dict[str, Any]:
    plain = ("team", "state", "settled_by", "amount", "currency", "opened_at", "opened_by")
    return {
        "number": one.pk,
        **{name: getattr(one, name) for name in plain},
        "publication": one.publication.number,
        "explain": address(reverse("api-explain"), cell_of(one)),
    }


def _whole(one: Dispute) -> dict[str, Any]:
    remarks = [
        {name: getattr(remark, name) for name in ("at", "by", "action", "text")}
        for remark in one.remarks.order_by("pk")
    ]
    booked = [_entry(entry) for entry in one.entries.select_related("close").order_by("pk")]
    return {**_dispute(one), "remarks": remarks, "entries": booked}


def _entry(one: ManualEntry) -> dict[str, Any]:
    (told,) = manual.document([one])
    return {**told, "closed_in": one.close.month if one.close else None}
