"""Publications in the admin, to read."""

from django.contrib import admin

from apps.marts.models import Publication
from apps.teams.reading import ToRead


@admin.register(Publication)
class PublicationAdmin(ToRead):
    """What was published, and from which table versions."""

    list_display = ("number", "created_at", "status", "first_day", "end_day", "ruleset")
    list_filter = ("status",)
    date_hierarchy = "created_at"
