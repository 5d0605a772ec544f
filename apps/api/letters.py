"""The archive over the API: letters one may read, one of them, and its parts as they were sent."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.reports import archive
from apps.reports.archive import Wanted
from apps.reports.archive_views import handed_out
from apps.reports.models import Delivery, Part, Report
from apps.reports.weeks import NotAWeekError, Week

ROLES = tuple(str(role) for role in Report.values)
STATES = tuple(str(state) for state in Delivery.State.values)
NUMBER = Parameter("number", parameters.whole_number(1, 10**12), "The number of the letter.", place="path")
NAME = Parameter("name", parameters.text, "The file name of the part, such as letter.html.", place="path")


def _week(value: str) -> str:
    """An ISO week."""
    try:
        return str(Week.parse(value))
    except NotAWeekError as wrong:
        raise ValueError("is not a week such as 2026-W44") from wrong


LISTING = (
    Parameter("role", parameters.one_of(*ROLES), "Only letters for this role.", choices=ROLES),
    Parameter("team", parameters.text, "Only letters of this team."),
    Parameter("week", _week, "Only of this ISO week, such as 2026-W44."),
    FORMAT,
)


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

    rows = LetterSchema(many=True)


class ReportsView(AskView):
    """The archive, for those who may read it."""

    known = LISTING
    columns = schema.columns_of(LetterSchema)
    file_name = "reports"

    @schema.asking("reports", LISTING, ReportLettersSchema)
    def get(self, request: Request) -> Response:
        asked = self.asked(request)
        asked.pop("format")
        return Response({"rows": Rows(archive.letters(request.user, Wanted(**asked)), _row)})


class ReportView(AskView):
    """One letter."""

    columns = ReportsView.columns
    file_name = "report"

    @schema.asking("report", (NUMBER, FORMAT), WholeReportLetterSchema)
    def get(self, request: Request, number: int) -> Response:
        self.asked(request)
        found = archive.letter(number, request.user)
        return Response({**_row(found), "parts": [_part(one) for one in found.parts.order_by("place")]})


class ReportPartView(AskView):
    """A part of a letter."""

    @schema.handing_out("report_part", (NUMBER, NAME, FORMAT))
    def get(self, request: Request, number: int, name: str) -> HttpResponse:
        self.asked(request)
        found = archive.part(archive.letter(number, request.user), name)
        return handed_out(archive.shown(found, request.user), found.content_type, found.name)


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
