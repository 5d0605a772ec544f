"""The audit log in the admin: to be read only."""

from django.contrib import admin

from apps.audit.models import AuditEntry
from apps.teams.reading import ToRead


@admin.register(AuditEntry)
class AuditEntryAdmin(ToRead):
    list_display = ("number", "at", "actor", "way", "action", "outcome", "address")
    list_filter = ("way",)
    search_fields = ("actor", "action", "request_id")
    ordering = ("-number",)
    show_full_result_count = False
