"""Closed months, disputes and the trail in the admin, to read."""

from django.contrib import admin

from apps.books.models import Close, Dispute, DisputeRemark, Invoice, ManualEntry, TrailEntry
from apps.teams.reading import ToRead


@admin.register(Close)
class CloseAdmin(ToRead):
    """What was closed, and from which publication."""

    list_display = ("month", "publication", "closed_at", "closed_by", "sha256")
    search_fields = ("month", "closed_by")
    date_hierarchy = "closed_at"


@admin.register(TrailEntry)
class TrailEntryAdmin(ToRead):
    """Who did what, when and why."""

    list_display = ("at", "by", "action", "subject", "why", "outcome")
    list_filter = ("action",)
    search_fields = ("subject", "by", "why")
    date_hierarchy = "at"


@admin.register(Invoice)
class InvoiceAdmin(ToRead):
    """What was uploaded."""

    list_display = ("invoice_id", "account", "currency", "total_text", "tax_text", "date", "imported_by")
    list_filter = ("currency",)
    search_fields = ("invoice_id", "account")
    date_hierarchy = "date"


@admin.register(Dispute)
class DisputeAdmin(ToRead):
    """What teams did not accept, and how far it has come."""

    list_display = ("pk", "team", "amount_text", "currency", "state", "settled_by", "opened_by", "opened_at")
    list_filter = ("state",)
    search_fields = ("team", "opened_by")
    date_hierarchy = "opened_at"


@admin.register(DisputeRemark)
class DisputeRemarkAdmin(ToRead):
    """What was said and done about disputes."""

    list_display = ("dispute", "at", "by", "action", "text")
    list_filter = ("action",)
    search_fields = ("text", "by")
    date_hierarchy = "at"


@admin.register(ManualEntry)
class ManualEntryAdmin(ToRead):
    """Cost that finance moved between teams."""

    list_display = (
        "pk", "from_team", "to_team", "amount_text", "currency", "original_month", "dispute", "booked_by", "close",
    )  # fmt: skip
    list_filter = ("currency",)
    search_fields = ("from_team", "to_team", "reason")
    date_hierarchy = "booked_at"
