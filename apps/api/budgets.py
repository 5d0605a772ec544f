"""Budgets over the API: how they stand, setting one or many, and their history."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.bringing import BringView
from apps.api.parameters import FORMAT, SHEET_FORMAT, SHEET_FORMATS, Parameter
from apps.api.renderers import CsvRenderer, JsonRenderer
from apps.api.sheets import XlsxRenderer
from apps.budgets import drafts, selectors, services, sheet
from apps.budgets.drafts import Draft
from apps.budgets.models import GRAINS, ROLLOVERS, BudgetVersion
from apps.budgets.people import seen_teams
from apps.budgets.profiles import KINDS
from apps.budgets.selectors import Standing, Whole
from apps.budgets.standing import STATES, Stand
from apps.marts.query import METRICS
from apps.teams.approval import actor_of
from apps.teams.roles import Can

NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the budget.", place="path")
STATE = Parameter("state", parameters.one_of(*STATES), "Only budgets in this state.", choices=STATES)
LISTING = (STATE, SHEET_FORMAT)
DECIDING = (
    Parameter("amount", parameters.text, "What a period may cost, exact, at least 0."),
    Parameter("valid_from", parameters.day, "The first day of the period it holds from, YYYY-MM-DD."),
    Parameter("valid_to", parameters.day, "The first day of the period it holds no longer in; open by default."),
    Parameter("profile", parameters.one_of(*KINDS), "How it is spread over days; `even` by default.", choices=KINDS),
    Parameter("weights", parameters.text, "Twelve for `months`, one for `terms`, separated by spaces."),
    Parameter(
        "rollover", parameters.one_of(*ROLLOVERS), "What a period leaves to the next; `none` by default.",
        choices=ROLLOVERS,
    ),
    Parameter("owner_team", parameters.text, "The team that answers for it and sees it."),
    Parameter("owner", parameters.text, "The user who is asked first."),
    Parameter("why", parameters.lines, "Why; it is kept."),
    FORMAT,
)  # fmt: skip
SETTING = (
    Parameter("name", parameters.text, "Its name, which no other budget has."),
    Parameter(
        "dimension",
        parameters.text,
        f"What it is of: empty for all cost, else {', '.join(drafts.SCOPES[1:])} or `tag:KEY`.",
    ),
    Parameter("value", parameters.text, "Which of that dimension or level."),
    Parameter("grain", parameters.one_of(*GRAINS), "Its periods; `month` by default.", choices=GRAINS),
    Parameter("currency", parameters.currency, "Its currency; cost in others is converted by dated rates or not told."),
    Parameter("metric", parameters.one_of(*METRICS), "The cost basis; effective by default.", choices=METRICS),
    *DECIDING,
)
ENDING = (
    Parameter("valid_to", parameters.day, "The first day of the period it holds no longer in, YYYY-MM-DD."),
    Parameter("why", parameters.lines, "Why; it is kept."),
    FORMAT,
)
FILE = (parameters.NAME, FORMAT)


class StandingSchema(serializers.Serializer[Any]):
    """How a budget stands in the newest period that anything was published of. `lower` and `upper` bound the landing in
    80 of 100 cases, `probability` is that of ending above; all null where nothing tells, `missing` says why."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    dimension = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    owner_team = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(allow_blank=True)
    grain = serializers.ChoiceField(GRAINS)
    metric = serializers.ChoiceField(METRICS)
    period = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    currency = serializers.CharField()
    amount = schema.Amount(help_text="`base` and `carried` together")
    base = schema.Amount()
    carried = schema.Amount(help_text="from the period before")
    spent = schema.Amount(allow_null=True, help_text="null where nothing is known")
    spent_until = serializers.DateField(
        allow_null=True, help_text="the last day of it, itself included; null where nothing is known"
    )
    planned = schema.Amount(help_text="what the profile allows until that day")
    estimated = schema.Amount(help_text="of days that wait for their bill; not a part of `spent`")
    estimated_days = serializers.IntegerField()
    is_converted = serializers.BooleanField(help_text="some of it was charged in other currencies")
    landing = schema.Amount(allow_null=True)
    lower = schema.Amount(allow_null=True)
    upper = schema.Amount(allow_null=True)
    probability = schema.Amount(allow_null=True)
    exceeds_on = serializers.DateField(
        allow_null=True, help_text="exceeded on that day, or by its end in 80 of 100 cases"
    )
    state = serializers.ChoiceField(STATES)
    missing = serializers.CharField(allow_blank=True)
    link = serializers.CharField()


class StandingsSchema(serializers.Serializer[Any]):
    """The budgets in force that the caller sees, by name."""

    rows = StandingSchema(many=True)


class PeriodSchema(serializers.Serializer[Any]):
    """A period of a budget."""

    period = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    base = schema.Amount()
    carried = schema.Amount()
    amount = schema.Amount()
    spent = schema.Amount(allow_null=True)
    spent_until = serializers.DateField(allow_null=True, help_text="the last day of it, itself included")
    state = serializers.ChoiceField(STATES)


class DecisionSchema(serializers.Serializer[Any]):
    """What was decided; without an amount the budget ends there."""

    valid_from = serializers.DateField()
    amount = schema.Amount(allow_null=True)
    profile = serializers.ChoiceField(KINDS)
    weights = serializers.CharField(allow_blank=True)
    rollover = serializers.ChoiceField(ROLLOVERS)
    owner_team = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)
    by = serializers.CharField()
    at = serializers.DateTimeField()


