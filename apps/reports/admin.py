"""The ledger of mails in the admin, to read."""

from django.contrib import admin

from apps.reports.models import Content, Delivery, Part, Reader, Subscription
from apps.teams.reading import ToRead


@admin.register(Delivery)
class DeliveryAdmin(ToRead):
    """What was mailed to whom, and what went wrong."""

    list_display = ("period", "team", "recipient", "state", "attempts", "sent_at", "message")
    list_filter = ("state", "period")
    search_fields = ("team", "recipient")
    date_hierarchy = "sent_at"


@admin.register(Content)
class ContentAdmin(ToRead):
    """The bytes of letters, each kept once."""

    list_display = ("sha256",)


@admin.register(Part)
class PartAdmin(ToRead):
    """What a letter consists of."""

    list_display = ("delivery", "place", "name", "content_type", "size_bytes")
    list_filter = ("content_type",)
    search_fields = ("name",)


@admin.register(Subscription)
class SubscriptionAdmin(ToRead):
    """Who wants which letters, and who does not."""

    list_display = ("report", "team", "address", "user", "is_wanted", "changed_by", "changed_at")
    list_filter = ("report", "is_wanted")
    search_fields = ("team", "address", "user__username")
    date_hierarchy = "changed_at"


@admin.register(Reader)
class ReaderAdmin(ToRead):
    """In which language people read."""

    list_display = ("user", "language")
    list_filter = ("language",)
    search_fields = ("user__username",)
