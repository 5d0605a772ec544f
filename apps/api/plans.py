"""Plans over the API: the newest of every planner, one by whatever settings, as files, and the settings chosen."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView, CompanyView
from apps.api.bringing import BringView
from apps.api.errors import BadParameterError
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter, one_of, text, values
from apps.api.plan_schema import (
    ChosenSettingsSchema,
    OutcomeSchema,
    OutcomesSchema,
    PlanRowSchema,
    PlansSchema,
    TakenSchema,
    WholePlanSchema,
)
from apps.marts.scoping import scope_of
from apps.planning import outcomes, registry, selectors, services
from apps.planning.exporting import exported, file_names
from apps.planning.models import Outcome
from apps.planning.selectors import Shown
from apps.teams.approval import actor_of
from apps.teams.roles import Can

NAMES = tuple(planner.name for planner in registry.PLANNERS)
PLANNER = Parameter("planner", one_of(*NAMES), "Only of this planner.", choices=NAMES)
NAMED = Parameter("planner", text, "The planner.", place="path")
SUBJECT = Parameter("subject", text, "What the plan is of, such as a cluster; the first by default.")
SETTINGS = Parameter("settings", values, "Other settings to plan by, such as `slo=0.6,drain=2`.", is_list=True)
FILE = Parameter("file", text, "The file's name, as `files` of the plan tells.", place="path")
LISTING = (PLANNER, FORMAT)
MEASURING = (
    SUBJECT,
    Parameter("name", text, "What was measured, as the planner names it."),
    Parameter("value", text, "How much; less is better."),
    Parameter("day", text, "The day it is of, YYYY-MM-DD; today by default."),
    Parameter("note", text, "What else there is to say."),
    FORMAT,
)
SHOWING = (NAMED, SUBJECT, SETTINGS, FORMAT)


class PlansView(AskView):
    """The newest plans of every planner, as far as the caller may see them."""

    known = LISTING
    columns = tuple(name for name in schema.columns_of(PlanRowSchema) if name != "files")
    identity = ("planner", "subject", "currency")
    file_name = "plans"

    @schema.asking("plans", LISTING, PlansSchema)
    def get(self, request: Request) -> HttpResponse:
        asked, scope = self.asked(request), scope_of(request.user)
        names = [asked["planner"]] if "planner" in asked else NAMES
        found = [one for name in names for one in selectors.plans(name, scope)]
        sound = [one for one in found if one.draft and one.draft.is_verified]
        return Response({"totals": selectors.totals(sound), "rows": [_row(one) for one in found]})


class PlanView(AskView):
    """One plan; a POST chooses the settings it is made by from the next fill on."""

    written_by = frozenset({Can.SPEAK_FOR_COMPANY})
    known = (SUBJECT, SETTINGS, FORMAT)
    columns = PlansView.columns
    file_name = "plan"

    @schema.asking("one_plan", SHOWING, WholePlanSchema)
    def get(self, request: Request, planner: str) -> HttpResponse:
        return Response(_whole(_found(request, planner, self.asked(request))))

    @schema.writing("choose_plan_settings", SHOWING, ChosenSettingsSchema)
    def post(self, request: Request, planner: str) -> HttpResponse:
        asked = self.given(request, self.known)
        given = _settings(asked)
        made = services.choose(planner, asked.get("subject", ""), given, by=actor_of(request.user), now=_now())
        names = schema.columns_of(ChosenSettingsSchema)
        return Response({name: getattr(made, name) for name in names}, status=201)


class OutcomesView(CompanyView):
    """What was measured beside a planner's plans; a POST keeps a measurement."""

    written_by = frozenset({Can.SPEAK_FOR_COMPANY})
    columns = schema.columns_of(OutcomeSchema)
    file_name = "outcomes"

    @schema.asking("plan_outcomes", (NAMED, FORMAT), OutcomesSchema)
    def get(self, request: Request, planner: str) -> HttpResponse:
        self.asked(request)
        rows = Outcome.objects.filter(planner=registry.planner_of(planner).name).order_by("day", "pk")
        return Response({"rows": Rows(rows, _outcome)})

    @schema.writing("measure_plan_outcome", (NAMED, *MEASURING), OutcomeSchema)
    def post(self, request: Request, planner: str) -> HttpResponse:
        given = self.given(request, MEASURING)
        made = outcomes.measure(planner, given.get("subject", ""), given, by=actor_of(request.user), now=_now())
        return Response(_outcome(made), status=201)


