"""The business calendar in the admin, to read; it is brought from files."""

from django.contrib import admin

from apps.calendars.models import CalendarImport, Span
from apps.teams.reading import ToRead


@admin.register(CalendarImport)
class CalendarImportAdmin(ToRead):
    """What was brought, and what was undone."""

    list_display = ("number", "name", "by", "at", "withdrawn_by", "withdrawn_at")
    search_fields = ("name", "by")
    date_hierarchy = "at"


@admin.register(Span)
class SpanAdmin(ToRead):
    """Terms, promotions, days off and days worked."""

    list_display = ("name", "kind", "first", "last", "brought")
    list_filter = ("kind",)
    search_fields = ("name",)
