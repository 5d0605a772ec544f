"""Messages that need nothing any more, and may be forgotten."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.channels.models import Entry, Message


def before(moment: datetime, *, but: Collection[str]) -> QuerySet[Message]:
    """Messages of before a moment that were sent, given up or dropped, but for those of threads that go on: whose end
    is told where their beginning was, by the ticket that was opened for it."""
    done = (Message.State.SENT, Message.State.FAILED, Message.State.DROPPED)
    fresh = Entry.objects.filter(~Q(message__state__in=done) | Q(created_at__gte=moment)).exclude(thread="")
    going_on = Entry.objects.filter(Q(thread__in=but) | Q(thread__in=fresh.values("thread")))
    found = Message.objects.filter(state__in=done, created_at__lt=moment)
    return found.exclude(pk__in=going_on.values("message"))
