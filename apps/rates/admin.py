"""Versions of rates and locked months in the admin, to read."""

from django.contrib import admin

from apps.rates.models import MonthLock, Rate, RateBook, RateVersion
from apps.teams.reading import ToRead


@admin.register(RateVersion)
class RateVersionAdmin(ToRead):
    """Who changed the rates, and when."""

    list_display = ("number", "kind", "created_at", "created_by", "file_name", "base_currency", "base_from")
    list_filter = ("kind",)
    search_fields = ("file_name", "created_by")
    date_hierarchy = "created_at"


@admin.register(MonthLock)
class MonthLockAdmin(ToRead):
    """Months whose rates no longer change."""

    list_display = ("month", "locked_at", "locked_by", "reason")
    search_fields = ("month", "reason")
    date_hierarchy = "locked_at"


@admin.register(Rate)
class RateAdmin(ToRead):
    """What a currency was worth in another, as quoted."""

    list_display = ("day", "from_currency", "to_currency", "rate_text", "quoted_day", "version")
    list_filter = ("from_currency", "to_currency")
    date_hierarchy = "day"


@admin.register(RateBook)
class RateBookAdmin(ToRead):
    """The row that writers of rates wait for; it says nothing."""
