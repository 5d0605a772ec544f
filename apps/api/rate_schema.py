"""What the OpenAPI schema says of exchange rates, and of anything that was imported."""

from typing import Any

from rest_framework import serializers

from apps.api.schema import Rate


class RateSchema(serializers.Serializer[Any]):
    """An exchange rate as it was imported."""

    day = serializers.DateField()
    to = serializers.CharField()
    rate = Rate()
    quoted_day = serializers.DateField()
    file = serializers.CharField()
    line = serializers.IntegerField()
    version = serializers.IntegerField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    is_locked = serializers.BooleanField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": serializers.CharField()}


class RatesSchema(serializers.Serializer[Any]):
    """Exchange rates, by pair and day."""

    rows = RateSchema(many=True)


class ImportedSchema(serializers.Serializer[Any]):
    """What was imported; `version` is null when nothing was new."""

    version = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField()
    changed = serializers.IntegerField()
