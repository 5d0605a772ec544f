"""Runs of steps in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.pipeline.models import StepRun


@admin.register(StepRun)
class StepRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
