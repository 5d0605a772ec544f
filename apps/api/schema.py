"""What the OpenAPI schema says of answers, failures and tokens."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from apps.api.parameters import Known
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
    """`totals` (cost basis by currency, of the whole company) is null for those who may not see all teams."""

    totals = serializers.DictField(child=serializers.DictField(child=Amount()), allow_null=True)


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
    """Which part of the answer this is; `next_cursor` is null on the last page."""

    rows = serializers.IntegerField()
    rows_total = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)


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


class FailureSchema(serializers.Serializer[Any]):
    """What went wrong, the same shape everywhere; `parameter` names the one to mend, if it is one."""

    code = serializers.CharField()
    message = serializers.CharField()
    parameter = serializers.CharField(allow_null=True)


class ErrorSchema(serializers.Serializer[Any]):
    """A failed request."""

    error = FailureSchema()


FAILURES = {
    400: "A parameter is unknown, repeated, or not what it may be.",
    401: "No valid token and no session.",
    403: "The caller may not see this.",
    404: "There is no such thing, or the caller may not know of it.",
    409: "It cannot be done in the present state; the message says why.",
    429: "Too many requests; `Retry-After` says when to come again.",
}


def columns_of(kind: type[serializers.Serializer[Any]]) -> tuple[str, ...]:
    """The names of a row's fields, in order."""
    return tuple(str(name) for name in kind().fields.keys())  # noqa: SIM118  # not a plain dict


def bringing(operation: str, parameters: Known, answer: type[serializers.Serializer[Any]]) -> Callable[[_View], _View]:
    """Document a view that takes rows, as CSV or as JSON `{"rows": [...]}`, all of them or none."""
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[told for parameter in parameters for told in parameter.documented()],
        request={"text/csv": OpenApiTypes.STR, "application/json": OpenApiTypes.OBJECT},
        responses={(201, "application/json"): answer, (200, "application/json"): answer}
        | {(code, "application/json"): OpenApiResponse(ErrorSchema, text) for code, text in FAILURES.items()},
    )
    return documented


def handing_out(
    operation: str, parameters: Known, *, media: tuple[str, ...] = ("application/octet-stream",)
) -> Callable[[_View], _View]:
    """Document a view that answers with a file."""
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[told for parameter in parameters for told in parameter.documented()],
        responses={(200, one): OpenApiResponse(OpenApiTypes.BINARY, description="The file.") for one in media}
        | {(code, "application/json"): OpenApiResponse(ErrorSchema, text) for code, text in FAILURES.items()},
    )
    return documented


def asking(
    operation: str,
    parameters: Known,
    answer: type[serializers.Serializer[Any]],
    *,
    sheets: tuple[str, ...] = (),
) -> Callable[[_View], _View]:
    """Document a view: the parameters it reads, its answer as JSON, CSV and these media types, and its failures."""
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        parameters=[told for parameter in parameters for told in parameter.documented()],
        responses={
            (200, "application/json"): answer,
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The rows, with a header row."),
            304: OpenApiResponse(description="Nothing changed since the `ETag` given in `If-None-Match`."),
        }
        | {(200, media): OpenApiResponse(OpenApiTypes.BINARY, description="The rows.") for media in sheets}
        | {(code, "application/json"): OpenApiResponse(ErrorSchema, text) for code, text in FAILURES.items()},
    )
    return documented
