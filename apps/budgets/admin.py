"""Budgets in the admin, to read; they are decided about on their pages."""

from django.contrib import admin

from apps.budgets.models import Budget, BudgetVersion, Outlook
from apps.teams.reading import ToRead


@admin.register(Budget)
class BudgetAdmin(ToRead):
    """What may be spent, and on what."""

    list_display = ("name", "dimension", "value", "grain", "currency", "metric")
    list_filter = ("grain", "dimension", "currency")
    search_fields = ("name", "value")


@admin.register(BudgetVersion)
class BudgetVersionAdmin(ToRead):
    """How much, from when, and who decided it."""

    list_display = ("budget", "valid_from", "amount_text", "profile", "rollover", "owner_team", "by", "at")
    list_filter = ("profile", "rollover")
    search_fields = ("budget__name", "owner_team", "by", "why")
    date_hierarchy = "at"


@admin.register(Outlook)
class OutlookAdmin(ToRead):
    """Where the period of a budget will land."""

    list_display = ("budget", "publication", "first_day", "why_not", "created_at")
    search_fields = ("budget__name",)
    date_hierarchy = "created_at"
