"""Runs of steps in the admin, to read."""

from django.contrib import admin

from apps.pipeline.models import Clock, FilledDay, StepRun
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
    date_hierarchy = "asked_at"


@admin.register(FilledDay)
class FilledDayAdmin(ToRead):
    """Days a step has done, and from which inputs."""

    list_display = ("step", "day", "fingerprint")
    list_filter = ("step",)
    date_hierarchy = "day"


@admin.register(Clock)
class ClockAdmin(ToRead):
    """When what is due was last looked for."""

    list_display = ("looked_at",)
