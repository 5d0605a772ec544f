"""Recommendations over the API: the inbox, one with its history, and steps with one or many."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.paging import SortedRows
from apps.api.parameters import FORMAT, SHEET_FORMAT, SHEET_FORMATS, Parameter
from apps.api.renderers import CsvRenderer, JsonRenderer
from apps.api.sheets import XlsxRenderer
from apps.operations import deciding, kinds, selectors
from apps.operations.deciding import Step
from apps.operations.models import Recommendation
from apps.operations.overlaps import Promise, promise
from apps.operations.selectors import Reader, Wanted
from apps.operations.states import ACTIONS
from apps.teams.approval import actor_of
from apps.warehouse.sentences import told, told_of

RECOMMENDATION_STATES = tuple(str(state) for state in Recommendation.State.values)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the recommendation.", place="path")
LISTING = (
    Parameter(
        "whose", parameters.one_of(*selectors.WHOSE), "Assigned to the caller, of the caller's teams, or all.",
        choices=selectors.WHOSE,
    ),
    Parameter("kind", parameters.one_of(*kinds.NAMES), "Only of this kind.", choices=kinds.NAMES),
    Parameter("team", parameters.text, "Only of this team."),
    Parameter("currency", parameters.text, "Only in this currency; amounts are never converted."),
    Parameter(
        "state", parameters.one_of(*selectors.STATES), "Only in this state; `open` by default.",
        choices=selectors.STATES,
    ),
    SHEET_FORMAT,
)  # fmt: skip
STEPPING = (
    Parameter("action", parameters.one_of(*ACTIONS), "What to do.", choices=ACTIONS),
    Parameter("why", parameters.text, "Why; it is kept. Needed to decline and to comment."),
    Parameter("until", parameters.day, "With `snooze`: the day it is asked about again, YYYY-MM-DD."),
    Parameter("assignee", parameters.text, "With `assign`: the name of the user it is for."),
    FORMAT,
)
NUMBERS = Parameter(
    "numbers", parameters.values, "The recommendations the step is for, comma-separated: all or none.", is_list=True
)


class RecommendationStepSchema(serializers.Serializer[Any]):
    """One thing done; `by` is empty for the machine."""

    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True)
    action = serializers.CharField()
    from_state = serializers.CharField(allow_blank=True)
    to_state = serializers.ChoiceField(RECOMMENDATION_STATES)
    why = serializers.CharField(allow_blank=True)


class RecommendationSchema(serializers.Serializer[Any]):
    """A finding with an owner. `counted_per_month` is what totals count of it: less than its saving, or nothing, where
    another one (`within`) would save the same. `amount_per_month` is what a question is about that saves nothing."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    team = serializers.CharField()
    state = serializers.ChoiceField(RECOMMENDATION_STATES)
    assignee = serializers.CharField(allow_blank=True)
    due = serializers.DateField()
    snoozed_until = serializers.DateField(allow_null=True)
    currency = serializers.CharField()
    saving_per_month = schema.Amount()
    counted_per_month = schema.Amount()
    within = serializers.IntegerField(allow_null=True)
    amount_per_month = schema.Amount()
    at_stake = serializers.CharField(allow_blank=True)
    since = serializers.DateField()
    found_at = serializers.DateTimeField()
    found_in = serializers.IntegerField(help_text="the publication it was first found in")
    seen_in = serializers.IntegerField(help_text="the publication it was last found in")
    link = serializers.CharField(help_text="the page that tells everything")
    evidence = serializers.ListField(child=serializers.CharField())


class WholeRecommendationSchema(RecommendationSchema):
    """A recommendation with everything that was done."""

    steps = RecommendationStepSchema(many=True)


class RecommendationsSchema(serializers.Serializer[Any]):
    """Those asked for, per currency the most money first; `totals` count once what can be saved only once."""

    totals = serializers.DictField(child=schema.Amount())
    rows = RecommendationSchema(many=True)


class SteppedSchema(serializers.Serializer[Any]):
    """What became of them."""

    rows = RecommendationSchema(many=True)


class RecommendationsView(AskView):
    """The inbox; a POST takes a step with many."""

    known = LISTING
    formats = SHEET_FORMATS
    renderer_classes = (JsonRenderer, CsvRenderer, XlsxRenderer)
    columns = tuple(name for name in schema.columns_of(RecommendationSchema) if name != "evidence")
    file_name = "recommendations"

    @schema.asking("recommendations", LISTING, RecommendationsSchema, sheets=(XlsxRenderer.media_type,))
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        wanted = Wanted(**asked)
        found = selectors.recommendations(request.user, wanted)
        promised = selectors.promised(found, wanted)
        rows = SortedRows(found, lambda one: _row(one, promised), selectors.place_of)
        return Response({"totals": promised.totals, "rows": rows})

    @schema.writing("step_recommendations", (NUMBERS, *STEPPING), SteppedSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, (NUMBERS, *STEPPING))
        numbers = [_number(text) for text in given.pop("numbers", ())]
        done = _take(request, numbers, given)
        promised = promise(done)
        return Response({"rows": [_row(one, promised) for one in done]})


class RecommendationView(AskView):
    """One recommendation; a POST takes a step with it."""

    columns = RecommendationsView.columns
    file_name = "recommendation"

    @schema.asking("recommendation", (NUMBER, FORMAT), WholeRecommendationSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_whole(selectors.find(number, request.user), request.user))

    @schema.writing("step_recommendation", (NUMBER, *STEPPING), WholeRecommendationSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, STEPPING)
        (done,) = _take(request, [number], given)
        return Response(_whole(done, request.user))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise deciding.BadStep(f"numbers: {text[:20]!r} is not the number of a recommendation.")
    return int(text)


def _take(request: Request, numbers: list[int], given: dict[str, Any]) -> list[Recommendation]:
    step = Step(given.pop("action", ""), **given)
    ones = selectors.find_all(numbers, request.user)
    now = timezone.now()  # noqa: TID251  # a request is an entry point
    return deciding.take(ones, step, by=actor_of(request.user), now=now)


def _row(one: Recommendation, promised: Promise) -> dict[str, Any]:
    plain = ("kind", "team", "state", "due", "snoozed_until", "currency", "at_stake", "since", "found_at", "found_in",
             "seen_in", "link")  # fmt: skip
    return {name: getattr(one, name) for name in plain} | {
        "number": one.pk,
        "title": told_of(one.title),
        "assignee": one.assignee.get_username() if one.assignee else "",
        "saving_per_month": one.saving,
        "counted_per_month": promised.counted.get(one.pk, one.saving * 0),
        "within": promised.within.get(one.pk),
        "amount_per_month": one.amount,
        "evidence": [told_of(sentence) for sentence in one.evidence],
    }


def _whole(one: Recommendation, reader: Reader) -> dict[str, Any]:
    _, promised = selectors.beside(one, reader)
    names = ("at", "by", "action", "from_state", "to_state")
    steps = [
        {name: getattr(step, name) for name in names}
        | {"why": step.why if step.by else told(step.why, step.values)}
        for step in one.steps.order_by("pk")
    ]  # fmt: skip
    return _row(one, promised) | {"steps": steps}
