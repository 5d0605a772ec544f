"""The four costs side by side over the API."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView, etag_of, unchanged
from apps.api.questions import cost_question, facts, used_rate
from apps.books import bases, statuses
from apps.books.bases import Bases
from apps.finops.tables import DIMENSIONS
from apps.marts.scoping import scope_of

BASES = tuple(one for one in parameters.COSTS if one.name not in ("metric", "limit", "cursor"))
AMOUNTS = (
    "list_cost", "negotiated", "contracted_cost", "committed", "effective_cost", "amortised", "billed_cost",
)  # fmt: skip
"""From list to billed: what stands between two costs leads from the one to the other."""

_FIELDS: dict[str, Any] = {
    **{name: serializers.DateField(required=False) for name in ("day", "week")},
    **{name: serializers.CharField(required=False, allow_blank=True) for name in ("month", *DIMENSIONS)},
    "currency": serializers.CharField(),
    **{name: schema.Amount() for name in AMOUNTS},
}
BasesRowSchema = type(
    "BasesRowSchema",
    (schema.TaggedSchema,),
    {"__doc__": "list - negotiated = contracted; - committed = effective; - amortised = billed.", **_FIELDS},
)


class BasesSchema(serializers.Serializer[Any]):
    """The four costs by the groups asked for, and in all (`totals`, by currency)."""

    publication = schema.PublicationFactsSchema()
    status = serializers.ChoiceField(statuses.WEAKEST_FIRST)
    rates = schema.UsedRateSchema(many=True)
    totals = BasesRowSchema(many=True)
    rows = BasesRowSchema(many=True)


class BasesView(AskView):
    """List, contracted, effective and billed cost, for the teams the caller may see."""

    known = BASES

    @schema.asking("bases", BASES, BasesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query, _page = cost_question(asked, scope_of(request.user, by_account=True))
        covered = statuses.of_query(query, timezone.now())
        etag = etag_of(query.as_of, "bases", query, asked["format"], covered.by_day)
        if same := unchanged(request, etag):
            return same
        found = bases.bases(query)
        groups = tuple(name for name in query.group_by if name != "currency")
        self.columns = (*groups, "currency", *AMOUNTS)
        self.file_name = f"bases-{query.start}-{query.end}-publication-{query.as_of}"
        body = {
            "publication": facts(found.publication),
            "status": covered.weakest or found.publication.status,
            "rates": [used_rate(rate) for rate in found.rates],
            "totals": [_row((), one) for one in found.totals],
            "rows": [_row(query.group_by, one) for one in found.rows],
        }
        return Response(body, headers={"ETag": etag})


def _row(groups: tuple[str, ...], one: Bases) -> dict[str, Any]:
    told = dict(zip(groups, one.key, strict=True)) | {"currency": one.currency}
    return told | {name: getattr(one, name) for name in AMOUNTS}
