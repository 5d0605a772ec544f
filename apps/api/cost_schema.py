"""What the OpenAPI schema says of an answer about cost in a shape."""

from typing import Any

from rest_framework import serializers

from apps.api import schema
from apps.api.schema import Amount


class ShapedQuestionSchema(schema.QuestionSchema):
    """The question as it was understood, and the order of its answer."""

    order_by = serializers.DictField(child=serializers.ChoiceField(("asc", "desc")))


class ShapedRowSchema(schema.CostRowSchema):  # type: ignore[misc]  # made of the dimensions there are
    """The groups asked for, the currency and the metric; with `compare` what it cost before (null: not known), the
    exact difference, and that ÷ before; where something is dated ahead what of the cost is, so that delta = cost −
    ahead − before; with `filter[limit]` how many groups a row called Others adds up."""

    before = Amount(required=False, allow_null=True)
    delta = Amount(required=False, allow_null=True)
    ratio = Amount(required=False, allow_null=True, help_text="null where nothing, or less, was there before")
    ahead = Amount(required=False, help_text="the cost of days that have not come: no part of delta")
    others = serializers.IntegerField(required=False, allow_null=True, help_text="null for a group by name")
    explain = serializers.CharField(
        required=False, allow_blank=True, help_text="the address that explains this amount; empty where none can say it"
    )


class GroupsSchema(serializers.Serializer[Any]):
    """How many groups there are, by currency, and how many of them are told by name."""

    total = serializers.IntegerField()
    shown = serializers.IntegerField()


class ComparedSchema(serializers.Serializer[Any]):
    """A total of the period compared with, the exact difference, and that ÷ before."""

    before = Amount()
    delta = Amount()
    ratio = Amount(allow_null=True)


class LateBillSchema(serializers.Serializer[Any]):
    """A bill that is late beside others that came, and that the cost asked about stands on. `shares`: by currency the
    part of the cost that stood on it on the four weeks before `until`."""

    source = serializers.CharField()  # type: ignore[assignment]  # a column here, not a field's own source
    until = serializers.DateField(help_text="the day after the last that came")
    shares = serializers.DictField(child=Amount(), help_text="as billed; 0.78 is 78 %")
    is_waited_for = serializers.BooleanField(
        help_text="nothing from `until` on is compared; else what is compared is too low by as much"
    )


class ComparisonSchema(serializers.Serializer[Any]):
    """The period compared with. `totals` (by currency) are empty where it is not known, `unmatched` is what of it fell
    on days, weeks or months that the period asked about does not have. From `compared_start` on are the days asked
    about that are compared: those that came, as many as stand beside days of the other. `ahead` is what the others of
    them cost: in the totals of the answer, in no delta."""

    start = serializers.DateField()
    end = serializers.DateField(help_text="exclusive")
    compared_start = serializers.DateField(allow_null=True, help_text="null where nothing is compared")
    compared_end = serializers.DateField(allow_null=True, help_text="exclusive")
    unknown_because = serializers.CharField(allow_blank=True, help_text="empty where it is known")
    totals = serializers.DictField(child=ComparedSchema())
    unmatched = serializers.DictField(child=Amount())
    ahead = serializers.DictField(child=Amount(), help_text="by currency; empty where nothing is dated ahead")
    late = LateBillSchema(many=True)


class WholeExplanationSchema(serializers.Serializer[Any]):
    """What the whole is made of; `explain` is the address that tells the rest."""

    sentence = serializers.CharField()
    adds_up = serializers.BooleanField()
    explain = serializers.CharField()


class ShapedCostsSchema(schema.CostsSchema):
    """Cost in the shape asked for. `totals` (by currency) are of the whole answer, `rows` of this page; `status` is the
    weakest of the days it covers. What was not asked for is null."""

    query = ShapedQuestionSchema()
    groups = GroupsSchema(allow_null=True)
    comparison = ComparisonSchema(allow_null=True)
    explanation = WholeExplanationSchema(allow_null=True)
    rows = ShapedRowSchema(many=True)
