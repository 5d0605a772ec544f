"""Runs over the API: what the machine did, is doing and will do, and how far the work at hand has come."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import CompanyView
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.api.source_schema import ProblemSchema
from apps.pipeline import selectors
from apps.pipeline.models import StepRun

STATES = tuple(str(state) for state in StepRun.State.values)
LISTING = (
    Parameter("state", parameters.one_of(*STATES), "Only in this state.", choices=STATES),
    Parameter("step", parameters.text, "Only of this step, such as `normalize`."),
    Parameter("source", parameters.text, "Only about this source."),
    FORMAT,
)


class RunSchema(serializers.Serializer[Any]):
    """A piece of work: a step, of a source and a window of days where the step has them."""

    number = serializers.IntegerField()
    step = serializers.CharField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # a column, not a field's own source
    window_start = serializers.DateField(allow_null=True)
    window_end = serializers.DateField(allow_null=True, help_text="exclusive")
    state = serializers.ChoiceField(STATES)
    attempt = serializers.IntegerField(help_text="how many workers took it")
    asked_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    rows = serializers.IntegerField(help_text="it wrote")
    message = serializers.CharField(allow_blank=True)
    problems = ProblemSchema(many=True)


class RunsSchema(serializers.Serializer[Any]):
    """Runs: those that run first, then those that wait, then the newest."""

    rows = RunSchema(many=True)


class ProgressSchema(serializers.Serializer[Any]):
    """The work at hand: how many runs asked for since the oldest unfinished one are in which state; all 0 at rest."""

    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    total = serializers.IntegerField()
    looked_at = serializers.DateTimeField(allow_null=True, help_text="when sources were last looked at")


class RunsView(CompanyView):
    """Runs of steps, those at work first, then the newest."""

    known = LISTING
    columns = tuple(name for name in schema.columns_of(RunSchema) if name != "problems")
    file_name = "runs"

    @schema.asking("runs", LISTING, RunsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        return Response({"rows": Rows(selectors.runs(**asked), _row)})


class ProgressView(CompanyView):
    """How far the work at hand has come."""

    columns = schema.columns_of(ProgressSchema)
    file_name = "progress"

    @schema.asking("progress", parameters.PLAIN, ProgressSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        found = selectors.progress()
        more = {"total": found.total, "looked_at": selectors.last_fill().looked_at}
        return Response(asdict(found) | more)


def _row(run: StepRun) -> dict[str, Any]:
    plain = [name for name in schema.columns_of(RunSchema) if name != "number"]
    return {"number": run.pk} | {name: getattr(run, name) for name in plain}
