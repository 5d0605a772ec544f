"""Sources and files received from them, in the admin, to read. A source is added at the terminal, which checks it."""

from django.contrib import admin

from apps.ingest.models import Arrival, LandedFile, MeteredDay, Restatement, ScrubbedFile, Source
from apps.teams.reading import ToRead


@admin.register(Source)
class SourceAdmin(ToRead):
    """Where charges and usage come from."""

    list_display = ("name", "kind", "cluster", "is_active", "created_at")
    exclude = ("options", "location", "secrets")  # may hold credentials
    list_filter = ("kind", "is_active")
    search_fields = ("name", "cluster")


@admin.register(LandedFile)
class LandedFileAdmin(ToRead):
    """Every version of every file, as received."""

    list_display = ("path", "source", "state", "revision", "rows", "landed_at")
    list_filter = ("state", "source")
    search_fields = ("path", "sha256")
    date_hierarchy = "landed_at"


@admin.register(Restatement)
class RestatementAdmin(ToRead):
    """What a new issue of a month changed."""

    list_display = ("at", "source", "billing_month", "rows_before", "rows_after")
    list_filter = ("source", "billing_month")
    date_hierarchy = "at"


@admin.register(Arrival)
class ArrivalAdmin(ToRead):
    """What a bill said of a day, whenever it said more."""

    list_display = ("day", "source", "currency", "effective_cost", "seen_at")
    list_filter = ("source",)
    date_hierarchy = "day"


@admin.register(MeteredDay)
class MeteredDayAdmin(ToRead):
    """Days of usage, and how much of them was seen."""

    list_display = ("day", "source", "observed_samples", "expected_samples", "pulled_at")
    list_filter = ("source",)
    date_hierarchy = "day"


@admin.register(ScrubbedFile)
class ScrubbedFileAdmin(ToRead):
    """Files on the disk, when they were read again, and what was found."""

    list_display = ("path", "damage", "checked_at")
    list_filter = ("damage",)
    search_fields = ("path", "sha256")
