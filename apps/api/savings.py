"""The savings ledger over the API: initiatives, what was measured, the way from found to verified."""

from collections.abc import Mapping
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
from apps.operations.selectors import Reader, seen_by
from apps.savings import outcomes, scopes, selectors, services
from apps.savings.models import Initiative, Measurement
from apps.savings.selectors import Entry, per_month
from apps.savings.statements import read_statement, scope_of
from apps.savings.states import OF_PEOPLE
from apps.teams.approval import actor_of
from apps.warehouse.sentences import told, told_of

STATES = tuple(str(state) for state in Initiative.State.values)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the initiative.", place="path")
LISTING = (
    Parameter("team", parameters.text, "Only of this team."),
    Parameter("state", parameters.one_of(*STATES), "Only in this state.", choices=STATES),
    SHEET_FORMAT,
)
WRITING = (
    Parameter("name", parameters.text, "What it is called."),
    Parameter("hypothesis", parameters.lines, "Why it will save."),
    Parameter("team", parameters.text, "Whose it is."),
    Parameter("scope", parameters.lines, "The cost it is about: `team=live-class; service=OSS,CDN`."),
    Parameter("currency", parameters.text, "Of the promise and the measurement."),
    Parameter("promised_per_month", parameters.text, "What it is to save a month."),
    Parameter("start", parameters.day, "The first day of the change, YYYY-MM-DD."),
    Parameter("transition_days", parameters.text, "How many days the roll-out takes: they do not count."),
    Parameter("window_days", parameters.text, "How many days are measured before a verdict; 28 by default."),
    Parameter("drivers", parameters.text, "Names of unit drivers its cost follows, comma-separated.", is_list=True),
    Parameter("controls", parameters.lines, "Scopes it leaves alone, a line each; chosen by rule where there is none."),
    Parameter("is_about_price", parameters.one_of("true", "false"), "Whether cheaper prices are what it is about.",
              choices=("true", "false")),
    Parameter("recommendations", parameters.text, "Numbers of the recommendations it carries out, comma-separated.",
              is_list=True),
    FORMAT,
)  # fmt: skip
STEPPING = (
    Parameter("action", parameters.one_of(*OF_PEOPLE), "What to do.", choices=OF_PEOPLE),
    Parameter("why", parameters.text, "Why; it is kept."),
    FORMAT,
)
MEASURING = (
    Parameter("name", parameters.text, "What was measured, such as `delivery lead time`."),
    Parameter("value", parameters.text, "The value."),
    Parameter("unit", parameters.text, "Its unit, such as `h`."),
    Parameter("day", parameters.day, "The day it is of; today by default."),
    Parameter("note", parameters.text, "A note."),
    FORMAT,
)


