"""From parameters to a CostQuery, and from its answer to a page of rows."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from django.core import signing
from django.urls import reverse

from apps.api import grammar
from apps.api.errors import BadParameterError
from apps.api.parameters import DEFAULT_LIMIT
from apps.finops.windows import Window
from apps.marts.cell import row_addresses
from apps.marts.late import late_bills
from apps.marts.models import Publication
from apps.marts.query import MAX_ROWS, Answer, CostQuery, PublicationFacts, Scope
from apps.marts.selectors import publication, read_with, with_versions
from apps.marts.shape import PLAIN, Shape
from apps.rates.selectors import UsedRate

Days = Callable[[Mapping[str, Any], Publication], Window]
_SALT = "apps.api.cursor"


@dataclass(frozen=True)
class Page:
    """The rows `offset` <= row < `offset` + `limit` of an answer in a shape."""

    offset: int
    limit: int
    shape: Shape = PLAIN


def cost_question(given: Mapping[str, Any], scope: Scope, *, days: Days = grammar.window) -> tuple[CostQuery, Page]:
    """The question of a request, pinned to one publication, and the page of it that is asked for. `days` are those that
    it means of this publication."""
    number, versions, offset, digest = given.get("as_of"), _versions(given), 0, None
    if "cursor" in given:
        number, versions, offset, digest = _opened(given["cursor"])
    query = _query(given, number, versions, scope, days)
    shape = grammar.shape(given, query)
    if digest not in (None, digest_of(query, shape)) or given.get("as_of") not in (None, query.as_of):
        raise BadParameterError("cursor", "cursor belongs to another question; ask with the same parameters as before")
    default_limit = DEFAULT_LIMIT if given.get("format", "json") == "json" else MAX_ROWS
    return query, Page(offset, given.get("limit", default_limit), shape)


def cell_question(given: Mapping[str, Any], scope: Scope) -> CostQuery:
    """The question about one number, as of the publication named or the newest."""
    return _query(given, given.get("as_of"), _versions(given), scope)


def _versions(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) for name in ("rates_as_of", "organisation_as_of")}


def _query(
    given: Mapping[str, Any],
    number: int | None,
    versions: dict[str, Any],
    scope: Scope,
    days: Days = grammar.window,
) -> CostQuery:
    pinned = publication(number)
    window = days(given, pinned)
    query = CostQuery(
        window.start,
        window.end,
        filters=grammar.filters(given),
        excludes=grammar.excludes(given),
        as_of=pinned.number,
        scope=scope,
        **versions,
        **grammar.metric_and_groups(given),
    )
    return with_versions(query)


def digest_of(*asked: Any) -> str:
    """The identity of a question: of everything that decides its answer, the viewer's scope among it."""
    return hashlib.sha256(repr([_settled(part) for part in asked]).encode()).hexdigest()[:32]


def _settled(part: Any) -> Any:
    """A set prints in no fixed order; a question's scope is told in order. Numbers are given again after a restore."""
    if not isinstance(part, CostQuery):
        return part
    return replace(part, scope=Scope()), part.scope.identity, read_with(part, publication(part.as_of))


def _opened(cursor: str) -> tuple[int, dict[str, int | None], int, str]:
    try:
        number, rates, organisation, offset, digest = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError) as forged:  # ValueError: of an earlier release
        raise BadParameterError("cursor", "cursor is not one that an answer gave") from forged
    return number, {"rates_as_of": rates, "organisation_as_of": organisation}, offset, digest


def next_cursor(query: CostQuery, page: Page, rows_total: int) -> str | None:
    """Where the next page begins; None after the last."""
    after = page.offset + page.limit
    return (
        signing.dumps(
            [query.as_of, query.rates_as_of, query.organisation_as_of, after, digest_of(query, page.shape)], salt=_SALT
        )
        if after < rows_total
        else None
    )


def present(answer: Answer, page: Page) -> dict[str, Any]:
    """An answer as the API says it: the totals are of the whole answer, the rows of one page."""
    rows = answer.rows[page.offset : page.offset + page.limit]
    query = answer.query
    explanation = row_addresses(reverse("api-explain"), query, answer.columns)
    return {
        "publication": facts(answer.publication),
        "query": question_of(query),
        "rates": [used_rate(rate) for rate in answer.rates],
        "totals": dict(answer.totals),
        "page": page_of(query, page, len(rows), len(answer.rows)),
        "rows": [dict(zip(answer.columns, row, strict=True)) | {"explain": explanation(row)} for row in rows],
    }


def page_of(query: CostQuery, page: Page, rows: int, rows_total: int) -> dict[str, Any]:
    """Which part of an answer a page is."""
    return {"rows": rows, "rows_total": rows_total, "next_cursor": next_cursor(query, page, rows_total)}


def question_of(query: CostQuery) -> dict[str, Any]:
    """A question as it was understood."""
    return {
        "metric": query.metric,
        "group_by": list(query.group_by),
        "start": query.start,
        "end": query.end,
        "filters": {name: list(values) for name, values in query.filters},
        "excludes": {name: list(values) for name, values in query.excludes},
        "currency": query.currency,
        "rates_as_of": query.rates_as_of,
        "organisation_as_of": query.organisation_as_of,
    }


def used_rate(rate: UsedRate) -> dict[str, Any]:
    """A rate that amounts were converted with: its day, when it was quoted, and where it is from."""
    return {
        "day": rate.day,
        "from": rate.source,
        "to": rate.target,
        "rate": rate.rate,
        "quoted_day": rate.quoted_day,
        "origin": rate.origin,
    }


def coverage_of(found: Publication) -> Decimal | None:
    """Observed / expected samples of all days of a publication; None where nothing was expected."""
    if not found.expected_samples:
        return None
    return (Decimal(found.observed_samples) / Decimal(found.expected_samples)).quantize(Decimal("0.0001"))


def late(query: CostQuery) -> list[dict[str, Any]]:
    """The bills that are late and that a question stands on."""
    return [asdict(one) for one in late_bills(query)]


def facts(publication_facts: PublicationFacts) -> dict[str, Any]:
    """Where the numbers of an answer come from."""
    return {
        "number": publication_facts.number,
        "status": publication_facts.status,
        "created_at": publication_facts.created_at,
        "coverage": publication_facts.coverage,
        "first_day": publication_facts.first_day,
        "end_day": publication_facts.end_day,
    }
