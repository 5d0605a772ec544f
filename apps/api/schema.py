"""What the OpenAPI schema says of answers, failures and tokens."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from apps.api.parameters import DEFAULT_LIMIT, Known, Parameter, page
from apps.api.problems import PROBLEMS
from apps.api.renderers import ProblemRenderer
from apps.books.statuses import WEAKEST_FIRST
from apps.finops.tables import COSTS, DIMENSIONS
from apps.marts.query import METRICS
from apps.marts.tagging import tag_dimensions
from apps.teams.tree import LEVELS

_View = TypeVar("_View", bound=Callable[..., Any])
AMOUNT = r"^-?\d+(\.\d{1,12})?$"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself; untyped there
    """The `Authorization: Token …` header."""

    target_class = "apps.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token costops_<id>_<secret>`, as `manage.py token add` prints it.",
        }


class Amount(serializers.RegexField):
    """Money, exact, as text; its currency stands beside it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(AMOUNT, **kwargs)


class Rate(serializers.RegexField):
    """An exchange rate, exact, as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^\d+(\.\d{1,18})?$", **kwargs)


class PublicationFactsSchema(serializers.Serializer[Any]):
    """Where the numbers come from; `coverage` is observed / expected samples of the window."""

    number = serializers.IntegerField()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()
    coverage = Amount(allow_null=True)
    first_day = serializers.DateField(allow_null=True)
    end_day = serializers.DateField(allow_null=True)


class PublicationSchema(PublicationFactsSchema):
    """`totals` (effective cost by currency, of the whole company) is null for those who may not see all teams."""

    totals = serializers.DictField(child=Amount(), allow_null=True)


class QuestionSchema(serializers.Serializer[Any]):
    """The question as it was understood."""

    metric = serializers.ChoiceField(METRICS)
    group_by = serializers.ListField(child=serializers.CharField())
    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    filters = serializers.DictField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
    excludes = serializers.DictField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))
    currency = serializers.CharField(allow_null=True, help_text="what every amount was converted to, if to anything")
    rates_as_of = serializers.IntegerField(allow_null=True, help_text="the version of the rates")
    organisation_as_of = serializers.IntegerField(allow_null=True, help_text="the version of the organisation")


class UsedRateSchema(serializers.Serializer[Any]):
    """A rate that amounts were converted with; `origin` says file, line, version, who and when."""

    day = serializers.DateField()
    to = serializers.CharField()
    rate = Rate()
    quoted_day = serializers.DateField(help_text="earlier than `day` where a rate was carried over days without one")
    origin = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": serializers.CharField()}


class PageSchema(serializers.Serializer[Any]):
    """Which part of the answer this is. On the last page `next_cursor` and `next`, the address after it, are null."""

    rows = serializers.IntegerField()
    rows_total = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)
    next = serializers.CharField(allow_null=True)


def _cost_row_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {
        **{name: serializers.DateField(required=False) for name in ("day", "week")},
        **{name: serializers.CharField(required=False, allow_blank=True) for name in ("month", *DIMENSIONS, *LEVELS)},
        "status": serializers.ChoiceField(WEAKEST_FIRST, required=False, help_text="when grouped by day"),
        "currency": serializers.CharField(),
        **{basis: Amount(required=False) for basis in COSTS},
        "explain": serializers.CharField(help_text="the address that explains this amount"),
    }


class TaggedSchema(serializers.Serializer[Any]):
    """A row that may tell tags of the chosen keys."""

    def get_fields(self) -> dict[str, Any]:
        tags = {name: serializers.CharField(required=False, allow_blank=True) for name in tag_dimensions()}
        return {**super().get_fields(), **tags}


CostRowSchema = type(
    "CostRowSchema",
    (TaggedSchema,),
    {
        "__doc__": "The groups asked for (tags as `tag:KEY`), the currency, and the metric asked for.",
        **_cost_row_fields(),
    },
)


class CostsSchema(serializers.Serializer[Any]):
    """Cost, grouped and filtered. `totals` (by currency) are of the whole answer, `rows` of this page; `status` is the
    weakest of the days it covers."""

    status = serializers.ChoiceField(WEAKEST_FIRST)
    publication = PublicationFactsSchema()
    query = QuestionSchema()
    rates = UsedRateSchema(many=True)
    totals = serializers.DictField(child=Amount())
    page = PageSchema()
    rows = CostRowSchema(many=True)


class TeamSchema(serializers.Serializer[Any]):
    """A team, and where it stands in the organisation today; `costs` is the address of its costs."""

    name = serializers.CharField()
    title = serializers.CharField()
    company = serializers.CharField()
    unit = serializers.CharField()
    department = serializers.CharField()
    cost_center = serializers.CharField()
    lead_name = serializers.CharField()
    lead_email = serializers.CharField()
    is_active = serializers.BooleanField()
    costs = serializers.CharField()


class TeamsSchema(serializers.Serializer[Any]):
    """The teams whose cost the caller may see."""

    rows = TeamSchema(many=True)


class PublicationsSchema(serializers.Serializer[Any]):
    """Publications, the newest first."""

    rows = PublicationSchema(many=True)


class ReconciliationRowSchema(serializers.Serializer[Any]):
    """Charged against allocated; effective cost unless the name says billed. `day` is null when days are added up."""

    source = serializers.CharField()  # type: ignore[assignment]  # a column here, not a field's own source
    billing_month = serializers.CharField()
    currency = serializers.CharField()
    day = serializers.DateField(allow_null=True)
    charged = Amount()
    allocated = Amount()
    billed_charged = Amount()
    billed_allocated = Amount()
    direct = Amount()
    shared = Amount()
    idle = Amount()
    shared_idle = Amount()
    unallocated = Amount()
    difference = Amount(help_text="the largest of the four cost bases")


class ReconciliationSchema(serializers.Serializer[Any]):
    """What each source charged and what was allocated of it."""

    publication = PublicationFactsSchema()
    rows = ReconciliationRowSchema(many=True)


class ProblemKindSchema(serializers.Serializer[Any]):
    """A kind of failure: what causes it and what to do about it."""

    code = serializers.CharField()
    type = serializers.CharField()
    status = serializers.IntegerField()
    title = serializers.CharField()
    cause = serializers.CharField()
    remedy = serializers.CharField()


class ProblemKindsSchema(serializers.Serializer[Any]):
    """The kinds of failures there are, by status."""

    rows = ProblemKindSchema(many=True)


class RowsSchema(serializers.Serializer[Any]):
    """The same table as CSV would hold: every row has the same columns, values are text or numbers, or null where a
    cell is empty."""

    rows = serializers.ListField(child=serializers.DictField(child=serializers.CharField(allow_null=True)))


class MistakeSchema(serializers.Serializer[Any]):
    """One of several mistakes."""

    parameter = serializers.CharField()
    detail = serializers.CharField()


class FailureSchema(serializers.Serializer[Any]):
    """What went wrong (RFC 9457), the same shape everywhere. `type` answers what causes it and what to do;
    `parameter` names the one to mend, if it is one, `errors` all of several, `scope` the one that a token lacks."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.ChoiceField(tuple(PROBLEMS))
    parameter = serializers.CharField(allow_null=True)
    errors = MistakeSchema(many=True, required=False)  # type: ignore[assignment]  # a member here, not a property
    scope = serializers.CharField(required=False)


