"""Settings chosen for plans, to read in the admin."""

from django.contrib import admin

from apps.planning.models import ChosenSettings
from apps.teams.reading import ToRead


@admin.register(ChosenSettings)
class ChosenSettingsAdmin(ToRead):
    """Who plans by which settings, and since when."""

    list_display = ("at", "by", "planner", "subject", "settings")
    list_filter = ("planner",)
