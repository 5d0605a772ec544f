"""Sending weekly reports: each once per report, team, week and recipient, however many workers try."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import make_msgid
from django.core.validators import validate_email
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.calendars.selectors import WorkingDays, today, working_days
from apps.finops.errors import CostOpsError
from apps.finops.windows import Window
from apps.marts.selectors import NothingPublished
from apps.reports import archive
from apps.reports.letters import Around, Facts, Letter, gather, mail_host, message_id, write_letter
from apps.reports.mail import Piece, as_mail, pieces
from apps.reports.models import Delivery, Report
from apps.reports.outlook import Together
from apps.reports.recipients import (
    Addressee,
    NoAddress,
    NotForYou,
    Target,
    addressees,
    may_read,
    reads_in,
    targets,
    unsubscribe_url,
)
from apps.reports.selectors import is_published
from apps.reports.weeks import Week, waited_long_enough, weeks_to_send
from apps.reports.written import site
from apps.teams.approval import Actor
from apps.teams.models import UNALLOCATED

logger = logging.getLogger(__name__)

State = Delivery.State
MAX_ATTEMPTS = 8
CLAIM_HOLDS = timedelta(minutes=15)
"""A claim older than this was left by a worker that died: one mail takes seconds, the mail server may take 20."""
DIED = (
    "The worker died while it sent this, at the last of {most} tries: it may have arrived. Send it again if it did not."
)

Clock = Callable[[], datetime]


class NotSent(CostOpsError):
    """The mail server did not take a mail."""


class NotTheirsAnyMore(CostOpsError):
    """Whoever a letter was for gets the report no more."""


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: `sent`, `kept`, `failed`, or `skipped` (done before, or by another worker now)."""

    report: str
    team: str
    recipient: str
    result: str
    message: str = ""


def send_due(clock: Clock) -> list[Outcome]:
    """Send what is due: from 08:00 of the first working day on, once the bills are there or had time to arrive."""
    now, zone = clock(), ZoneInfo(settings.COSTOPS_TIME_ZONE)
    give_up_left(now)
    archive.prune(now.astimezone(zone).date(), settings.COSTOPS_REPORT_WEEKS_KEPT)
    try:
        return [
            outcome
            for week in weeks_to_send(now, zone, _worked(now).is_working)
            if is_published(week, whole=not waited_long_enough(week, now, zone))
            for outcome in send_week(week, targets(), clock=clock)
        ]
    except NothingPublished:
        return []


def _worked(now: datetime) -> WorkingDays:
    """The working days around a moment."""
    day = today(now)
    return working_days(Window(day - timedelta(days=21), day + timedelta(days=42)))


def send_week(week: Week, wanted: Iterable[Target], *, clock: Clock, mail: bool = True) -> list[Outcome]:
    """Send one week's reports to whoever gets them, except those sent before; or keep them without mailing."""
    together = Together()
    return [outcome for target in wanted for outcome in _send_report(target, week, together, clock=clock, mail=mail)]


def _send_report(target: Target, week: Week, together: Together, *, clock: Clock, mail: bool) -> Iterable[Outcome]:
    @cache  # what a report says is asked for once, when the first recipient is due
    def facts() -> Facts:
        return gather(target.report, target.team, week, now=clock(), together=together)

    for addressee in addressees(target):
        yield _send(delivery_of(week, target, addressee), facts, clock=clock, mail=mail)


def delivery_of(week: Week, target: Target, addressee: Addressee) -> Delivery:
    """The row that stands for one mail; made when it is first thought of. An address in other capitals is the same."""
    letter = {"report": target.report, "team": target.name, "period": str(week)}
    if known := Delivery.objects.filter(**letter, recipient__same_address=addressee.address).order_by("pk").first():
        return known
    found, _created = Delivery.objects.get_or_create(
        **letter,
        recipient=addressee.address,
        defaults={
            "name": addressee.name,
            "language": addressee.language or settings.LANGUAGE_CODE,
            "message_id": message_id(target.report, str(week), target.name, addressee.address),
        },
    )
    return found


def claim(delivery: Delivery, now: datetime) -> bool:
    """Take a delivery for this worker. Of any number of workers that try, one succeeds."""
    free = Q(state__in=(State.WAITING, State.KEPT)) | Q(state=State.SENDING, claimed_at__lt=now - CLAIM_HOLDS)
    mine = Delivery.objects.filter(free, pk=delivery.pk, attempts__lt=MAX_ATTEMPTS)
    return mine.update(state=State.SENDING, attempts=F("attempts") + 1, claimed_at=now) == 1


def give_up_left(now: datetime) -> int:
    """Mark as given up what workers left while they sent it for the last time; how many that were."""
    left = Delivery.objects.filter(state=State.SENDING, attempts__gte=MAX_ATTEMPTS, claimed_at__lt=now - CLAIM_HOLDS)
    return left.update(state=State.FAILED, message=DIED.format(most=MAX_ATTEMPTS))


