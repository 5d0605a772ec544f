"""The archive over the API: letters one may read, one of them, and its parts as they were sent."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.reports import archive
from apps.reports.archive import NoSuchLetter, Wanted
from apps.reports.archive_views import handed_out
from apps.reports.models import Delivery, Part, Report
from apps.reports.weeks import NotAWeekError, Week

MOST = 1000
ROLES = tuple(str(role) for role in Report.values)
STATES = tuple(str(state) for state in Delivery.State.values)
NUMBER = OpenApiParameter("number", OpenApiTypes.INT, "path", description="The number of the letter.")
NAME = OpenApiParameter("name", OpenApiTypes.STR, "path", description="The file name of the part, such as letter.html.")
FORMAT = OpenApiParameter("format", enum=["json", "csv"], description="The form of the answer.")
FILTERS = (
    OpenApiParameter("role", enum=list(Report.values), description="Only letters for this role."),
    OpenApiParameter("team", description="Only letters of this team."),
    OpenApiParameter("week", description="Only of this ISO week, such as 2026-W44."),
    FORMAT,
)
COLUMNS = (
    "number",
    "role",
    "team",
    "week",
    "recipient",
    "language",
    "state",
    "subject",
    "publication",
    "sent_at",
    "link",
)


class ReportFailureSchema(serializers.Serializer[Any]):
    """What went wrong, in the shape every address of the API has; `parameter` names the one to mend, if it is one."""

    code = serializers.CharField()
    message = serializers.CharField()
    parameter = serializers.CharField(allow_null=True)


class ReportErrorSchema(serializers.Serializer[Any]):
    """A failed request."""

    error = ReportFailureSchema()


FAILURES = {
    (400, "application/json"): OpenApiResponse(ReportErrorSchema, "A parameter is not what it may be."),
    (401, "application/json"): OpenApiResponse(ReportErrorSchema, "No valid token and no session."),
    (404, "application/json"): OpenApiResponse(ReportErrorSchema, "There is no such letter, or it is not for you."),
}


class ReportPartSchema(serializers.Serializer[Any]):
    """A part of a letter, byte by byte as it was sent."""

    name = serializers.CharField()
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    link = serializers.CharField()


class LetterSchema(serializers.Serializer[Any]):
    """A letter; `team` is empty where it is of all teams, `sent_at` where it was kept and not mailed."""

    number = serializers.IntegerField()
    role = serializers.ChoiceField(ROLES)
    team = serializers.CharField(allow_blank=True)
    week = serializers.CharField()
    recipient = serializers.CharField()
    language = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    subject = serializers.CharField()
    publication = serializers.IntegerField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    link = serializers.CharField(help_text="its page")


class WholeReportLetterSchema(LetterSchema):
    """A letter with its parts in their order."""

    parts = ReportPartSchema(many=True)


class ReportLettersSchema(serializers.Serializer[Any]):
    """The letters asked for, the newest week first."""

    rows_total = serializers.IntegerField()
    rows = LetterSchema(many=True)


class _Asking(APIView):
    """What every address here shares: failures are JSON, whatever form was asked for."""

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return response


class ReportsView(_Asking):
    """The archive, for those who may read it."""

    def get_renderer_context(self) -> dict[str, Any]:
        return {**super().get_renderer_context(), "columns": COLUMNS}

    @extend_schema(
        operation_id="reports",
        parameters=list(FILTERS),
        responses={
            (200, "application/json"): ReportLettersSchema,
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The rows, with a header row."),
            **FAILURES,
        },
    )
    def get(self, request: Request) -> Response:
        found = archive.letters(request.user, _wanted(request))
        rows = [_row(one) for one in found[:MOST]]
        return Response({"rows_total": found.count(), "rows": rows}, headers={"Cache-Control": "private, no-cache"})


class ReportView(_Asking):
    """One letter."""

    @extend_schema(
        operation_id="report",
        parameters=[NUMBER, FORMAT],
        responses={(200, "application/json"): WholeReportLetterSchema, **FAILURES},
    )
    def get(self, request: Request, number: int) -> Response:
        found = _letter(request, number)
        parts = [_part(one) for one in found.parts.order_by("place")]
        return Response({**_row(found), "parts": parts}, headers={"Cache-Control": "private, no-cache"})


class ReportPartView(_Asking):
    """A part of a letter."""

    @extend_schema(
        operation_id="report_part",
        parameters=[NUMBER, NAME, FORMAT],
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The file."),
            **FAILURES,
        },
    )
    def get(self, request: Request, number: int, name: str) -> HttpResponse:
        try:
            found = archive.part(_letter(request, number), name)
        except NoSuchLetter as unknown:
            raise exceptions.NotFound(str(unknown)) from unknown
        response = handed_out(archive.shown(found, request.user), found.content_type, found.name)
        response.headers["Cache-Control"] = "private, no-cache"
        return response


def _wanted(request: Request) -> Wanted:
    asked = {name: request.query_params.get(name, "") for name in ("role", "team", "week")}
    unknown = sorted(set(request.query_params) - {*asked, "format"})
    if unknown:
        raise exceptions.ParseError(f"{unknown[0][:60]}: there is no such parameter; there is role, team, week, format")
    if asked["role"] not in ("", *Report.values):
        raise exceptions.ParseError(f"role is not one of {', '.join(Report.values)}")
    try:
        return Wanted(asked["role"], asked["team"], str(Week.parse(asked["week"])) if asked["week"] else "")
    except NotAWeekError as wrong:
        raise exceptions.ParseError(str(wrong)) from wrong


def _letter(request: Request, number: int) -> Delivery:
    try:
        return archive.letter(number, request.user)
    except NoSuchLetter as unknown:
        raise exceptions.NotFound(str(unknown)) from unknown


def _row(one: Delivery) -> dict[str, Any]:
    plain = ("team", "recipient", "language", "state", "subject", "publication", "sent_at")
    return {name: getattr(one, name) for name in plain} | {
        "number": one.pk,
        "role": one.report,
        "week": one.period,
        "link": reverse("report-letter", args=[one.pk]),
    }


def _part(one: Part) -> dict[str, Any]:
    return {
        "name": one.name,
        "content_type": one.content_type,
        "size_bytes": one.size_bytes,
        "sha256": one.content_id,
        "link": reverse("api-report-part", args=[one.delivery_id, one.name]),
    }
