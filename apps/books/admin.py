"""Closed months and the trail in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.books.models import Close, Invoice, TrailEntry


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Close)
class CloseAdmin(_ReadOnly):
    """What was closed, and from which publication."""

    list_display = ("month", "publication", "closed_at", "closed_by", "sha256")


@admin.register(TrailEntry)
class TrailEntryAdmin(_ReadOnly):
    """Who did what, when and why."""

    list_display = ("at", "by", "action", "subject", "why", "outcome")
    list_filter = ("action",)


@admin.register(Invoice)
class InvoiceAdmin(_ReadOnly):
    """What was uploaded."""

    list_display = ("invoice_id", "account", "currency", "total_text", "tax_text", "date", "imported_by")