def _send(delivery: Delivery, facts: Callable[[], Facts], *, clock: Clock, mail: bool) -> Outcome:
    """Write a letter, keep it, and mail exactly what is kept; what was written before is mailed as it was."""
    told = (delivery.report, delivery.team, delivery.recipient)
    claimed_at = clock()
    if (not mail and delivery.state == State.KEPT) or not claim(delivery, claimed_at):
        return Outcome(*told, "skipped")
    try:
        validate_email(delivery.recipient)
        if not delivery.parts.exists():
            archive.keep(delivery, _letter(facts(), delivery))
        if mail:
            _mail(delivery, delivery.message_id)
    except SoftTimeLimitExceeded:  # the mail is followed as that of a dead worker
        raise
    except Exception as failure:  # noqa: BLE001  # whatever is wrong with one mail, the others get theirs
        return _failed(delivery, claimed_at, failure)
    done = {"state": State.SENT, "sent_at": clock()} if mail else {"state": State.KEPT, "attempts": 0}
    Delivery.objects.filter(pk=delivery.pk).update(**done, message="")
    return Outcome(*told, "sent" if mail else "kept")


def _letter(facts: Facts, delivery: Delivery) -> Letter:
    around = Around(
        permalink=f"{site()}{reverse('report-letter', args=[delivery.pk])}", unsubscribe=_unsubscribe(delivery)
    )
    return write_letter(facts, language=delivery.language, around=around)


def _unsubscribe(delivery: Delivery) -> str:
    return unsubscribe_url(delivery.report, delivery.team, delivery.recipient)


def _mail(delivery: Delivery, message: str) -> None:
    parts = archive.kept(delivery)
    mail = as_mail(
        delivery.subject, parts, recipient=delivery.recipient, name=delivery.name, message_id=message,
        unsubscribe=_unsubscribe(delivery),
    )  # fmt: skip
    mail.send()


def _failed(delivery: Delivery, claimed_at: datetime, failure: Exception) -> Outcome:
    """Write down what went wrong; try again later, unless it was tried often enough or another worker has it now."""
    message = f"{type(failure).__name__}: {failure}"[:2000]
    logger.warning("mail of %s to %s failed: %s", delivery.report, delivery.recipient, message)
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, claimed_at=claimed_at)
    mine.filter(attempts__lt=MAX_ATTEMPTS).update(state=State.WAITING, message=message)
    mine.filter(attempts__gte=MAX_ATTEMPTS).update(state=State.FAILED, message=message)
    return Outcome(delivery.report, delivery.team, delivery.recipient, "failed", message)


def may_resend(actor: Actor, delivery: Delivery) -> bool:
    """Whether somebody may send a letter again: who speaks for the team, or for all of them."""
    needed = delivery.team if delivery.report == Report.LEAD else UNALLOCATED
    return bool(actor.speaks_for((needed,)))


def resend(delivery: Delivery, *, actor: Actor, now: datetime) -> None:
    """Send a letter again to whom it was for, exactly as it is kept, as a mail of its own."""
    if not may_resend(actor, delivery):
        raise NotForYou("This letter is for those to send again who speak for its team, or finance.")
    if not _is_theirs(delivery):
        raise NotTheirsAnyMore(
            _("%(address)s gets this report no more: the right to it, or the wish for it, has ended.")
            % {"address": delivery.recipient}
        )
    repeated = Delivery.objects.filter(pk=delivery.pk)
    repeated.update(resent=F("resent") + 1, resent_at=now, resent_by=actor.name)
    delivery.refresh_from_db()
    told = (delivery.report, delivery.period, delivery.team, delivery.recipient, str(delivery.resent))
    _post(lambda: _mail(delivery, message_id(*told)))


def _is_theirs(delivery: Delivery) -> bool:
    """Whether the one a letter was for would get it today."""
    now = [one for target in targets(team=delivery.team or None, report=delivery.report) for one in addressees(target)]
    return delivery.recipient.casefold() in {one.address.casefold() for one in now}


def send_test(user: User, target: Target, week: Week, *, now: datetime) -> None:
    """Mail a report to the one who asks, marked as a test; the ledger knows nothing of it."""
    if not may_read(user, target.report, target.name):
        raise NotForYou("You may not read this report.")
    if not user.email:
        raise NoAddress(f"{user.get_username()} has no e-mail address; an administrator can enter one.")
    facts = gather(target.report, target.team, week, now=now)
    written = write_letter(facts, language=reads_in(user), around=Around(is_test=True))
    parts: list[Piece] = pieces(written)
    name = user.get_full_name() or user.get_username()
    own_id = make_msgid(domain=mail_host())
    _post(lambda: as_mail(written.subject, parts, recipient=user.email, name=name, message_id=own_id).send())


def _post(send: Callable[[], object]) -> None:
    try:
        send()
    except OSError as failure:  # smtplib's own failures are OSErrors too
        raise NotSent(f"The mail server did not take it: {type(failure).__name__}: {failure}"[:500]) from failure
