"""The audit log in the admin: to be read only."""

from django.contrib import admin

from apps.audit.models import AuditEntry, Begun, ChainEnd, ReadEntry
from apps.teams.reading import ToRead


@admin.register(AuditEntry)
class AuditEntryAdmin(ToRead):
    """Who did what, and when."""

    list_display = ("number", "at", "actor", "way", "action", "outcome", "address")
    list_filter = ("way",)
    search_fields = ("actor", "action", "request_id")
    ordering = ("-number",)
    date_hierarchy = "at"


@admin.register(ReadEntry)
class ReadEntryAdmin(ToRead):
    """Who looked at which teams' cost."""

    list_display = ("at", "actor", "way", "action", "teams", "accounts", "is_export", "question", "address")
    list_filter = ("way", "is_export")
    search_fields = ("actor", "action", "question")
    date_hierarchy = "at"


@admin.register(Begun)
class BegunAdmin(ToRead):
    """What has begun, and whose entry is to come."""

    list_display = ("at", "actor", "way", "action", "address")


@admin.register(ChainEnd)
class ChainEndAdmin(ToRead):
    """Where the chain ends."""

    list_display = ("id",)
