"""The audit log over the API: what was done, the newest first."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.audit import selectors
from apps.audit.models import AuditEntry
from apps.teams.access import may
from apps.teams.roles import Can

LISTING = (
    Parameter("actor", parameters.text, "Only of this user."),
    Parameter("action", parameters.text, "Only actions whose name holds this."),
    Parameter("start", parameters.day, "From this day on."),
    Parameter("last", parameters.day, "Through this day."),
    Parameter("before", parameters.whole_number(1, 10**18), "Only entries before this number."),
    FORMAT,
)


class AuditEntrySchema(serializers.Serializer[Any]):
    """One thing somebody did; `outcome` is the HTTP status, or the exit status of a command; -1 where nobody knows it,
    because the process was killed meanwhile."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_blank=True)
    way = serializers.ChoiceField(AuditEntry.Way.values)
    action = serializers.CharField()
    subject = serializers.JSONField()
    details = serializers.JSONField()
    outcome = serializers.IntegerField()
    address = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    hash = serializers.CharField()


class AuditSchema(serializers.Serializer[Any]):
    """The newest first."""

    rows = AuditEntrySchema(many=True)


class AuditView(AskView):
    """What was done; for those who keep the installation."""

    known = LISTING
    columns = schema.columns_of(AuditEntrySchema)
    file_name = "audit"

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if not may(request.user, Can.SEE_AUDIT):
            raise PermissionDenied

    @schema.asking("audit", LISTING, AuditSchema, rows=1000)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        found = selectors.entries(selectors.Asked(zone=ZoneInfo(settings.COSTOPS_TIME_ZONE), **asked))
        return Response({"rows": Rows(found, _row)})


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in AuditView.columns}
