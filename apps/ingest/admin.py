"""Sources and files received from them, in the admin, to read. A source is added at the terminal, which checks it."""

from django.contrib import admin

from apps.ingest.models import LandedFile, Source
from apps.teams.reading import ToRead


@admin.register(Source)
class SourceAdmin(ToRead):
    """Where charges and usage come from."""

    list_display = ("name", "kind", "cluster", "is_active", "created_at")
    exclude = ("options", "location", "secrets")  # may hold credentials


@admin.register(LandedFile)
class LandedFileAdmin(ToRead):
    """Every version of every file, as received."""

    list_display = ("path", "source", "state", "revision", "rows", "landed_at")
    list_filter = ("state", "source")
    search_fields = ("path", "sha256")
    list_select_related = ("source",)
