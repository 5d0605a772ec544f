"""Decisions about the worklist, and planned changes, to read in the admin."""

from django.contrib import admin

from apps.insights.models import (
    Anomaly,
    AnomalyFeedback,
    AnomalyRun,
    Forecast,
    ForecastRun,
    IdleExclusion,
    IdleFinding,
    IdleRun,
    PlannedChange,
    WorklistDecision,
)
from apps.teams.reading import ToRead


@admin.register(WorklistDecision)
class WorklistDecisionAdmin(ToRead):
    """Who set what aside, and why."""

    list_display = ("at", "by", "title", "is_dismissed", "reason")
    list_filter = ("is_dismissed",)
    search_fields = ("title", "subject", "reason", "by")
    date_hierarchy = "at"


@admin.register(PlannedChange)
class PlannedChangeAdmin(ToRead):
    """What people know of cost ahead, withdrawn or not."""

    list_display = ("first_day", "kind", "amount_text", "currency", "percent_text", "team", "note", "by")
    list_filter = ("kind", "withdrawn_by")
    search_fields = ("team", "service", "note", "by")
    date_hierarchy = "first_day"


@admin.register(AnomalyRun)
class AnomalyRunAdmin(ToRead):
    """Publications that were looked through for anomalies."""

    list_display = ("publication", "model_version", "end_day", "created_at")
    date_hierarchy = "created_at"


@admin.register(Anomaly)
class AnomalyAdmin(ToRead):
    """What departed from its usual, and by how much."""

    list_display = (
        "slug",
        "measure",
        "level",
        "team",
        "service",
        "namespace",
        "kind",
        "first_day",
        "last_day",
        "so_far",
        "unit",
    )
    list_filter = ("level", "kind", "is_going_on", "measure")
    search_fields = ("slug", "team", "service", "namespace")
    date_hierarchy = "first_day"


@admin.register(AnomalyFeedback)
class AnomalyFeedbackAdmin(ToRead):
    """What people said of anomalies."""

    list_display = ("at", "by", "slug", "verdict", "until", "reason")
    list_filter = ("verdict",)
    search_fields = ("slug", "reason", "by")
    date_hierarchy = "at"


@admin.register(ForecastRun)
class ForecastRunAdmin(ToRead):
    """Publications that were looked ahead from."""

    list_display = ("publication", "model_version", "first_day", "created_at")
    date_hierarchy = "created_at"


@admin.register(Forecast)
class ForecastAdmin(ToRead):
    """What is expected of a team, a service or the company, and how good that was."""

    list_display = ("level", "key", "currency", "is_naive", "mase", "naive_mase", "coverage_80", "coverage_95", "run")
    list_filter = ("level", "is_naive", "currency")
    search_fields = ("key",)


@admin.register(IdleRun)
class IdleRunAdmin(ToRead):
    """Publications that were looked through for what is not used."""

    list_display = ("publication", "model_version", "end_day", "created_at")
    date_hierarchy = "created_at"


@admin.register(IdleFinding)
class IdleFindingAdmin(ToRead):
    """What is paid for and not used."""

    list_display = ("identity", "kind", "name", "team", "per_month_text", "currency", "verdict", "probability", "since")
    list_filter = ("kind", "verdict", "cluster")
    search_fields = ("identity", "subject", "name", "team")
    date_hierarchy = "since"


@admin.register(IdleExclusion)
class IdleExclusionAdmin(ToRead):
    """What people keep although it is idle, and why."""

    list_display = ("at", "by", "decision", "kind", "pattern", "team", "until", "reason")
    list_filter = ("decision", "kind")
    search_fields = ("pattern", "reason", "by")
    date_hierarchy = "at"
