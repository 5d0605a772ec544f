"""Versions of rates and locked months in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.rates.models import MonthLock, RateVersion


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Rates come from files, locks from closing a month; nothing is edited here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RateVersion)
class RateVersionAdmin(ReadOnly):
    """Who changed the rates, and when."""

    list_display = ("number", "kind", "created_at", "created_by", "file_name", "base_currency", "base_from")


@admin.register(MonthLock)
class MonthLockAdmin(ReadOnly):
    """Months whose rates no longer change."""

    list_display = ("month", "locked_at", "locked_by", "reason")
