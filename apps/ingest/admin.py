"""Sources and files received from them, in the admin, to read. A source is added at the terminal, which checks it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.ingest.models import LandedFile, Source


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Where charges and usage come from."""

    list_display = ("name", "kind", "cluster", "is_active", "created_at")
    exclude = ("options", "location", "secrets")  # may hold credentials

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LandedFile)
class LandedFileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Every version of every file, as received."""

    list_display = ("path", "source", "state", "revision", "rows", "landed_at")
    list_filter = ("state", "source")
    search_fields = ("path", "sha256")
    list_select_related = ("source",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
