"""Recommendations and their steps in the admin, to read."""

from django.contrib import admin

from apps.operations.models import Recommendation, RecommendationStep
from apps.teams.reading import ToRead


@admin.register(Recommendation)
class RecommendationAdmin(ToRead):
    """What was found and who has it."""

    list_display = ("id", "kind", "team", "state", "assignee", "due", "saving_text", "currency")
    list_filter = ("kind", "state")
    search_fields = ("team", "subject")
    date_hierarchy = "found_at"


@admin.register(RecommendationStep)
class RecommendationStepAdmin(ToRead):
    """Who did what, and why."""

    list_display = ("at", "recommendation", "by", "action", "from_state", "to_state", "why")
    list_filter = ("action",)
    search_fields = ("by", "why")
    date_hierarchy = "at"