FAILURES = {
    400: "A parameter is unknown, repeated, or not what it may be.",
    401: "No valid token and no session.",
    403: "The caller may not do this, or the token may not.",
    404: "There is no such thing, or the caller may not know of it.",
    406: "There is no such form of the answer.",
    409: "It cannot be done in the present state; `detail` says why.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "A defect of ours.",
    503: "What we depend on is away; `Retry-After` says when to come again.",
}
WRITE_FAILURES = FAILURES | {
    415: "The body has a form that is not read here.",
    422: "The `Idempotency-Key` belongs to another request.",
}
UNCHANGED = OpenApiResponse(description="Nothing changed since the `ETag` given in `If-None-Match`.")
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text that is new for every new request: sent again within a day, the request is not done again.",
)
CHECKSUMS = (
    ("Content-MD5", "The MD5 of the body in base64: other bytes are refused."),
    ("Content-Digest", "`sha-256=:…:`, the SHA-256 of the body in base64 (RFC 9530): other bytes are refused."),
    ("Digest", "`sha-256=…` or `md5=…`, as RFC 3230 wrote it: other bytes are refused."),
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of an answer: 304 if it would be the same."
)


def problems(failures: Mapping[int, str]) -> dict[Any, Any]:
    """The failures of an operation, as drf-spectacular takes them."""
    media = ProblemRenderer.media_type
    return {(code, media): OpenApiResponse(FailureSchema, text) for code, text in failures.items()}