class BudgetSchema(serializers.Serializer[Any]):
    """A budget; `standing` is null where it holds no longer."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    dimension = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    grain = serializers.ChoiceField(GRAINS)
    currency = serializers.CharField()
    metric = serializers.ChoiceField(METRICS)
    standing = StandingSchema(allow_null=True)
    periods = PeriodSchema(many=True)
    decisions = DecisionSchema(many=True)


class BudgetRowSchema(serializers.Serializer[Any]):
    """A budget as files hold it."""

    name = serializers.CharField()
    dimension = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)
    grain = serializers.ChoiceField(GRAINS)
    amount = schema.Amount()
    currency = serializers.CharField()
    metric = serializers.ChoiceField(METRICS)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    profile = serializers.ChoiceField(KINDS)
    weights = serializers.CharField(allow_blank=True)
    rollover = serializers.ChoiceField(ROLLOVERS)
    owner_team = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)


class BudgetRowsSchema(serializers.Serializer[Any]):
    """The budgets the caller sees, as a file of them."""

    rows = BudgetRowSchema(many=True)


class BroughtSchema(serializers.Serializer[Any]):
    """What became of the budgets of a file."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    same = serializers.IntegerField()


class BudgetsView(AskView):
    """How budgets stand; a POST sets one."""

    made_under = "api-budget"
    written_by = frozenset({Can.SPEAK_FOR_COMPANY})
    known = LISTING
    formats = SHEET_FORMATS
    renderer_classes = (JsonRenderer, CsvRenderer, XlsxRenderer)
    columns = schema.columns_of(StandingSchema)
    identity = ("number",)
    file_name = "budgets"

    @schema.asking("budgets", LISTING, StandingsSchema, sheets=(XlsxRenderer.media_type,))
    def get(self, request: Request) -> HttpResponse:
        state = self.asked(request).get("state")
        found = selectors.standings(now=timezone.now(), teams=seen_teams(request.user))
        return Response({"rows": [_standing(one) for one in found if state in (None, one.state)]})

    @schema.writing("set_budget", SETTING, BudgetSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, SETTING)
        blank: dict[str, Any] = {"name": "", "amount": "", "currency": "", "valid_from": None}
        now = timezone.now()
        kept = services.create(Draft(**blank | given), by=actor_of(request.user), now=now)
        return Response(_whole(request, kept.pk), status=201)


class BudgetView(AskView):
    """One budget with its periods and decisions; a POST decides anew from a period on."""

    written_by = frozenset({Can.SPEAK_FOR_COMPANY})

    @schema.asking("budget", (NUMBER, FORMAT), BudgetSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_whole(request, number))

    @schema.writing("change_budget", (NUMBER, *DECIDING), BudgetSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, DECIDING)
        selectors.find(number, seen_teams(request.user))
        now = timezone.now()
        services.change(number, given, by=actor_of(request.user), now=now)
        return Response(_whole(request, number))


class EndBudgetView(AskView):
    """Ending a budget."""

    written_by = frozenset({Can.SPEAK_FOR_COMPANY})

    @schema.writing("end_budget", (NUMBER, *ENDING), BudgetSchema)
    def post(self, request: Request, number: int) -> HttpResponse:
        given = self.given(request, ENDING)
        selectors.find(number, seen_teams(request.user))
        day, why = given.get("valid_to"), given.get("why", "")
        now = timezone.now()
        services.end(number, day, by=actor_of(request.user), now=now, why=why)
        return Response(_whole(request, number))


class BudgetsFileView(BringView):
    """Budgets as a file; a POST takes one, all or nothing."""

    known = (SHEET_FORMAT,)
    known_to_bring = FILE
    formats = SHEET_FORMATS
    renderer_classes = (JsonRenderer, CsvRenderer, XlsxRenderer)
    columns = sheet.COLUMNS
    identity = ("name",)
    file_name = "budgets-file"

    @schema.asking("budgets_file", (SHEET_FORMAT,), BudgetRowsSchema, sheets=(XlsxRenderer.media_type,))
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": list(sheet.rows(selectors.budgets(seen_teams(request.user))))})

    @schema.bringing("import_budgets", FILE, BroughtSchema)
    def post(self, request: Request) -> HttpResponse:
        content, given = self.brought(request)
        now = timezone.now()
        done = services.bring(content, given.get("name", "upload"), by=actor_of(request.user), now=now)
        return Response(vars(done), status=201 if done.new or done.changed else 200)


def _standing(one: Standing) -> dict[str, Any]:
    own = {
        "number": one.budget.number, "name": one.budget.name, "owner_team": one.budget.team, "owner": one.budget.owner,
        "period": one.period_name, "missing": str(one.missing) if one.missing else "",
    }  # fmt: skip
    return {name: own[name] if name in own else getattr(one, name) for name in BudgetsView.columns}


def _whole(request: Request, number: int) -> dict[str, Any]:
    now = timezone.now()
    whole: Whole = selectors.whole(selectors.find(number, seen_teams(request.user)), now=now)
    plain = {name: getattr(whole.budget, name) for name in drafts.FIXED}
    return {"number": number, **plain} | {
        "standing": _standing(whole.standing) if whole.standing else None,
        "periods": [_period(one) for one in whole.periods],
        "decisions": [_decision(one) for one in whole.versions],
    }


def _period(one: Stand) -> dict[str, Any]:
    own = {"period": one.period.name, "start": one.period.start, "end": one.period.end}
    names = schema.columns_of(PeriodSchema)
    return {name: own[name] if name in own else getattr(one, name) for name in names}


def _decision(one: BudgetVersion) -> dict[str, Any]:
    return {name: getattr(one, name) for name in schema.columns_of(DecisionSchema)}
