"""Versions of drivers in the admin, to read."""

from django.contrib import admin

from apps.teams.reading import ToRead
from apps.units.models import DriverVersion


@admin.register(DriverVersion)
class DriverVersionAdmin(ToRead):
    """Quantities that cost is divided by, as they were told."""

    list_display = ("number", "scope", "drivers", "first_day", "last_day", "rows", "origin", "created_by", "created_at")
    list_filter = ("scope",)
    search_fields = ("origin", "created_by")
    date_hierarchy = "created_at"
