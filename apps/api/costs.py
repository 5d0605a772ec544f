"""Cost over the API: the one question in Koku's grammar or in plain words, its answer in the shape asked for."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView, etag_of, unchanged
from apps.api.cost_schema import ShapedCostsSchema
from apps.api.grammar import ASKED
from apps.api.parquet import ParquetRenderer
from apps.api.questions import Page, cost_question, facts, late, page_of, question_of, used_rate
from apps.api.renderers import CsvRenderer, JsonRenderer
from apps.api.sheets import XlsxRenderer
from apps.books import statuses
from apps.finops.money import NOTHING
from apps.insights.explain import explain
from apps.marts.cell import address, cell, row_addresses
from apps.marts.query import TIME_DIMENSIONS, Answer, CostQuery
from apps.marts.scoping import scope_of
from apps.marts.shape import COMPARED, Comparison, Row, Shaped
from apps.marts.shaping import shaped

ROWS, TOTAL, NONE = "rows", "total", "none"


class CostsView(AskView):
    """Cost, grouped, filtered and in order, beside another period; for the teams the caller may see."""

    known = ASKED
    formats = parameters.TABLE_FORMATS
    renderer_classes = (JsonRenderer, CsvRenderer, XlsxRenderer, ParquetRenderer)

    @schema.asking("costs", ASKED, ShapedCostsSchema, sheets=(XlsxRenderer.media_type, ParquetRenderer.media_type))
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query, page = cost_question(asked, scope_of(request.user, by_account=True))
        self.note_teams(request, query)
        told = asked.get("explain", ROWS)
        covered = statuses.of_query(query, timezone.now())  # noqa: TID251  # an address is an entry point
        etag = etag_of(query.as_of, query, page, asked["format"], told, covered.by_day)
        if same := unchanged(request, etag):
            return same
        found = shaped(query, page.shape)
        table = statuses.with_status(found.table, covered)
        self.columns = table.columns
        self.file_name = f"costs-{query.start}-{query.end}-publication-{query.as_of}"
        rows = _rows(found, page, table, with_addresses=told != NONE)
        body = {
            "status": covered.weakest or table.publication.status,
            "publication": facts(table.publication),
            "query": question_of(query) | {"order_by": _order(found)},
            "rates": [used_rate(rate) for rate in table.rates],
            "totals": dict(found.answer.totals),
            "groups": _groups(found),
            "comparison": _compared(found, found.comparison) if found.comparison else None,
            "explanation": _explained(query) if told == TOTAL and found.answer.totals else None,
            "page": page_of(query, page, len(rows), len(table.rows)),
            "rows": rows,
        }
        return Response(body, headers={"ETag": etag})


def _order(found: Shaped) -> dict[str, str]:
    return {name: "desc" if descends else "asc" for name, descends in found.shape.order_by}


def _groups(found: Shaped) -> dict[str, Any] | None:
    """How many groups there are, and how many of them are told by name; None where all are."""
    return {"total": found.groups_total, "shown": found.groups_shown} if found.shape.top is not None else None


def _compared(found: Shaped, told: Comparison) -> dict[str, Any]:
    """The period beside: what all of it cost, by currency, and how that differs."""
    now, before = found.answer.totals, told.totals
    whole = [
        Row((), name, now.get(name, NOTHING), before.get(name, NOTHING), ahead=told.ahead.get(name, NOTHING))
        for name in sorted({*now, *before})
    ]
    return {
        "start": told.window.start,
        "end": told.window.end,
        "compared_start": told.now.start if told.now else None,
        "compared_end": told.now.end if told.now else None,
        "unknown_because": told.unknown_because,
        "totals": {
            one.currency: {name: getattr(one, name) for name in COMPARED} for one in whole if not told.unknown_because
        },
        "unmatched": dict(told.unmatched),
        "ahead": dict(told.ahead),
        "late": late(found.query),
    }


def _explained(query: CostQuery) -> dict[str, Any] | None:
    """What the whole is made of, in a sentence; None of who sees accounts, which explanations know nothing of."""
    if query.scope.is_by_account:
        return None
    made_of = explain(query, limit=1)
    return {
        "sentence": made_of.sentence,
        "adds_up": made_of.adds_up,
        "explain": address(reverse("api-explain"), made_of.query),
    }


def _rows(found: Shaped, page: Page, table: Answer, *, with_addresses: bool) -> list[dict[str, Any]]:
    """The rows of a page, each with the address that explains it."""
    cut = slice(page.offset, page.offset + page.limit)
    told = [dict(zip(table.columns, row, strict=True)) for row in table.rows[cut]]
    if not with_addresses:
        return told
    made = row_addresses(reverse("api-explain"), found.query, table.columns)
    explained = [made(row) for row in table.rows[cut]]
    for at, row in enumerate(found.rows[cut]):
        if row.others is not None:
            explained[at] = _address_of_others(found, row)
    return [one | {"explain": where} for one, where in zip(told, explained, strict=True)]


def _address_of_others(found: Shaped, row: Row) -> str:
    """What explains Others; empty where an address cannot say it."""
    asked = None if found.query.scope.is_by_account else found.question_of_others(row.currency)
    if asked is None:
        return ""
    period = {n: v for n, v in zip(found.query.group_by, row.groups, strict=True) if n in TIME_DIMENSIONS}
    billed = {} if found.query.currency else {"currency": row.currency}
    return address(reverse("api-explain"), cell(asked, **period, **billed))
