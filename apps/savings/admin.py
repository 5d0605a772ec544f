"""The savings ledger in the admin, to read."""

from django.contrib import admin

from apps.savings.models import Initiative, InitiativeStep, Measurement, Outcome
from apps.teams.reading import ToRead


@admin.register(Initiative)
class InitiativeAdmin(ToRead):
    """What was stated, and where it stands."""

    list_display = ("id", "name", "team", "state", "start", "promised_text", "currency")
    list_filter = ("state",)
    search_fields = ("name", "team")
    date_hierarchy = "start"


@admin.register(Measurement)
class MeasurementAdmin(ToRead):
    """What was measured in which publication."""

    list_display = ("id", "initiative", "publication", "start", "end", "is_final", "verdict", "grade", "saving_text")
    list_filter = ("verdict", "grade", "is_final")
    search_fields = ("initiative__name",)
    date_hierarchy = "at"


@admin.register(InitiativeStep)
class InitiativeStepAdmin(ToRead):
    """Who did what, and why."""

    list_display = ("at", "initiative", "by", "action", "from_state", "to_state", "why")
    list_filter = ("action",)
    search_fields = ("initiative__name", "by", "why")
    date_hierarchy = "at"


@admin.register(Outcome)
class OutcomeAdmin(ToRead):
    """What was measured beside the money."""

    list_display = ("day", "initiative", "name", "value_text", "unit", "by")
    search_fields = ("initiative__name", "name")
    date_hierarchy = "day"
