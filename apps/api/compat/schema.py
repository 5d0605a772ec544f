"""What the OpenAPI schema says of OpenCost's addresses."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from apps.api.parameters import Parameter
from apps.api.schema import FAILURES

_View = TypeVar("_View", bound=Callable[..., Any])


class SpanSchema(serializers.Serializer[Any]):
    """From a moment to another, RFC 3339."""

    start = serializers.CharField()
    end = serializers.CharField()


def _shape(name: str, about: str, **fields: serializers.Field[Any, Any, Any, Any]) -> type[serializers.Serializer[Any]]:
    """A serializer of these fields; written so because OpenCost's names are not Python's."""
    return type(name, (serializers.Serializer,), {"__doc__": about, **fields})


_CloudCostSet = _shape(
    "OpenCostCloudCostSetSchema",
    "The cloud costs of one set, by key.",
    cloudCosts=serializers.DictField(),
    window=SpanSchema(),
    aggregationProperties=serializers.ListField(child=serializers.CharField()),
)
_CloudCostSets = _shape(
    "OpenCostCloudCostSetsSchema", "The sets of a window.", sets=_CloudCostSet(many=True), window=SpanSchema()
)
AllocationsSchema = _shape(
    "OpenCostAllocationsSchema",
    "One object per set: from name to allocation, with OpenCost's fields; amounts are numbers with all their decimals.",
    code=serializers.IntegerField(),
    data=serializers.ListField(child=serializers.DictField()),
)
AssetsSchema = _shape(
    "OpenCostAssetsSchema",
    "From key to asset, with OpenCost's fields; a list of these when several sets are asked for.",
    code=serializers.IntegerField(),
    data=serializers.JSONField(),
)
CloudCostsSchema = _shape(
    "OpenCostCloudCostsSchema", "Cloud costs by set and key.", code=serializers.IntegerField(), data=_CloudCostSets()
)
OpenCostFailureSchema = _shape(
    "OpenCostFailureSchema",
    "What went wrong; `parameter` names the one to mend, if it is one.",
    code=serializers.CharField(),
    message=serializers.CharField(),
    parameter=serializers.CharField(allow_null=True),
)
OpenCostErrorSchema = _shape(
    "OpenCostErrorSchema",
    "A failed request, in OpenCost's words and in ours.",
    code=serializers.IntegerField(),
    data=serializers.JSONField(),
    message=serializers.CharField(),
    error=OpenCostFailureSchema(),
)


def asking(
    operation: str, parameters: tuple[Parameter, ...], answer: type[serializers.Serializer[Any]]
) -> Callable[[_View], _View]:
    """Document a view: its parameters, its answer, and its failures."""
    documented: Callable[[_View], _View] = extend_schema(
        operation_id=operation,
        tags=["OpenCost"],
        parameters=[told for parameter in parameters for told in parameter.documented()],
        responses={
            (200, "application/json"): OpenApiResponse(answer, "What was asked for."),
            304: OpenApiResponse(description="Nothing changed since the `ETag` given in `If-None-Match`."),
        }
        | {(code, "application/json"): OpenApiResponse(OpenCostErrorSchema, text) for code, text in FAILURES.items()},
    )
    return documented
