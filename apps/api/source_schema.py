"""What the OpenAPI schema says of sources and of what new issues of bills changed."""

from typing import Any

from rest_framework import serializers

from apps.api.schema import Amount
from apps.ingest import kinds

PROBLEM_SEVERITIES = ("error", "warning", "note")
"""The gravest first."""


class RestatementSchema(serializers.Serializer[Any]):
    """What a new issue of a billing month, read `at` a moment, changed for a day, service and currency."""

    source = serializers.CharField()  # type: ignore[assignment]  # a column here, not a field's own source
    billing_month = serializers.CharField()
    at = serializers.DateTimeField()
    day = serializers.DateField()
    service = serializers.CharField()
    currency = serializers.CharField()
    rows_before = serializers.IntegerField()
    rows_after = serializers.IntegerField()
    billed_before = Amount()
    billed_after = Amount()
    billed_difference = Amount()
    effective_before = Amount()
    effective_after = Amount()
    effective_difference = Amount()


class RestatementsSchema(serializers.Serializer[Any]):
    """What new issues of bills changed, the newest issue first."""

    rows = RestatementSchema(many=True)


class ProblemSchema(serializers.Serializer[Any]):
    """Something wrong with the data: where, and what to do about it."""

    severity = serializers.ChoiceField(PROBLEM_SEVERITIES)
    code = serializers.CharField()
    subject = serializers.CharField()
    message = serializers.CharField()


class SourceSchema(serializers.Serializer[Any]):
    """Where charges or usage come from, and how it is: `rows` that count, files `refused`, `waiting` to be read and
    `held` back; `usual` says how its bills arrive, `late` which day is later than usual, both empty while not known.
    """

    name = serializers.CharField()
    kind = serializers.ChoiceField(kinds.choices())
    cluster = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()
    location = serializers.CharField()
    files = serializers.IntegerField()
    refused = serializers.IntegerField()
    waiting = serializers.IntegerField()
    held = serializers.IntegerField()
    rows = serializers.IntegerField()
    last_day = serializers.DateField(allow_null=True)
    last_received = serializers.DateTimeField(allow_null=True)
    usual = serializers.CharField(allow_blank=True)
    late = serializers.CharField(allow_blank=True)
    has_failed = serializers.BooleanField()
    problems = ProblemSchema(many=True)


class SourcesSchema(serializers.Serializer[Any]):
    """The sources and how they are."""

    rows = SourceSchema(many=True)
