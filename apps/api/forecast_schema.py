"""What the OpenAPI schema says of forecasts."""

from typing import Any

from rest_framework import serializers

from apps.api.schema import Amount
from apps.insights.models import Forecast


class ForecastIntervalSchema(serializers.Serializer[Any]):
    """The amount expected, and the bounds it lies between in 80 and in 95 of 100 cases."""

    mean = Amount()
    low_80 = Amount()
    high_80 = Amount()
    low_95 = Amount()
    high_95 = Amount()


class ForecastDaySchema(ForecastIntervalSchema):
    """One day ahead."""

    day = serializers.DateField()


class LandingSchema(ForecastIntervalSchema):
    """Where a month or quarter will land: `so_far` was charged, the rest is forecast; the interval is of the sum.
    `known` is what changes known ahead add to it; `ahead`, by how much what is charged of days ahead already is more
    than their forecast: it counts in place of that. Forecasts made before it counted do not say it."""

    period = serializers.CharField()
    kind = serializers.ChoiceField(("month", "quarter"))
    last_day = serializers.DateField()
    so_far = Amount()
    known = Amount()
    ahead = Amount(required=False)


class KnownSchema(serializers.Serializer[Any]):
    """A change known ahead, as it is to this series: `per_day` is what it adds on average from its day on. `ref` is the
    id of the planned change, or of the commitment."""

    kind = serializers.ChoiceField(("amount", "percent", "commitment_end", "commitment_start"))
    first_day = serializers.DateField()
    team = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    percent = serializers.CharField(allow_blank=True)
    per_day = Amount()
    note = serializers.CharField(allow_blank=True)
    ref = serializers.CharField()


class ForecastSchema(serializers.Serializer[Any]):
    """The forecast of one series, and how good it was at past days.

    `is_naive`: last week repeated was not beaten, and is what is told. Errors of totals are shares: 0.04 is 4 %.
    """

    level = serializers.ChoiceField(Forecast.Level.values)
    key = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    is_naive = serializers.BooleanField()
    origins = serializers.IntegerField()
    backtest_first_day = serializers.DateField()
    total_days = serializers.IntegerField()
    mase = serializers.FloatField(allow_null=True)
    naive_mase = serializers.FloatField(allow_null=True)
    total_error = serializers.FloatField(allow_null=True)
    naive_total_error = serializers.FloatField(allow_null=True)
    coverage_80 = serializers.FloatField(allow_null=True)
    coverage_95 = serializers.FloatField(allow_null=True)
    landings = LandingSchema(many=True)
    events = KnownSchema(many=True)
    days = ForecastDaySchema(many=True)


class ForecastsSchema(serializers.Serializer[Any]):
    """The forecasts of one publication; all but `rows` are null before there is any. `first_day` is of the currency
    known longest, `dropped_days` of the one that waits longest: the `days` of a row say their own."""

    publication = serializers.IntegerField(allow_null=True)
    model_version = serializers.CharField(allow_null=True)
    first_day = serializers.DateField(allow_null=True)
    dropped_days = serializers.IntegerField(allow_null=True)
    rows = ForecastSchema(many=True)
