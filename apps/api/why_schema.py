"""What the OpenAPI schema says of why cost changed."""

from typing import Any

from rest_framework import serializers

from apps.api.cost_schema import LateBillSchema
from apps.api.schema import Amount, PublicationFactsSchema, UsedRateSchema
from apps.finops.why import PARTS


class WhyQuerySchema(serializers.Serializer[Any]):
    """The question as it was understood: the days that came of the period, and those compared with, both without their
    end day."""

    metric = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField()
    currency = serializers.CharField(allow_null=True)
    rates_as_of = serializers.IntegerField(allow_null=True)
    before_start = serializers.DateField()
    before_end = serializers.DateField()
    filters = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    excludes = serializers.DictField(child=serializers.ListField(child=serializers.CharField(allow_blank=True)))


class SegmentChangeSchema(serializers.Serializer[Any]):
    """A segment that explains a part of the change: `share` of the whole, `since` the day it stepped.
    Without `is_whole` it is the rest of these values: a part of it stands in a segment before it."""

    values = serializers.DictField(child=serializers.CharField(allow_blank=True))
    is_whole = serializers.BooleanField()
    since = serializers.DateField(allow_null=True)
    before = Amount()
    after = Amount()
    change = Amount()
    parts = serializers.DictField(child=Amount())
    share = Amount(allow_null=True)


class CurrencyChangeSchema(serializers.Serializer[Any]):
    """The change in one currency: before + all parts = after; the segments and `elsewhere` are the whole change."""

    currency = serializers.CharField()
    before = Amount()
    after = Amount()
    change = Amount()
    parts = serializers.DictField(child=Amount())
    segments = SegmentChangeSchema(many=True)
    elsewhere = Amount()


MeterChangeSchema = type(
    "MeterChangeSchema",
    (serializers.Serializer,),
    {
        "__doc__": "One meter: its cost before and after, and the parts between them.",
        "__module__": __name__,
        "currency": serializers.CharField(),
        **{name: serializers.CharField(allow_blank=True) for name in ("service", "region", "sku", "meter")},
        **{name: serializers.CharField(allow_blank=True) for name in ("resource_type", "pricing", "unit")},
        **{name: Amount() for name in ("before", "after", "change", *PARTS)},
    },
)


class WhySchema(serializers.Serializer[Any]):
    """Why cost changed. Where the periods differ in length all amounts are per day. `is_known`: days of the period
    came, and all of those compared with; else nothing is explained."""

    publication = PublicationFactsSchema()
    query = WhyQuerySchema()
    rates = UsedRateSchema(many=True)
    per_day = serializers.BooleanField()
    is_known = serializers.BooleanField()
    unknown_because = serializers.CharField(allow_blank=True, help_text="empty where it is known")
    searched_by = serializers.ListField(
        child=serializers.CharField(), help_text="the dimensions by which segments were looked for"
    )
    coarse_because = serializers.CharField(
        allow_blank=True, help_text="why these are few: there are more rows than are searched; empty where they are all"
    )
    late = LateBillSchema(many=True)
    sentences = serializers.ListField(child=serializers.CharField())
    changes = CurrencyChangeSchema(many=True)
    rows = MeterChangeSchema(many=True)
