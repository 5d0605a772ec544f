"""Versions of rates and locked months in the admin, to read."""

from django.contrib import admin

from apps.rates.models import MonthLock, RateVersion
from apps.teams.reading import ToRead


@admin.register(RateVersion)
class RateVersionAdmin(ToRead):
    """Who changed the rates, and when."""

    list_display = ("number", "kind", "created_at", "created_by", "file_name", "base_currency", "base_from")


@admin.register(MonthLock)
class MonthLockAdmin(ToRead):
    """Months whose rates no longer change."""

    list_display = ("month", "locked_at", "locked_by", "reason")
