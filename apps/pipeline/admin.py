"""Runs of steps in the admin, to read."""

from django.contrib import admin

from apps.pipeline.models import StepRun
from apps.teams.reading import ToRead


@admin.register(StepRun)
class StepRunAdmin(ToRead):
    """What was asked for, tried and done."""

    list_display = (
        "step",
        "source",
        "window_start",
        "window_end",
        "state",
        "attempt",
        "rows",
        "started_at",
        "finished_at",
    )
    list_filter = ("state", "step", "source")
    search_fields = ("key", "message")
