"""Delivering messages: each claimed by one worker, tried again ever later, at last given up for people to see."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import SystemRandom
from traceback import format_exc

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Case, F, Q, QuerySet, Value, When

from apps.channels import letters
from apps.channels.kinds import BY_NAME, Going
from apps.channels.models import TEST, Channel, Entry, Message
from apps.channels.outbound import NotSent
from apps.channels.quiet import free_from
from apps.channels.recipients import Recipient, recipient_of
from apps.finops.errors import CostOpsError
from apps.warehouse.failpoints import failpoint
from apps.warehouse.sealed import Secrets, unseal

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
CLAIM_HOLDS = timedelta(minutes=10)
"""A claim older than this was left by a worker that died: a message takes seconds, a mail server may take 20."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=4)
AHEAD = timedelta(hours=1)
"""A message of a moment that is further away was written by a clock that was wrong."""
LONGEST = timedelta(days=2)
"""A day of quiet hours after a day of gathering: no message waits longer for its moment."""
AT_ONCE = 200
"""The most messages of one task."""
SILENT_SECONDS = 10.0
"""Who does not take a message for so long is not asked for the next one by the same task."""
BUSY = timedelta(minutes=2)
"""A message that was claimed since, and is not sent, is one that another task is at: none takes that long."""

State = Message.State
Clock = Callable[[], datetime]
_dice = SystemRandom()


def deliver_due(clock: Clock, *, seconds: float | None = None) -> dict[str, int]:
    """Deliver what is due; how many ended in which state.

    With `seconds`, for about so long, and not beside another: a server that answers nobody keeps one worker waiting at
    most, and others have their turn.
    """
    results: Counter[str] = Counter()
    silent: set[str] = set()
    began = time.monotonic()
    due = Message.objects.filter(_free(clock())).order_by("-is_urgent", "not_before", "pk")
    for pk, channel, kind in list(due.values_list("pk", "channel", "channel__kind")):
        server = kind if kind == "email" else f"{channel}"  # all mail leaves by one
        if server in silent:
            continue
        if seconds is not None and (time.monotonic() - began > seconds or _is_another_at_it(clock())):
            break
        if (message := claim(pk, clock())) is not None:
            asked = time.monotonic()
            state = deliver(message, clock)
            results[state] += 1
            if state != State.SENT and time.monotonic() - asked > SILENT_SECONDS:
                silent.add(server)
        if results.total() == AT_ONCE:
            break
    return dict(results)


def _is_another_at_it(now: datetime) -> bool:
    """Whether another task delivers. Of two that begin together, the one whose message takes longer goes on."""
    return Message.objects.filter(state=State.SENDING, claimed_at__range=(now - BUSY, now + BUSY)).exists()


def _free(now: datetime) -> Q:
    is_due = Q(not_before__lte=now) | Q(created_at__gt=now + AHEAD) | Q(not_before__gt=now + LONGEST)
    return Q(is_due, state=State.WAITING) | Q(state=State.SENDING, claimed_at__lt=now - CLAIM_HOLDS)


def claim(pk: int, now: datetime) -> Message | None:
    """Take a message for this worker. Of any number of workers that try, one succeeds. One that was written by a clock
    that was ahead is of now."""
    mine = Message.objects.filter(_free(now), pk=pk)
    created = Case(When(created_at__gt=now + AHEAD, then=Value(now)), default=F("created_at"))
    if mine.update(state=State.SENDING, attempts=F("attempts") + 1, claimed_at=now, created_at=created) != 1:
        return None
    failpoint("outbox.claimed")
    return Message.objects.select_related("channel__user", "channel__team").get(pk=pk)


