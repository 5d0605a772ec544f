"""The quality of bills over the API: the checks they break, and what becomes of what is held back."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import CompanyView
from apps.api.parameters import FORMAT, Parameter
from apps.api.source_schema import PROBLEM_SEVERITIES as SEVERITIES
from apps.finops.problems import Problem
from apps.ingest import services
from apps.ingest.models import Source
from apps.ingest.quality.checks import ROW_CHECKS, SOURCE_CHECKS, RowCheck, SourceCheck
from apps.ingest.selectors import source_states
from apps.ingest.services import DECISIONS
from apps.pipeline.selectors import newest_problems
from apps.teams.roles import Can

CHECKS: dict[str, RowCheck | SourceCheck] = {check.code: check for check in ROW_CHECKS} | SOURCE_CHECKS
SOURCE = Parameter("source", parameters.text, "The source.", place="path")
DECISION = Parameter(
    "decision", parameters.one_of(*DECISIONS),
    "What becomes of what is held: it counts as is proposed, beside what it tells again, in its place, or not.",
    choices=DECISIONS,
)  # fmt: skip
LISTING = (
    Parameter("source", parameters.text, "Only of this source."),
    Parameter("severity", parameters.one_of(*SEVERITIES), "Only this grave.", choices=SEVERITIES),
    FORMAT,
)


class QualitySchema(serializers.Serializer[Any]):
    """A check that bills of a source break: where it was seen, what it means and the way out."""

    source = serializers.CharField()  # type: ignore[assignment]  # a column here, not a field's own source
    severity = serializers.ChoiceField(SEVERITIES)
    code = serializers.CharField()
    subject = serializers.CharField(allow_blank=True, help_text="file, line and column, or a query")
    message = serializers.CharField()
    means = serializers.CharField(allow_blank=True)
    way_out = serializers.CharField(allow_blank=True)


class QualitiesSchema(serializers.Serializer[Any]):
    """What is wrong with bills, by source, the severest first."""

    rows = QualitySchema(many=True)


class DecidedSchema(serializers.Serializer[Any]):
    """What was decided, and about how many files."""

    source = serializers.CharField()  # type: ignore[assignment]  # a column here, not a field's own source
    decision = serializers.ChoiceField(DECISIONS)
    files = serializers.IntegerField()


class QualityView(CompanyView):
    """What is wrong with bills."""

    known = LISTING
    columns = schema.columns_of(QualitySchema)
    identity = ("source", "severity", "code", "subject", "message")
    file_name = "quality"

    @schema.asking("quality", LISTING, QualitiesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        return Response({"rows": [row for row in _rows() if all(row[name] == asked[name] for name in asked)]})


class HeldView(CompanyView):
    """What is held back of a source: taken at the next fill, or refused, by those who manage sources."""

    written_by = frozenset({Can.MANAGE_SOURCES})
    columns = schema.columns_of(DecidedSchema)

    @schema.writing("decide_held", (SOURCE, DECISION, FORMAT), DecidedSchema)
    def post(self, request: Request, source: str) -> HttpResponse:
        self.check_may_write(request)
        decision = parameters.needed(self.given(request, (DECISION, FORMAT)), "decision")
        found = Source.objects.filter(name=source).first() if "\0" not in source else None
        if found is None:
            raise NotFound
        files = services.decide(found, decision)
        return Response({"source": source, "decision": decision, "files": files})


def _rows() -> Iterator[dict[str, Any]]:
    now = timezone.now()  # noqa: TID251  # a request is an entry point
    for state in source_states(now):
        if state.source.is_billing:
            told = dict.fromkeys([*state.problems, *newest_problems(state.source.name)])
            for problem in sorted(told, key=lambda one: SEVERITIES.index(one.severity)):
                yield _row(state.source.name, problem)


def _row(source: str, problem: Problem) -> dict[str, Any]:
    check = CHECKS.get(problem.code)
    means = {"means": str(check.means) if check else "", "way_out": str(check.way_out) if check else ""}
    told = {name: getattr(problem, name) for name in ("severity", "code", "subject", "message")}
    return {"source": source} | told | means
