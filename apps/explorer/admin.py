"""Views that people keep and annotations in the admin, to read."""

from django.contrib import admin
from django.db import models

from apps.explorer.models import Annotation, SavedView
from apps.teams.reading import ToRead


@admin.register(SavedView)
class SavedViewAdmin(ToRead):
    """Who keeps which question, and shares it with whom."""

    list_display = ("name", "owner", "shared", "team", "is_default", "changed_at")
    list_filter = ("shared",)
    search_fields = ("name", "owner__username")


@admin.register(Annotation)
class AnnotationAdmin(ToRead):
    """What happened on days."""

    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = ("first", "last", "text", "team", "author")
    list_filter = ("team",)
    search_fields = ("text", "author")
