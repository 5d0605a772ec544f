"""Alerts, their steps and thresholds in the admin, to read."""

from django.contrib import admin

from apps.alerts.models import Alert, AlertStep, RuleCheck, Threshold
from apps.teams.reading import ToRead


@admin.register(Alert)
class AlertAdmin(ToRead):
    """What asks for attention, and did."""

    list_display = ("id", "rule", "subject", "period", "team", "severity", "state", "opening", "opened_at")
    list_filter = ("rule", "state", "severity")
    search_fields = ("subject", "team")
    date_hierarchy = "opened_at"


@admin.register(AlertStep)
class AlertStepAdmin(ToRead):
    """What happened to them."""

    list_display = ("at", "alert", "by", "action", "severity", "note")
    list_filter = ("action",)
    search_fields = ("alert__subject", "by", "note")
    date_hierarchy = "at"


@admin.register(Threshold)
class ThresholdAdmin(ToRead):
    """From where rules speak, and who said so."""

    list_display = ("at", "rule", "team", "is_on", "is_default", "limits", "by")
    list_filter = ("rule",)
    search_fields = ("team", "by")
    date_hierarchy = "at"


@admin.register(RuleCheck)
class RuleCheckAdmin(ToRead):
    """When each rule was last looked at."""

    list_display = ("rule", "checked_at")
