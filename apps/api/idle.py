"""What is idle over the API, and what people decided about it."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.idle_schema import (
    ExclusionSchema,
    ExclusionsSchema,
    IdleRowSchema,
    IdleSchema,
)
from apps.api.paging import SortedRows
from apps.api.parameters import AS_OF, FORMAT, Parameter, one_of, text
from apps.insights.idle import deciding, selectors
from apps.insights.idle.selectors import Listed
from apps.insights.models import IdleExclusion
from apps.marts.scoping import scope_of
from apps.teams.approval import actor_of
from apps.teams.organising import today

KIND = Parameter("kind", one_of(*selectors.KINDS), "Only this kind.", choices=selectors.KINDS)
PARAMETERS = (
    KIND,
    Parameter("team", text, "Only what this team pays for."),
    Parameter(
        "verdict", one_of(*selectors.VERDICTS),
        "`open`, the default: what evidence calls idle and nobody decided about. `unknown`: what no signal tells "
        "anything of. `keep`, `exclude`: what people decided.", choices=selectors.VERDICTS,
    ),
    Parameter("q", text, "Only what has this in its name, resource or service."),
    AS_OF,
    FORMAT,
)  # fmt: skip
DECIDING = (
    Parameter("pattern", text, "A subject, or a pattern of subjects such as `online/dev-*`."),
    KIND,
    Parameter("team", text, "Whose it is; needed unless one decides for all teams."),
    Parameter("decision", one_of("exclude", "keep"), "`exclude` by default.", choices=("exclude", "keep")),
    Parameter("reason", text, "Why; it is kept for ever."),
    Parameter("until", parameters.day, "The first day on which it does not hold any more; always by default."),
    FORMAT,
)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the decision.", place="path")
_HEAD = ("publication", "model_version", "end_day", "costed_days", "last_hour", "ways")


class IdleView(AskView):
    """What is idle, for the teams the caller may see."""

    known = PARAMETERS
    columns = tuple(name for name in schema.columns_of(IdleRowSchema) if name not in ("evidence", "windows"))
    file_name = "idle"

    @schema.asking("idle", PARAMETERS, IdleSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        if "as_of" not in asked and not selectors.is_any():
            return Response(dict.fromkeys(_HEAD) | {"totals": {}, "rows": []})
        run = selectors.newest_run(asked.get("as_of"))
        narrowed = {name: asked[name] for name in ("kind", "team", "verdict") if name in asked}
        found = selectors.listed(run, scope_of(request.user), day=today(), text=asked.get("q", ""), **narrowed)
        head = {name: getattr(run, name) for name in _HEAD}
        rows = SortedRows(found, _row, selectors.place_of)
        return Response(head | {"totals": selectors.totals(found), "rows": rows})


class ExclusionsView(AskView):
    """The decisions in force; a POST makes one."""

    columns = schema.columns_of(ExclusionSchema)
    file_name = "idle-exclusions"

    @schema.asking("idle_exclusions", parameters.PLAIN, ExclusionsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        found = selectors.decisions(scope_of(request.user), day=today())
        return Response({"rows": SortedRows(found, _exclusion, lambda one: (-one.pk,))})

    @schema.writing("exclude_idle", DECIDING, ExclusionSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, DECIDING)
        told = {"pattern": "", "reason": "", "until": None} | given
        made = deciding.exclude(told.pop("pattern"), by=actor_of(request.user), now=_now(), **told)
        return Response(_exclusion(made), status=201)


class ExclusionView(AskView):
    """One decision; a DELETE undoes it, and adds a row that says so."""

    columns = schema.columns_of(ExclusionSchema)

    @schema.writing("undo_idle_exclusion", (NUMBER, FORMAT), ExclusionSchema)
    def delete(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        return Response(_exclusion(deciding.undo(number, by=actor_of(request.user), now=_now())))


def _now() -> datetime:
    return timezone.now()  # noqa: TID251  # a request is an entry point


def _row(one: Listed) -> dict[str, Any]:
    finding = one.finding
    told = {
        "verdict": one.state,
        "lost": str(selectors.lost(finding)),
        "evidence": [str(line) for line in selectors.sentences(finding)],
        "windows": [dict(zip(("weekday", "hour", "hours"), span, strict=True)) for span in finding.windows],
        "decision": one.decision.pk if one.decision else None,
        "reason": one.decision.reason if one.decision else "",
    }
    plain = [name for name in schema.columns_of(IdleRowSchema) if name not in told]
    return {name: getattr(finding, name) for name in plain} | told


def _exclusion(one: IdleExclusion) -> dict[str, Any]:
    return {"number": one.pk} | {
        name: getattr(one, name) for name in ExclusionsView.columns if name != "number"
    }  # fmt: skip
