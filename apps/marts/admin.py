"""Publications in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.marts.models import Publication


@admin.register(Publication)
class PublicationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """What was published, and from which table versions."""

    list_display = ("number", "created_at", "status", "first_day", "end_day", "ruleset")
    list_filter = ("status",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
