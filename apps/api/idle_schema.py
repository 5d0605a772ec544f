"""What the OpenAPI schema says of what is idle."""

from typing import Any

from rest_framework import serializers

from apps.api.schema import Amount
from apps.insights.idle.selectors import KINDS, VERDICTS
from apps.insights.models import IdleExclusion


class IdleWindowSchema(serializers.Serializer[Any]):
    """Hours that a schedule would switch off, every week: from an hour of a weekday (0 is Monday) on, so many."""

    weekday = serializers.IntegerField()
    hour = serializers.IntegerField()
    hours = serializers.IntegerField()


class IdleRowSchema(serializers.Serializer[Any]):
    """What is idle, and what it costs a team in a currency: `cost` in the days of the answer, `per_month` the same as
    that of a month. `identity` names the thing; `at_stake` names what its money is of: several findings about one never
    promise more than it costs. `probability`: that it stays idle for 30 days, null where that is not known."""

    identity = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    subject = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    cluster = serializers.CharField(allow_blank=True)
    namespace = serializers.CharField(allow_blank=True)
    workload = serializers.CharField(allow_blank=True)
    resource = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    team = serializers.CharField()
    currency = serializers.CharField()
    cost = Amount()
    per_month = Amount()
    verdict = serializers.ChoiceField([name for name in VERDICTS if name not in ("open", "all")])
    probability = serializers.FloatField(allow_null=True)
    since = serializers.DateField()
    last_active = serializers.DateTimeField(allow_null=True)
    at_stake = serializers.CharField(allow_blank=True)
    lost = serializers.CharField()
    evidence = serializers.ListField(child=serializers.CharField())
    windows = IdleWindowSchema(many=True)
    decision = serializers.IntegerField(allow_null=True, help_text="the number of the decision about it")
    reason = serializers.CharField(allow_blank=True)


class IdleSchema(serializers.Serializer[Any]):
    """What is idle in one publication, in each currency the most money first; `totals` are money per month."""

    publication = serializers.IntegerField(allow_null=True)
    model_version = serializers.CharField(allow_null=True)
    end_day = serializers.DateField(allow_null=True)
    costed_days = serializers.IntegerField(allow_null=True)
    last_hour = serializers.DateTimeField(allow_null=True)
    ways = serializers.DictField(allow_null=True, help_text="by kind how verdicts came about, and how good they were")
    totals = serializers.DictField(child=Amount())
    rows = IdleRowSchema(many=True)


class ExclusionSchema(serializers.Serializer[Any]):
    """A decision about what is idle: of `kind` (empty: all) and `pattern`, for `team` (empty: all), before `until`."""

    number = serializers.IntegerField()
    decision = serializers.ChoiceField(IdleExclusion.Decision.values)
    kind = serializers.CharField(allow_blank=True)
    pattern = serializers.CharField()
    team = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    until = serializers.DateField(allow_null=True)
    by = serializers.CharField()
    at = serializers.DateTimeField()


class ExclusionsSchema(serializers.Serializer[Any]):
    """The decisions in force, the newest first."""

    rows = ExclusionSchema(many=True)