class PlanTableView(BringView):
    """The table that a planner asks people for, as CSV."""

    known_to_bring = (parameters.NAME, FORMAT)
    columns = schema.columns_of(TakenSchema)

    @schema.bringing("bring_plan_table", (NAMED, parameters.NAME, FORMAT), TakenSchema)
    def post(self, request: Request, planner: str) -> HttpResponse:
        content, given = self.brought(request)
        bring = registry.planner_of(planner).bring
        if bring is None:
            raise registry.NoSuchPlanner(f"{planner} asks for no table.")
        told = bring.take(content, given.get("name", "upload"), actor_of(request.user), _now())
        return Response({"told": told}, status=201)


class PlanFileView(AskView):
    """A plan as one of its files."""

    known = (SUBJECT, SETTINGS, FORMAT)

    @schema.handing_out("plan_file", (NAMED, FILE, SUBJECT, SETTINGS, FORMAT))
    def get(self, request: Request, planner: str, file: str) -> HttpResponse:
        found = _found(request, planner, self.asked(request))
        if found.draft is None or (scope_of(request.user).teams is not None and not file.endswith(".csv")):
            raise NotFound
        made = exported(found.planner, found.draft, file)
        headers = {"Content-Disposition": f'attachment; filename="{planner}-{made.file_name}"'}
        return HttpResponse(made.text, content_type=f"{made.content_type}; charset=utf-8", headers=headers)


def _now() -> Any:
    return timezone.now()  # noqa: TID251  # a request is an entry point


def _settings(asked: dict[str, Any]) -> dict[str, str]:
    pairs = [one.partition("=") for one in asked.get("settings", ()) if one]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise BadParameterError("settings", f"settings holds {wrong[0][:40]!r}, which is not written as name=number")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _found(request: Request, planner: str, asked: dict[str, Any]) -> Shown:
    return selectors.plan_of(planner, asked.get("subject"), scope_of(request.user), _settings(asked))


def _row(one: Shown) -> dict[str, Any]:
    plan, draft = one.plan, one.draft
    subject = urlencode({"subject": plan.subject})
    files = file_names(one.planner) if draft else ()
    return {
        "planner": plan.planner, "subject": plan.subject, "publication": plan.publication, "version": plan.version,
        "inputs": plan.inputs, "made_at": plan.made_at, "withheld": str(one.withheld or ""),
        "billed_until": draft.billed_until if draft else None, "outdated": str(one.outdated or ""),
        "is_verified": bool(draft and draft.is_verified), "currency": draft.currency if draft else "",
        "cost_per_month": draft.cost_per_month if draft else None,
        "saving_per_month": draft.saving_per_month if draft else None,
        "gap": draft.gap if draft else None, "seed": draft.seed if draft else None,
        "files": [f"{reverse('api-plan-file', args=[plan.planner, name])}?{subject}" for name in files],
    }  # fmt: skip


def _whole(one: Shown) -> dict[str, Any]:
    draft = one.draft
    lines = {
        name: [str(line) for line in getattr(draft, name)] if draft else []
        for name in ("says", "risks", "binds", "unknowns")
    }
    return (
        _row(one)
        | lines
        | {
            "settings": dict(draft.settings) if draft else {},
            "is_tried": one.is_tried,
            "checks": [{"title": str(each.title), "is_kept": each.is_kept} for each in draft.checks] if draft else [],
            "actions": [_action(each) for each in draft.actions] if draft else [],
            "tables": {
                shape.name: [[column.name for column in shape.columns], *draft.tables.get(shape.name, ())]
                for shape in one.planner.tables
            }
            if draft
            else {},
        }
    )


def _outcome(one: Outcome) -> dict[str, Any]:
    return {name: getattr(one, name) for name in OutcomesView.columns}


def _action(each: Any) -> dict[str, Any]:
    names = ("subject", "team", "currency", "saving_per_month", "at_stake")
    return {name: getattr(each, name) for name in names} | {"title": str(each.title)}
