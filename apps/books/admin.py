"""Closed months and the trail in the admin, to read."""

from django.contrib import admin

from apps.books.models import Close, Invoice, TrailEntry
from apps.teams.reading import ToRead


@admin.register(Close)
class CloseAdmin(ToRead):
    """What was closed, and from which publication."""

    list_display = ("month", "publication", "closed_at", "closed_by", "sha256")


@admin.register(TrailEntry)
class TrailEntryAdmin(ToRead):
    """Who did what, when and why."""

    list_display = ("at", "by", "action", "subject", "why", "outcome")
    list_filter = ("action",)


@admin.register(Invoice)
class InvoiceAdmin(ToRead):
    """What was uploaded."""

    list_display = ("invoice_id", "account", "currency", "total_text", "tax_text", "date", "imported_by")
