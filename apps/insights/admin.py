"""Decisions about the worklist, and planned changes, to read in the admin."""

from django.contrib import admin

from apps.insights.models import PlannedChange, WorklistDecision
from apps.teams.reading import ToRead


@admin.register(WorklistDecision)
class WorklistDecisionAdmin(ToRead):
    """Who set what aside, and why."""

    list_display = ("at", "by", "title", "is_dismissed", "reason")
    list_filter = ("is_dismissed",)


@admin.register(PlannedChange)
class PlannedChangeAdmin(ToRead):
    """What people know of cost ahead, withdrawn or not."""

    list_display = ("first_day", "kind", "amount_text", "currency", "percent_text", "team", "note", "by")
    list_filter = ("kind", "withdrawn_by")
