"""Prices in the admin, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.prices.models import Price


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Unit prices; they come from files and charges."""

    list_display = ("provider", "service", "sku_id", "region", "unit", "currency", "list_unit_price", "valid_from")
    list_filter = ("origin", "provider")
    search_fields = ("sku_id", "service")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
