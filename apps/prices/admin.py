"""Prices in the admin, to read."""

from django.contrib import admin

from apps.prices.models import Price
from apps.teams.reading import ToRead


@admin.register(Price)
class PriceAdmin(ToRead):
    """Unit prices; they come from files and charges."""

    list_display = ("provider", "service", "sku_id", "region", "unit", "currency", "list_unit_price", "valid_from")
    list_filter = ("origin", "provider")
    search_fields = ("sku_id", "service")
    date_hierarchy = "valid_from"
