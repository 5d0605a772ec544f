"""Decisions about the worklist, to read in the admin."""

from django.contrib import admin

from apps.insights.models import WorklistDecision
from apps.teams.reading import ToRead


@admin.register(WorklistDecision)
class WorklistDecisionAdmin(ToRead):
    """Who set what aside, and why."""

    list_display = ("at", "by", "title", "is_dismissed", "reason")
    list_filter = ("is_dismissed",)
