"""What the OpenAPI schema says of anomalies."""

from typing import Any

from rest_framework import serializers

from apps.api.schema import Amount
from apps.insights.anomalies.selectors import LEVEL_NAMES, STATES
from apps.insights.models import Anomaly, AnomalyFeedback

KINDS = tuple(Anomaly.Kind.values)


class AnomalySchema(serializers.Serializer[Any]):
    """A departure from the usual at the level where it belongs; amounts are in `unit`.

    `owner` is the team all of it is of, empty where it is of several. `so_far` is actual less expected since the first
    day, `month_end` what it will have become when the month ends; each with its bounds in 95 of 100 cases.
    """

    id = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    kind = serializers.ChoiceField(KINDS)
    is_upward = serializers.BooleanField()
    measure = serializers.ChoiceField(Anomaly.Measure.values)
    unit = serializers.CharField()
    level = serializers.ChoiceField(LEVEL_NAMES)
    place = serializers.CharField()
    team = serializers.CharField(allow_blank=True)
    service = serializers.CharField(allow_blank=True)
    cluster = serializers.CharField(allow_blank=True)
    namespace = serializers.CharField(allow_blank=True)
    owner = serializers.CharField(allow_blank=True)
    is_by_rule = serializers.BooleanField()
    first_day = serializers.DateField()
    seen_day = serializers.DateField()
    last_day = serializers.DateField()
    actual = Amount()
    expected = Amount()
    so_far = Amount()
    so_far_low = Amount()
    so_far_high = Amount()
    per_day = Amount()
    month_end = Amount()
    month_end_low = Amount()
    month_end_high = Amount()


class AnomalyDetectorSchema(serializers.Serializer[Any]):
    """What looks after one measure: a fixed rule or the classifier, and how both did on injected anomalies."""

    measure = serializers.ChoiceField(Anomaly.Measure.values)
    unit = serializers.CharField()
    is_rule = serializers.BooleanField()
    series = serializers.IntegerField()
    days = serializers.IntegerField()
    end_day = serializers.DateField()
    model = serializers.DictField(child=serializers.FloatField(), allow_null=True)
    rule = serializers.DictField(child=serializers.FloatField(), allow_null=True)


class AnomaliesSchema(serializers.Serializer[Any]):
    """The anomalies of one publication, open ones first; all but the lists are null before there is any."""

    publication = serializers.IntegerField(allow_null=True)
    end_day = serializers.DateField(allow_null=True)
    detectors = AnomalyDetectorSchema(many=True)
    rows = AnomalySchema(many=True)


class AnomalyDaySchema(serializers.Serializer[Any]):
    """One day; before it began, and after it was over, only what was."""

    day = serializers.DateField()
    actual = Amount()
    expected = Amount(allow_null=True)
    low = Amount(allow_null=True)
    high = Amount(allow_null=True)


class AnomalyPartSchema(serializers.Serializer[Any]):
    """A part of the place, and its share of the change."""

    key = serializers.CharField()
    amount = Amount()
    share = serializers.FloatField()


class AnomalyCauseSchema(serializers.Serializer[Any]):
    """What moved: the largest parts by one dimension; whether usage drove it, or price; changes as shares."""

    dimension = serializers.CharField(allow_blank=True)
    parts = AnomalyPartSchema(many=True)
    change = serializers.FloatField(allow_null=True)
    driver = serializers.ChoiceField(("usage", "price", ""))
    usage = serializers.CharField(allow_blank=True)
    usage_change = serializers.FloatField(allow_null=True)


class FeedbackSchema(serializers.Serializer[Any]):
    """What somebody said of an anomaly."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    verdict = serializers.ChoiceField(AnomalyFeedback.Verdict.values)
    until = serializers.DateField(allow_null=True)
    reason = serializers.CharField()


class WholeAnomalySchema(AnomalySchema):
    """An anomaly with its days, its cause and all that was said of it."""

    days = AnomalyDaySchema(many=True)
    cause = AnomalyCauseSchema()
    feedback = FeedbackSchema(many=True)
