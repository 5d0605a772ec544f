"""Settings chosen for plans and what was measured beside them, to read in the admin."""

from django.contrib import admin

from apps.planning.models import ChosenSettings, Fault, MemoryNeed, Offer, Outcome, Plan, Timetable
from apps.teams.reading import ToRead


@admin.register(ChosenSettings)
class ChosenSettingsAdmin(ToRead):
    """Who plans by which settings, and since when."""

    list_display = ("at", "by", "planner", "subject", "settings")
    list_filter = ("planner",)
    search_fields = ("subject", "by")
    date_hierarchy = "at"


@admin.register(Outcome)
class OutcomeAdmin(ToRead):
    """What was measured beside plans."""

    list_display = ("day", "planner", "subject", "name", "value", "by")
    list_filter = ("planner", "name")
    search_fields = ("subject", "name", "by")
    date_hierarchy = "day"


@admin.register(Timetable)
class TimetableAdmin(ToRead):
    """Who brought which timetable."""

    list_display = ("at", "by", "name", "classes")
    exclude = ("data",)
    search_fields = ("name", "by")
    date_hierarchy = "at"


@admin.register(Offer)
class OfferAdmin(ToRead):
    """What providers sell: commitments, spot, storage, memory."""

    list_display = (
        "name",
        "kind",
        "region",
        "family",
        "term_months",
        "price_text",
        "ratio_text",
        "currency",
        "valid_from",
        "is_on_sale",
    )
    list_filter = ("kind", "is_on_sale", "region")
    search_fields = ("name", "family")


@admin.register(MemoryNeed)
class MemoryNeedAdmin(ToRead):
    """How much memory services need, and how fast."""

    list_display = (
        "name",
        "resource",
        "gib_text",
        "mib_per_second_text",
        "latency_microseconds_text",
        "tier",
        "by",
        "at",
    )
    search_fields = ("name", "resource")


@admin.register(Plan)
class PlanAdmin(ToRead):
    """How the same work could cost less, or why there is no plan."""

    list_display = ("planner", "subject", "publication", "version", "made_at", "seconds")
    list_filter = ("planner",)
    search_fields = ("subject",)
    date_hierarchy = "made_at"


@admin.register(Fault)
class FaultAdmin(ToRead):
    """Planners that failed, and at what."""

    list_display = ("at", "planner", "publication", "message")
    list_filter = ("planner",)
    search_fields = ("message",)
    date_hierarchy = "at"
