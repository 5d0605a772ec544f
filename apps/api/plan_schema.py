"""What the OpenAPI schema says of plans."""

from typing import Any

from rest_framework import serializers

from apps.api.schema import Amount


class PlanCheckSchema(serializers.Serializer[Any]):
    """One thing a second program looked at, and whether the plan keeps it."""

    title = serializers.CharField()
    is_kept = serializers.BooleanField()


class PlanActionSchema(serializers.Serializer[Any]):
    """One thing to do, of one team."""

    subject = serializers.CharField()
    team = serializers.CharField()
    title = serializers.CharField()
    currency = serializers.CharField()
    saving_per_month = Amount()
    at_stake = serializers.CharField(allow_blank=True)


class PlanRowSchema(serializers.Serializer[Any]):
    """A plan of a planner; `withheld` says why there is none. `gap`: how far it is from the best possible, a share."""

    planner = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    publication = serializers.IntegerField()
    version = serializers.CharField()
    inputs = serializers.CharField(help_text="fingerprint of the numbers, the settings and the method")
    made_at = serializers.DateTimeField()
    withheld = serializers.CharField(allow_blank=True)
    billed_until = serializers.DateField(allow_null=True, help_text="the last day of bills that it is made of")
    outdated = serializers.CharField(allow_blank=True, help_text="that these ended long before it was planned")
    is_verified = serializers.BooleanField()
    currency = serializers.CharField(allow_blank=True)
    cost_per_month = Amount(allow_null=True, help_text="null where not all of the plan may be seen")
    saving_per_month = Amount(allow_null=True)
    gap = serializers.FloatField(allow_null=True)
    seed = serializers.IntegerField(allow_null=True)
    files = serializers.ListField(child=serializers.CharField(), help_text="paths of the plan as files")


class PlansSchema(serializers.Serializer[Any]):
    """The newest plans; `totals` are what those that pass their checks save a month: what several would
    save of the same once."""

    totals = serializers.DictField(child=Amount())
    rows = PlanRowSchema(many=True)


class WholePlanSchema(PlanRowSchema):
    """A plan with its sentences, settings, checks, actions and tables."""

    settings = serializers.DictField(child=serializers.FloatField())
    is_tried = serializers.BooleanField(help_text="made by the settings of this request, not the plan in force")
    says = serializers.ListField(child=serializers.CharField())
    risks = serializers.ListField(child=serializers.CharField())
    binds = serializers.ListField(child=serializers.CharField())
    unknowns = serializers.ListField(child=serializers.CharField())
    checks = PlanCheckSchema(many=True)
    actions = PlanActionSchema(many=True)
    tables = serializers.DictField(help_text="by name the columns, then the rows")


class ChosenSettingsSchema(serializers.Serializer[Any]):
    """The settings a planner's plan of a subject is made by from the next fill on."""

    planner = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    settings = serializers.DictField(child=serializers.FloatField())
    by = serializers.CharField()
    at = serializers.DateTimeField()


class OutcomeSchema(serializers.Serializer[Any]):
    """A measurement beside a plan that is no money."""

    planner = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    day = serializers.DateField()
    value = serializers.DecimalField(max_digits=18, decimal_places=6)
    note = serializers.CharField(allow_blank=True)
    by = serializers.CharField()


class OutcomesSchema(serializers.Serializer[Any]):
    """What was measured, the oldest day first."""

    rows = OutcomeSchema(many=True)


class TakenSchema(serializers.Serializer[Any]):
    """What was taken of a table."""

    told = serializers.CharField()
