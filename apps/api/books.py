"""The addresses of the books: why cost changed."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.parameters import AS_OF, FORMAT, Parameter
from apps.api.questions import facts
from apps.api.selectors import scope_of
from apps.api.views import AskView, etag_of, unchanged
from apps.books.changes import GROUPS, ChangeQuery, changes, month_window, previous
from apps.books.explaining import CLASSES
from apps.finops.tables import DIMENSIONS
from apps.marts.query import METRICS

MONTH = Parameter("month", parameters.month, "Only the days of this calendar month, YYYY-MM.", pattern=r"^\d{4}-\d\d$")
CHANGES = (
    Parameter("from", AS_OF.read, "The earlier publication; the one before `to` by default.", pattern=AS_OF.pattern),
    Parameter("to", AS_OF.read, "The later publication; the newest by default.", pattern=AS_OF.pattern),
    MONTH,
    Parameter("metric", parameters.one_of(*METRICS), "The cost basis; `effective_cost` by default.", choices=METRICS),
    Parameter(
        "group_by",
        parameters.each_of(*GROUPS),
        f"At most six of {', '.join(GROUPS)}; comma-separated. `team,class` by default.",
        is_list=True,
    ),
    FORMAT,
    *parameters.FILTERS,
    Parameter("class", parameters.each_of(*CLASSES), "Only these classes, comma-separated.", is_list=True),
    Parameter("resource", parameters.values, "Only these billed resources, comma-separated.", is_list=True),
)


def _row_fields() -> dict[str, Any]:
    texts = ("month", *DIMENSIONS, "resource")
    return {
        "day": serializers.DateField(required=False),
        **{name: serializers.CharField(required=False, allow_blank=True) for name in texts},
        "class": serializers.ChoiceField(CLASSES, required=False),
        "currency": serializers.CharField(),
        "change": schema.Amount(),
    }


ChangeRowSchema = type(
    "ChangeRowSchema",
    (serializers.Serializer,),
    {"__doc__": "The groups asked for, the currency, and what the later publication says more.", **_row_fields()},
)


class ChangesSchema(serializers.Serializer[Any]):
    """The difference of two publications, by class; `totals` (by currency) are what the rows add up to."""

    before = schema.PublicationFactsSchema()
    after = schema.PublicationFactsSchema()
    totals = serializers.DictField(child=schema.Amount())
    rows = ChangeRowSchema(many=True)


class ChangesView(AskView):
    """Why cost differs between two publications, for the teams the caller may see."""

    known = CHANGES

    @schema.asking("changes", CHANGES, ChangesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query = _query(asked, request)
        etag = etag_of(query.after, query.before, query.scope.teams and sorted(query.scope.teams), asked)
        if not_modified := unchanged(request, etag):
            return not_modified
        found = changes(query)
        self.columns = query.columns
        self.file_name = f"changes-publication-{query.before}-to-{query.after}"
        body = {
            "before": facts(found.before),
            "after": facts(found.after),
            "totals": found.totals,
            "rows": [dict(zip(query.columns, row, strict=True)) for row in found.rows],
        }
        return Response(body, headers={"ETag": etag})


def _query(asked: dict[str, Any], request: Request) -> ChangeQuery:
    before, after = previous(asked.get("to"))
    given = {name: asked[name] for name in ("metric", "group_by") if name in asked}
    names = (*DIMENSIONS, "class", "resource")
    return ChangeQuery(
        asked.get("from", before),
        after,
        window=month_window(asked["month"]) if "month" in asked else None,
        filters=tuple((name, asked[name]) for name in names if name in asked),
        scope=scope_of(request.user),
        **given,
    )
