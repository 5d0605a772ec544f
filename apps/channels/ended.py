"""Messages that need nothing any more, and may be forgotten."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from apps.channels.models import Entry, Message


def before(moment: datetime, *, but: Collection[str]) -> QuerySet[Message]:
    """Messages of before a moment that were sent, given up or dropped, but for those of threads that go on."""
    done = (Message.State.SENT, Message.State.FAILED, Message.State.DROPPED)
    going_on = Entry.objects.filter(thread__in=but).values("message")
    return Message.objects.filter(state__in=done, created_at__lt=moment).exclude(pk__in=going_on)
