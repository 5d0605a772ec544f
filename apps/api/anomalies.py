"""Anomalies over the API, and what people say of them."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import anomaly_schema, parameters, schema
from apps.api.asking import AskView
from apps.api.paging import SortedRows
from apps.api.parameters import AS_OF, FORMAT, Parameter, one_of, text
from apps.insights.anomalies import feedback, selectors
from apps.insights.anomalies.selectors import Seen
from apps.insights.models import AnomalyFeedback
from apps.marts.scoping import scope_of
from apps.teams.approval import actor_of

LISTING = (
    Parameter("team", text, "Only what is of this team alone."),
    Parameter("level", one_of(*selectors.LEVEL_NAMES), "Only of this level.", choices=selectors.LEVEL_NAMES),
    Parameter("state", one_of(*selectors.STATES), "Only in this state.", choices=selectors.STATES),
    AS_OF,
    FORMAT,
)
ID = Parameter("anomaly", text, "The id of an anomaly.", place="path")
VERDICTS = tuple(AnomalyFeedback.Verdict.values)
SAYING = (
    Parameter("verdict", one_of(*VERDICTS), "What it is.", choices=VERDICTS),
    Parameter("reason", parameters.lines, "Why; it is kept for ever."),
    Parameter("until", parameters.day, "The last day this holds for; while it goes on by default."),
    FORMAT,
)
_DAY = ("day", "actual", "expected", "low", "high")


class AnomaliesView(AskView):
    """What departs from its usual, for the teams the caller may see."""

    known = LISTING
    columns = schema.columns_of(anomaly_schema.AnomalySchema)
    file_name = "anomalies"

    @schema.asking("anomalies", LISTING, anomaly_schema.AnomaliesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        if "as_of" not in asked and not selectors.is_any():
            return Response({"publication": None, "end_day": None, "detectors": [], "rows": []})
        run = selectors.newest_run(asked.get("as_of"))
        narrowed = {name: asked[name] for name in ("team", "level", "state") if name in asked}
        found = selectors.anomalies(run, scope_of(request.user), **narrowed)
        head = {name: getattr(run, name) for name in ("publication", "end_day", "detectors")}
        return Response(head | {"rows": SortedRows(found, _row, selectors.place_of)})


class AnomalyView(AskView):
    """One anomaly; a POST says what it is."""

    known = (FORMAT,)
    columns = schema.columns_of(anomaly_schema.AnomalySchema)
    file_name = "anomaly"

    @schema.asking("anomaly", (ID, FORMAT), anomaly_schema.WholeAnomalySchema)
    def get(self, request: Request, anomaly: str) -> HttpResponse:
        self.asked(request)
        return Response(_whole(selectors.anomaly(selectors.newest_run(), scope_of(request.user), anomaly)))

    @schema.writing("say_of_anomaly", (ID, *SAYING), anomaly_schema.WholeAnomalySchema)
    def post(self, request: Request, anomaly: str) -> HttpResponse:
        given = self.given(request, SAYING)
        run, scope = selectors.newest_run(), scope_of(request.user)
        one = selectors.anomaly(run, scope, anomaly)
        feedback.say(
            one.anomaly, given.get("verdict", ""), by=feedback.speaker(actor_of(request.user), one.anomaly),
            now=_now(), reason=given.get("reason", ""), until=given.get("until"),
        )  # fmt: skip
        return Response(_whole(selectors.anomaly(run, scope, anomaly)), status=201)


def _now() -> datetime:
    return timezone.now()  # noqa: TID251  # a request is an entry point


def _row(one: Seen) -> dict[str, Any]:
    plain = [name for name in AnomaliesView.columns if name not in ("id", "state", "place")]
    told = {"id": one.anomaly.slug, "state": one.state, "place": selectors.title_of(one.anomaly)}
    return told | {name: getattr(one.anomaly, name) for name in plain}


def _whole(one: Seen) -> dict[str, Any]:
    days = [dict.fromkeys(_DAY) | dict(zip(_DAY, day, strict=False)) for day in one.anomaly.days]
    said = [
        {name: getattr(row, name) for name in schema.columns_of(anomaly_schema.FeedbackSchema)}
        for row in selectors.told_of(one.anomaly)
    ]
    cause = one.anomaly.cause
    parts = [{"key": key, "amount": amount, "share": share} for key, amount, share in cause["parts"]]
    return _row(one) | {"days": days, "cause": cause | {"parts": parts}, "feedback": said}