class InitiativeSchema(serializers.Serializer[Any]):
    """An initiative; `verified_per_month` is empty before a verdict, `at_least_per_month` its lower bound (95 %)."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    team = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    scope = serializers.CharField()
    currency = serializers.CharField()
    start = serializers.DateField()
    transition_days = serializers.IntegerField()
    window_days = serializers.IntegerField()
    decided_on = serializers.DateField(help_text="the day after the last that the verdict rests on")
    promised_per_month = schema.Amount()
    detectable_percent = schema.Amount(allow_null=True)
    verdict = serializers.CharField(allow_blank=True)
    grade = serializers.CharField(allow_blank=True)
    verified_per_month = schema.Amount(allow_null=True)
    at_least_per_month = schema.Amount(allow_null=True)


class MeasurementSchema(serializers.Serializer[Any]):
    """What was measured of the days from `start` until before `end`; bounds are of the 95 % interval."""

    publication = serializers.IntegerField()
    start = serializers.DateField()
    end = serializers.DateField()
    is_final = serializers.BooleanField()
    verdict = serializers.ChoiceField(Measurement.Verdict.values)
    grade = serializers.CharField(allow_blank=True)
    share = schema.Amount(help_text="its own part where initiatives overlap")
    saving = schema.Amount(allow_null=True)
    lower = schema.Amount(allow_null=True)
    upper = schema.Amount(allow_null=True)
    saving_per_month = schema.Amount(allow_null=True)


class InitiativeStepSchema(serializers.Serializer[Any]):
    """One thing done; `by` is empty for the machine."""

    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True)
    action = serializers.CharField()
    from_state = serializers.CharField(allow_blank=True)
    to_state = serializers.CharField()
    why = serializers.CharField(allow_blank=True)


class BesideSchema(serializers.Serializer[Any]):
    """Something measured beside the money: the medians before the start and after the roll-out."""

    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()
    before = schema.Amount(allow_null=True)
    after = schema.Amount(allow_null=True)
    change_percent = schema.Amount(allow_null=True)


class WholeInitiativeSchema(InitiativeSchema):
    """An initiative with its statement, its measurements, what was measured beside them, and its history."""

    hypothesis = serializers.CharField()
    model = serializers.CharField(allow_blank=True, help_text="what it is measured by, as stated")
    drivers = serializers.ListField(child=serializers.CharField())
    controls = serializers.IntegerField(help_text="how many scopes it is compared with")
    recommendations = serializers.ListField(
        child=serializers.IntegerField(), help_text="those it carries out of which the caller may know"
    )
    says = serializers.ListField(child=serializers.CharField())
    measurements = MeasurementSchema(many=True)
    outcomes = BesideSchema(many=True)
    steps = InitiativeStepSchema(many=True)


class InitiativesSchema(serializers.Serializer[Any]):
    """Initiatives, the newest first."""

    rows = InitiativeSchema(many=True)


class WaySchema(serializers.Serializer[Any]):
    """Money a month in one currency, from found to verified; only what is verified counts as saved."""

    currency = serializers.CharField()
    identified = schema.Amount()
    approved = schema.Amount()
    implemented = schema.Amount()
    verified = schema.Amount()


class WaysSchema(serializers.Serializer[Any]):
    """A row for each currency."""

    rows = WaySchema(many=True)


class BesidesSchema(serializers.Serializer[Any]):
    """What was measured beside the money."""

    rows = BesideSchema(many=True)


class KeptBesidesSchema(BesidesSchema):
    """All that was measured beside the money, the new measurement among it."""


class SavingsView(AskView):
    """Initiatives the caller may know of; a POST writes a draft."""

    made_under = "api-saving"
    known = LISTING
    formats = SHEET_FORMATS
    renderer_classes = (JsonRenderer, CsvRenderer, XlsxRenderer)
    columns = schema.columns_of(InitiativeSchema)
    file_name = "savings"

    @schema.asking("savings", LISTING, InitiativesSchema, sheets=(XlsxRenderer.media_type,))
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        found = selectors.entries(request.user, **asked)
        return Response({"rows": SortedRows(found, _row, lambda entry: (-entry.one.pk,))})

    @schema.writing("write_saving", WRITING, WholeInitiativeSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, WRITING)
        kept = services.write(read_statement(given), by=actor_of(request.user), now=_now())
        return Response(_whole(selectors.entry(kept.pk, request.user), request.user), status=201)


class SavingView(AskView):
    """One initiative; a POST takes a step with it."""

    columns = SavingsView.columns
    file_name = "saving"

    @schema.asking("saving", (NUMBER, FORMAT), WholeInitiativeSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_whole(selectors.entry(number, request.user), request.user))

    @schema.writing("step_saving", (NUMBER, *STEPPING), WholeInitiativeSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, STEPPING)
        one = selectors.entry(number, request.user).one
        services.take(one, given.pop("action", ""), by=actor_of(request.user), now=_now(), **given)
        return Response(_whole(selectors.entry(number, request.user), request.user))


class WaysView(AskView):
    """The way from found to verified."""

    columns = schema.columns_of(WaySchema)
    file_name = "savings-ways"

    @schema.asking("savings_ways", (FORMAT,), WaysSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response(
            {"rows": [{"currency": one.currency, **dict(one.steps)} for one in selectors.ways(request.user)]}
        )


class BesideView(AskView):
    """What was measured beside the money; a POST keeps a measurement."""

    columns = schema.columns_of(BesideSchema)
    file_name = "outcomes"

    @schema.asking("saving_outcomes", (NUMBER, FORMAT), BesidesSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response({"rows": _beside(selectors.entry(number, request.user).one)})

    @schema.writing("keep_saving_outcome", (NUMBER, *MEASURING), KeptBesidesSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, MEASURING)
        one = selectors.entry(number, request.user).one
        outcomes.keep(one, given, by=actor_of(request.user), now=_now())
        return Response({"rows": _beside(one)}, status=201)


def _now() -> Any:
    return timezone.now()  # noqa: TID251  # a request is an entry point


def _row(entry: Entry) -> dict[str, Any]:
    one, measured = entry.one, entry.final or entry.newest
    plain = ("team", "state", "currency", "start", "transition_days", "window_days", "decided_on")
    return {name: getattr(one, name) for name in plain} | {
        "number": one.pk,
        "name": told_of(one.title) if one.title else one.name,
        "scope": scopes.told(scope_of(one)),
        "promised_per_month": one.promised,
        "detectable_percent": one.detectable_text or None,
        "verdict": measured.verdict if measured else "",
        "grade": measured.grade if measured else "",
        "verified_per_month": entry.verified_per_month,
        "at_least_per_month": entry.at_least_per_month,
    }


def _whole(entry: Entry, reader: Reader) -> dict[str, Any]:
    one, measured = entry.one, entry.final or entry.newest
    names = ("at", "by", "action", "from_state", "to_state")
    return _row(entry) | {
        "hypothesis": one.hypothesis,
        "model": one.model,
        "drivers": one.drivers,
        "controls": len(one.controls),
        "recommendations": [each.pk for each in seen_by(reader).filter(initiatives=one)],
        "says": [told_of(each) for each in (measured.content.get("says", ()) if measured else ())],
        "measurements": [_measurement(each) for each in one.measurements.order_by("pk")],
        "outcomes": _beside(one),
        "steps": [
            {name: getattr(step, name) for name in names}
            | {"why": told(step.why, step.values) if step.values or not step.by else step.why}
            for step in one.steps.order_by("pk")
        ],
    }


def _measurement(each: Measurement) -> Mapping[str, Any]:
    plain = ("publication", "start", "end", "is_final", "verdict", "grade", "share")
    money = {name: each.money(name) for name in ("saving", "lower", "upper")}
    return {name: getattr(each, name) for name in plain} | money | {"saving_per_month": per_month(each, "saving")}


def _beside(one: Initiative) -> list[dict[str, Any]]:
    names = ("name", "unit", "count", "before", "after")
    return [
        {name: getattr(each, name) for name in names} | {"change_percent": each.change} for each in outcomes.beside(one)
    ]