def columns_of(kind: type[serializers.Serializer[Any]]) -> tuple[str, ...]:
    """The names of a row's fields, in order."""
    return tuple(str(name) for name in kind().fields.keys())  # noqa: SIM118  # not a plain dict


def bringing(operation: str, parameters: Known, answer: type[serializers.Serializer[Any]]) -> Callable[[_View], _View]:
    """Document a view that takes rows, as CSV or as JSON `{"rows": [...]}`, all of them or none."""
    return writing(operation, parameters, answer, body={"text/csv": OpenApiTypes.STR, "application/json": RowsSchema})


def writing(
    operation: str,
    parameters: Known,
    answer: type[serializers.Serializer[Any]],
    *,
    body: dict[str, Any] | None = None,
) -> Callable[[_View], _View]:
    """Document a view that changes something: 201 where it made something, else 200.

    Unless it reads another `body`, its parameters may come as a JSON object as well.
    """
    given = [one for one in parameters if isinstance(one, Parameter) and one.place == "query" and one.name != "format"]
    fields = {one.name: one.body_schema for one in given}
    if body is None and fields:
        body = {"application/json": {"type": "object", "properties": fields, "additionalProperties": False}}
    is_table = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The same as one row.")}
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[*(told for one in parameters for told in one.documented()), KEY],
        request=body,
        responses={
            (200, "application/json"): OpenApiResponse(answer, "What became of it."),
            (201, "application/json"): OpenApiResponse(answer, "What was made."),
        }
        | is_table
        | problems(WRITE_FAILURES),
    )
    return documented


def taking(operation: str, parameters: Known, answer: type[serializers.Serializer[Any]]) -> Callable[[_View], _View]:
    """Document a view that takes a file and answers before it was read."""
    checksums = [OpenApiParameter(name, str, OpenApiParameter.HEADER, description=said) for name, said in CHECKSUMS]
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[*(told for one in parameters for told in one.documented()), *checksums, KEY],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={
            (202, "application/json"): OpenApiResponse(answer, "It came whole and is read next."),
            (202, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The same as one row."),
        }
        | problems(WRITE_FAILURES | {413: "The body is larger than may be brought at once."}),
    )
    return documented


def handing_out(
    operation: str, parameters: Known, *, media: tuple[str, ...] = ("application/octet-stream",)
) -> Callable[[_View], _View]:
    """Document a view that answers with a file."""
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[*(told for one in parameters for told in one.documented()), IF_NONE_MATCH],
        responses={(200, one): OpenApiResponse(OpenApiTypes.BINARY, description="The file.") for one in media}
        | {304: UNCHANGED}
        | problems(FAILURES),
    )
    return documented


def asking(
    operation: str,
    parameters: Known,
    answer: type[serializers.Serializer[Any]],
    *,
    sheets: tuple[str, ...] = (),
    is_document: bool = False,
    rows: int = DEFAULT_LIMIT,
) -> Callable[[_View], _View]:
    """Document a view: the parameters it reads, its answer as JSON, CSV and these media types, and its failures.

    An answer that has rows is given page by page (`AskView`), so many `rows` on each when nothing is said, unless it is
    a document, of which every byte counts.
    """
    is_paged = not is_document and "rows" in columns_of(answer) and "page" not in columns_of(answer)
    read = (*parameters, *page(rows)) if is_paged else parameters
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[*(told for one in read for told in one.documented()), IF_NONE_MATCH],
        responses={
            (200, "application/json"): OpenApiResponse(_paged(answer) if is_paged else answer, "What was asked for."),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The rows, with a header row."),
            304: UNCHANGED,
        }
        | {(200, media): OpenApiResponse(OpenApiTypes.BINARY, description="The rows.") for media in sheets}
        | problems(FAILURES),
    )

    def decorate(view: _View) -> _View:
        view.rows_of_a_page = rows if is_paged else None  # type: ignore[attr-defined]  # `AskView` reads it
        return documented(view)

    return decorate


@cache
def _paged(answer: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """An answer with its page."""
    return type(answer.__name__, (answer,), {"__doc__": answer.__doc__, "page": PageSchema()})