def deliver(message: Message, clock: Clock) -> str:
    """Send a message this worker has claimed and write down what became of it; the state it is in then."""
    now, channel = clock(), message.channel
    if message.attempts > MOST_ATTEMPTS:
        return _end(message, State.FAILED, error=message.error or "Workers died while sending it.")
    to = recipient_of(channel)
    entries = [one for one in message.entries.order_by("pk") if to is not None and _may_know(to, one)]
    if to is None or not entries:
        return _end(message, State.DROPPED, error="The channel is off, or nobody may know of it any more.")
    before = _before(message, entries[0])
    later = _not_before(message, before, now)
    if later > now:
        return _end(message, State.WAITING, not_before=later, attempts=F("attempts") - 1)
    ticket = _reference(before)
    if not ticket and entries[0].is_over and BY_NAME[channel.kind].is_ticket:
        return _end(message, State.DROPPED, error="There is no ticket of it to close: none was opened.")
    try:
        reference = _send(message, channel, entries, to, now, ticket)
    except NotSent as failure:
        return _failed(message, now, failure)
    failpoint("outbox.sent")
    recipient = to.address[:254] if channel.kind == "email" else ""
    return _end(message, State.SENT, sent_at=clock(), recipient=recipient, reference=reference, error="")


def _may_know(to: Recipient, entry: Entry) -> bool:
    return entry.kind == TEST or to.may_know(entry.team)


def _before(message: Message, entry: Entry) -> QuerySet[Message]:
    """The messages that told a ticket of the same fact before."""
    is_ticket = BY_NAME[message.channel.kind].is_ticket and entry.thread
    known = Message.objects.filter(channel=message.channel_id, entries__thread=entry.thread, pk__lt=message.pk)
    return known.order_by("-pk") if is_ticket else known.none()


def _not_before(message: Message, before: QuerySet[Message], now: datetime) -> datetime:
    """When it may go: out of quiet hours, and a ticket is not closed before it is opened."""
    if (first := before.filter(state__in=(State.WAITING, State.SENDING)).first()) is not None:
        return max(now + FIRST_WAIT, first.not_before)
    return now if message.is_urgent else free_from(message.channel, now)


def _reference(before: QuerySet[Message]) -> str:
    """What the other side calls the ticket there is; empty without one."""
    return before.filter(state=State.SENT).exclude(reference="").values_list("reference", flat=True).first() or ""


def _send(message: Message, channel: Channel, entries: list[Entry], to: Recipient, now: datetime, ticket: str) -> str:
    secrets = Secrets()
    try:
        secrets = unseal(channel.secrets, again="change the channel")
        kind = BY_NAME[channel.kind]
        letter = letters.write(message, entries, channel.language, kind.markup)
        going = Going(letter, channel.options, secrets, to.address, to.name, now, ticket)
        return kind.send(going)
    except NotSent as failure:
        raise failure.saying(secrets.hide(str(failure))) from None
    except CostOpsError as failure:
        raise NotSent(secrets.hide(str(failure)), is_final=True) from None
    except SoftTimeLimitExceeded:  # the message is followed as that of a dead worker
        raise
    except Exception as failure:  # noqa: BLE001  # whatever is wrong with one channel, the others are told
        logger.error("message %d: failed\n%s", message.pk, secrets.hide(format_exc()))
        raise NotSent(f"It failed for a fault of CostOps ({type(failure).__name__}); see the log.") from None


def _failed(message: Message, now: datetime, failure: NotSent) -> str:
    error = str(failure)[:1000]
    logger.warning("message %d by channel %d: %s", message.pk, message.channel_id, error)
    if failure.is_final or message.attempts >= MOST_ATTEMPTS:
        return _end(message, State.FAILED, error=error)
    wait = max(wait_after(message.attempts), timedelta(seconds=failure.wait_seconds))
    return _end(message, State.WAITING, not_before=now + wait, error=error)


def wait_after(attempts: int) -> timedelta:
    """Twice as long after each attempt, up to four hours, and up to a half less, so that not all come at once."""
    full = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempts - 1))
    return timedelta(seconds=full.total_seconds() * _dice.uniform(0.5, 1))


def _end(message: Message, state: str, **facts: object) -> str:
    """Write down how an attempt ended, unless another worker has taken the message over."""
    mine = Message.objects.filter(pk=message.pk, state=State.SENDING, claimed_at=message.claimed_at)
    mine.update(state=state, **facts)
    return state


def retry(message: Message, now: datetime) -> bool:
    """Somebody wants it tried again; whether there was anything to try."""
    again = Message.objects.filter(pk=message.pk, state__in=(State.FAILED, State.DROPPED))
    return bool(again.update(state=State.WAITING, attempts=0, not_before=now, claimed_at=None))
