"""Channels and deliveries in the admin, to read; what is sealed is not among it."""

from django.contrib import admin

from apps.channels.models import Channel, Entry, Message
from apps.teams.reading import ToRead


@admin.register(Channel)
class ChannelAdmin(ToRead):
    """Ways to reach people."""

    list_display = ("id", "kind", "name", "user", "team", "least", "is_on", "is_removed", "created_by")
    list_filter = ("kind", "is_on", "is_removed")
    exclude = ("secrets",)
    search_fields = ("name", "user__username", "team__name")


@admin.register(Message)
class MessageAdmin(ToRead):
    """What was sent, or was not."""

    list_display = ("id", "channel", "state", "attempts", "created_at", "not_before", "sent_at", "error")
    list_filter = ("state",)
    search_fields = ("recipient", "reference", "error")
    date_hierarchy = "created_at"


@admin.register(Entry)
class EntryAdmin(ToRead):
    """The notices of messages."""

    list_display = ("id", "channel", "message", "kind", "severity", "team", "created_at")
    list_filter = ("kind", "severity")
    search_fields = ("key",)
    date_hierarchy = "created_at"
