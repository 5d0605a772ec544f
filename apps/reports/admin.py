"""The ledger of mails in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.reports.models import Delivery


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """What was mailed to whom, and what went wrong."""

    list_display = ("period", "team", "recipient", "state", "attempts", "sent_at", "message")
    list_filter = ("state", "period")
    search_fields = ("team", "recipient")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
