"""What the OpenAPI schema says of cost per unit and its drivers."""

from typing import Any

from rest_framework import serializers

from apps.api.cost_schema import LateBillSchema
from apps.api.schema import Amount, PublicationFactsSchema, UsedRateSchema
from apps.marts.query import METRICS
from apps.units.csv_file import SCOPES


class UnitQuestionSchema(serializers.Serializer[Any]):
    """The question as it was understood; `drivers` is the version of the drivers, 0 before the first."""

    driver = serializers.CharField()
    by = serializers.ChoiceField(SCOPES)
    metric = serializers.ChoiceField(METRICS)
    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    currency = serializers.CharField(allow_null=True)
    rates_as_of = serializers.IntegerField(allow_null=True)
    drivers = serializers.IntegerField()


class UnitRowSchema(serializers.Serializer[Any]):
    """Cost per unit; `cost_without_driver` is of days on which nobody told how many units there were."""

    period = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    cost = Amount()
    quantity = Amount(allow_null=True)
    unit_cost = Amount(allow_null=True)
    days = serializers.IntegerField()
    cost_without_driver = Amount()


class UnitsSchema(serializers.Serializer[Any]):
    """Cost per unit by period and subject; `totals` are of all subjects together, by period."""

    publication = PublicationFactsSchema()
    query = UnitQuestionSchema()
    rates = UsedRateSchema(many=True)
    totals = UnitRowSchema(many=True)
    rows = UnitRowSchema(many=True)


class UnitChangeRowSchema(serializers.Serializer[Any]):
    """before + volume + mix + efficiency + price = after; an empty subject is all of them."""

    currency = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    before = Amount()
    volume = Amount()
    mix = Amount()
    efficiency = Amount()
    price = Amount()
    after = Amount()


class WithoutDriverSchema(serializers.Serializer[Any]):
    """Cost that no driver was told for; it is not part of the change."""

    currency = serializers.CharField()
    before = Amount()
    after = Amount()


class UnitChangeSchema(serializers.Serializer[Any]):
    """Why cost changed between two periods: in `query` stand the days that came, which are compared alone."""

    publication = PublicationFactsSchema()
    query = UnitQuestionSchema()
    before_start = serializers.DateField()
    before_end = serializers.DateField(help_text="exclusive")
    unknown_because = serializers.CharField(allow_blank=True, help_text="why nothing is compared; empty where it is")
    late = LateBillSchema(many=True)
    resource = serializers.CharField()
    rates = UsedRateSchema(many=True)
    without_driver = WithoutDriverSchema(many=True)
    rows = UnitChangeRowSchema(many=True)


class DriverVersionSchema(serializers.Serializer[Any]):
    """An upload of driver quantities: who told them, when, and from where."""

    version = serializers.IntegerField()
    drivers = serializers.ListField(child=serializers.CharField())
    by = serializers.ChoiceField(SCOPES)
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    rows = serializers.IntegerField()
    origin = serializers.CharField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class DriverVersionsSchema(serializers.Serializer[Any]):
    """Versions of the drivers, the newest first."""

    rows = DriverVersionSchema(many=True)


class QuantitySchema(serializers.Serializer[Any]):
    """So many units of a subject on a day; `version` and `line` say which upload told it, and where (0: no file)."""

    day = serializers.DateField()
    subject = serializers.CharField()
    quantity = Amount()
    version = serializers.IntegerField()
    line = serializers.IntegerField()


class QuantitiesSchema(serializers.Serializer[Any]):
    """The quantities of a driver, at a version of the drivers; a day nobody told has none."""

    driver = serializers.CharField()
    by = serializers.ChoiceField(SCOPES)
    drivers = serializers.IntegerField(help_text="the version, 0 before the first")
    rows = QuantitySchema(many=True)
