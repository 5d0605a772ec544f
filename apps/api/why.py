"""Why cost changed, over the API: the sentence, the parts, the segments, and every meter."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema, why_schema
from apps.api.asking import AskView, etag_of, unchanged
from apps.api.errors import BadParameterError
from apps.api.grammar import check_span
from apps.api.parameters import Parameter, day
from apps.api.questions import cell_question, facts, late, used_rate
from apps.finops.money import NOTHING
from apps.finops.why import PARTS, CostChange, MeterChange
from apps.finops.windows import Window
from apps.insights.why.answering import CurrencyChange, SegmentChange, Why, why
from apps.insights.why.telling import coarse, tell
from apps.marts.scoping import scope_of

PARAMETERS: parameters.Known = (
    *parameters.CELL,
    Parameter(
        "before_start", day, "The first day compared with; by default the days that `compare=previous` of costs names."
    ),
    Parameter("before_end", day, "The day after the last one compared with."),
    parameters.FORMAT,
)
_METER = ("service", "region", "sku", "meter", "resource_type", "pricing", "unit")


class WhyView(AskView):
    """Why cost is not what it was in the period before, for the teams the caller may see."""

    known = PARAMETERS
    columns = schema.columns_of(why_schema.MeterChangeSchema)

    @schema.asking("why", PARAMETERS, why_schema.WhySchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query = cell_question(asked, scope_of(request.user))
        before = _before(asked)
        etag = etag_of(query.as_of, "why", query, str(before), gettext("Why"), asked["format"])
        if same := unchanged(request, etag):
            return same
        found = why(query, before)
        self.file_name = f"why-{query.start}-{query.end}-publication-{query.as_of}"
        return Response(_presented(found) | {"late": late(query)}, headers={"ETag": etag})


def _before(asked: dict[str, Any]) -> Window | None:
    start, end = asked.get("before_start"), asked.get("before_end")
    if start is None and end is None:
        return None
    if start is None or end is None or start >= end:
        raise BadParameterError("before_start", "before_start and before_end: give both, the end after the start")
    check_span({"start": start}, start, end)
    return Window(start, end)


def _presented(found: Why) -> dict[str, Any]:
    query = found.query
    return {
        "publication": facts(found.publication),
        "query": {
            **{name: getattr(query, name) for name in ("metric", "start", "end", "currency", "rates_as_of")},
            "before_start": found.before.start,
            "before_end": found.before.end,
            "filters": {name: list(values) for name, values in query.filters},
            "excludes": {name: list(values) for name, values in query.excludes},
        },
        "rates": [used_rate(rate) for rate in found.rates],
        "per_day": found.per_day,
        "is_known": found.is_known,
        "unknown_because": found.unknown_because,
        "searched_by": list(found.searched_by),
        "coarse_because": gettext(said.text) % said.values if (said := coarse(found)) else "",
        "sentences": [gettext(one.text) % one.values for one in tell(found)],
        "changes": [_change(one) for one in found.currencies],
        "rows": [_row(one.currency, meter) for one in found.currencies for meter in one.change.meters],
    }


def _change(one: CurrencyChange) -> dict[str, Any]:
    segments = [_segment(one, segment) for segment in one.segments]
    return {"currency": one.currency, **_amounts(one.change), "segments": segments, "elsewhere": one.elsewhere}


def _amounts(change: CostChange) -> dict[str, Any]:
    return {"before": change.before, "after": change.after, "change": change.change, "parts": change.parts}


def _segment(one: CurrencyChange, segment: SegmentChange) -> dict[str, Any]:
    share = one.share(segment)
    return {
        "values": dict(segment.values),
        "is_whole": segment.is_whole,
        "since": segment.since,
        **_amounts(segment.change),
        "share": None if share is None else round(share, 4),
    }


def _row(currency: str, one: MeterChange) -> dict[str, Any]:
    told = {name: getattr(one.meter, name) for name in _METER}
    amounts = {"before": one.before, "after": one.after, "change": one.change}
    return {"currency": currency, **told, **amounts, **{part: one.parts.get(part, NOTHING) for part in PARTS}}
