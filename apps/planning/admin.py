"""Settings chosen for plans and what was measured beside them, to read in the admin."""

from django.contrib import admin

from apps.planning.models import ChosenSettings, Outcome, Timetable
from apps.teams.reading import ToRead


@admin.register(ChosenSettings)
class ChosenSettingsAdmin(ToRead):
    """Who plans by which settings, and since when."""

    list_display = ("at", "by", "planner", "subject", "settings")
    list_filter = ("planner",)


@admin.register(Outcome)
class OutcomeAdmin(ToRead):
    """What was measured beside plans."""

    list_display = ("day", "planner", "subject", "name", "value", "by")
    list_filter = ("planner", "name")


@admin.register(Timetable)
class TimetableAdmin(ToRead):
    """Who brought which timetable."""

    list_display = ("at", "by", "name", "classes")
    exclude = ("data",)
