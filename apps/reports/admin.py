"""The ledger of mails in the admin, to read."""

from django.contrib import admin

from apps.reports.models import Delivery
from apps.teams.reading import ToRead


@admin.register(Delivery)
class DeliveryAdmin(ToRead):
    """What was mailed to whom, and what went wrong."""

    list_display = ("period", "team", "recipient", "state", "attempts", "sent_at", "message")
    list_filter = ("state", "period")
    search_fields = ("team", "recipient")
