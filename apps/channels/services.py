"""Sending: a notice becomes an entry in the outbox of each channel that wants it, in the transaction of its fact."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError, transaction

from apps.channels.kinds import BY_NAME
from apps.channels.models import Channel, Entry, Message
from apps.channels.quiet import free_from
from apps.finops.notices import Notice, at_least
from apps.warehouse.failpoints import failpoint
from apps.warehouse.sentences import kept


def send(notice: Notice, *, to: Iterable[Channel], now: datetime) -> int:
    """Write a notice into the outbox of the channels that want it; of how many. Sending it again changes nothing.

    To be called in the transaction that writes the fact: both are there or neither.
    """
    return sum(put(notice, channel, now=now) for channel in to if wants(channel, notice))


def wants(channel: Channel, notice: Notice) -> bool:
    """Whether a channel is to be told: by its choices, and of an end only where the beginning was told. A ticket is
    told of no more than begins and ends."""
    if not channel.is_on or not at_least(notice.severity, channel.least):
        return False
    if channel.kinds and notice.kind not in channel.kinds:
        return False
    if not notice.is_over and not BY_NAME[channel.kind].is_ticket:
        return True
    known = Entry.objects.filter(channel=channel, thread=notice.thread) if notice.thread else Entry.objects.none()
    last = known.order_by("-pk").first()
    return last is not None if notice.is_over else last is None or last.is_over


def put(notice: Notice, channel: Channel, *, now: datetime) -> bool:
    """Add a notice to the message of a channel that gathers now, or to a new one; False when it was there before."""
    try:
        with transaction.atomic():
            Entry.objects.create(
                channel=channel, message=_gathering(channel, notice, now), key=notice.key, kind=notice.kind,
                severity=notice.severity, title=kept(notice.title), lines=[kept(line) for line in notice.lines],
                link=notice.link, team=notice.team, thread=notice.thread, is_over=notice.is_over, created_at=now,
            )  # fmt: skip
            failpoint("outbox.put")
    except IntegrityError:
        if Entry.objects.filter(channel=channel, key=notice.key).exists():
            return False
        raise
    return True


def _gathering(channel: Channel, notice: Notice, now: datetime) -> Message:
    """The message that a notice joins. What is urgent goes at once and alone; so does every ticket."""
    if notice.is_urgent or BY_NAME[channel.kind].is_ticket:
        not_before = now if notice.is_urgent else free_from(channel, now)
        return _new(channel, now, not_before, is_urgent=notice.is_urgent)
    latest = free_from(channel, now + timedelta(minutes=channel.group_minutes))  # beyond it, a clock was ahead
    waiting = Message.objects.filter(
        channel=channel, state=Message.State.WAITING, attempts=0, is_urgent=False,
        not_before__gt=now, not_before__lte=latest,
    ).order_by("not_before")  # fmt: skip
    for found in waiting:
        # Taking hold of the row: a worker that claims it meanwhile waits for us, or we find it claimed and go on.
        if waiting.filter(pk=found.pk).update(state=Message.State.WAITING):
            return found
    return _new(channel, now, latest, is_urgent=False)


def _new(channel: Channel, now: datetime, not_before: datetime, *, is_urgent: bool) -> Message:
    return Message.objects.create(
        channel=channel, message_id=uuid4().hex, is_urgent=is_urgent, created_at=now, not_before=not_before
    )
