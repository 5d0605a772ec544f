"""Annotations over the API: what happened on which days."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.bodies import CONTENT, CsvBody, JsonBody
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter, day, text
from apps.explorer import annotating, selectors
from apps.explorer.models import Annotation
from apps.finops.windows import ONE_DAY
from apps.marts.scoping import scope_of
from apps.teams.approval import actor_of

LISTING = (
    Parameter("start", day, "Only of days from this one on, YYYY-MM-DD.", pattern=r"\d{4}-\d{2}-\d{2}"),
    Parameter("end", day, "Only of days before this one, YYYY-MM-DD.", pattern=r"\d{4}-\d{2}-\d{2}"),
    Parameter("team", text, "Only of the whole company and of this team."),
    FORMAT,
)
WRITING = (
    Parameter("first", day, "The day, or the first of several, YYYY-MM-DD.", pattern=r"\d{4}-\d{2}-\d{2}"),
    Parameter("last", day, "The last day, itself included; `first` by default.", pattern=r"\d{4}-\d{2}-\d{2}"),
    Parameter("text", text, "What happened, at most 200 characters."),
    Parameter("team", text, "Whose it is; the whole company by default, which is for finance to write."),
    Parameter("link", text, "An address with more about it."),
    FORMAT,
)
FILE = (parameters.NAME, FORMAT)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the annotation.", place="path")


class AnnotationSchema(serializers.Serializer[Any]):
    """What happened on the days from `first` to `last`, both within; an empty team means the whole company."""

    number = serializers.IntegerField()
    first = serializers.DateField()
    last = serializers.DateField()
    text = serializers.CharField()
    team = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True)
    author = serializers.CharField()
    written_at = serializers.DateTimeField()


class AnnotationsSchema(serializers.Serializer[Any]):
    """Annotations by their days."""

    rows = AnnotationSchema(many=True)


class AnnotationsBroughtSchema(serializers.Serializer[Any]):
    """How many rows were taken, and how many of them were new."""

    rows = serializers.IntegerField()
    added = serializers.IntegerField()


class AnnotationsView(AskView):
    """What was written about days, of the company and the caller's teams; a POST writes one."""

    made_under = "api-annotation"
    known = LISTING
    columns = schema.columns_of(AnnotationSchema)
    file_name = "annotations"

    @schema.asking("annotations", LISTING, AnnotationsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        last = asked["end"] - ONE_DAY if "end" in asked else None
        found = selectors.annotations(
            scope_of(request.user).teams, first=asked.get("start"), last=last, team=asked.get("team", "")
        )
        return Response({"rows": Rows(found, _row)})

    @schema.writing("annotate", WRITING, AnnotationSchema)
    def post(self, request: Request) -> HttpResponse:
        given = self.given(request, WRITING)
        (kept,), added = annotating.write_all([_draft(given)], by=actor_of(request.user), now=_now())
        return Response(_row(kept), status=201 if added else 200)


class AnnotationsFileView(AskView):
    """A file of annotations: rows with the columns date, title, team, link and, where something lasted, end."""

    parser_classes = [CsvBody, JsonBody]

    @schema.bringing("import_annotations", FILE, AnnotationsBroughtSchema)
    def post(self, request: Request) -> HttpResponse:
        given = dict(parameters.read(request.query_params, FILE))
        body: Any = request.data
        content, name = body.get(CONTENT, b""), given.get("name", "upload")
        rows, added = annotating.bring(content, name, by=actor_of(request.user), now=_now())
        return Response({"rows": rows, "added": added}, status=201 if added else 200)


class AnnotationView(AskView):
    """One annotation; a DELETE takes it back."""

    columns = AnnotationsView.columns

    @schema.asking("annotation", (NUMBER, FORMAT), AnnotationSchema)
    def get(self, request: Request, number: int) -> HttpResponse:
        self.asked(request)
        return Response(_row(selectors.annotation(number, scope_of(request.user).teams)))

    @schema.writing("delete_annotation", (NUMBER, FORMAT), AnnotationSchema)
    def delete(self, request: Request, number: int) -> HttpResponse:
        self.given(request, (FORMAT,))
        teams = scope_of(request.user).teams
        told = _row(selectors.annotation(number, teams))
        annotating.remove(number, by=actor_of(request.user), teams=teams)
        return Response(told)


def _now() -> datetime:
    return timezone.now()  # noqa: TID251  # a request is an entry point


def _draft(given: dict[str, Any]) -> annotating.Draft:
    first = given.get("first")
    if first is None:
        raise annotating.CannotAnnotate("first: the day it happened on is missing; give first=YYYY-MM-DD")
    last = given.get("last", first)
    return annotating.Draft(first, last, given.get("text", ""), given.get("team", ""), given.get("link", ""))


def _row(one: Annotation) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in AnnotationsView.columns if name not in ("number", "team")}
    return {"number": one.pk, "team": one.team.name if one.team else ""} | plain
