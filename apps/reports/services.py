"""Sending weekly reports: each once per team, week and recipient, however many workers try."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import validate_email
from django.db.models import F, Q

from apps.marts.selectors import NothingPublished
from apps.reports.letters import as_mail, message_id, write_letter
from apps.reports.models import Delivery
from apps.reports.selectors import is_published, weekly_report
from apps.reports.weeks import Week, waited_long_enough, week_to_send
from apps.teams.models import Team
from apps.teams.selectors import active_teams

logger = logging.getLogger(__name__)

REPORT = "weekly"
MAX_ATTEMPTS = 8
CLAIM_HOLDS = timedelta(minutes=15)
"""A claim older than this was left by a worker that died: one mail takes seconds, the mail server may take 20."""

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: `sent`, `failed`, or `skipped` (sent before, or being sent by another worker)."""

    team: str
    recipient: str
    result: str
    message: str = ""


def send_due(clock: Clock) -> list[Outcome]:
    """Send what is due: from Monday 08:00 on, once the week's bills are there or had time to arrive."""
    now, zone = clock(), ZoneInfo(settings.COSTOPS_TIME_ZONE)
    week = week_to_send(now, zone)
    if week is None:
        return []
    try:
        ready = is_published(week, whole=not waited_long_enough(week, now, zone))
    except NothingPublished:
        return []
    return send_week(week, teams_to_tell(), clock=clock) if ready else []


def teams_to_tell(name: str | None = None) -> list[Team]:
    """The active teams that have somebody to write to; all, or the one of a name."""
    return [team for team in active_teams() if team.lead_email and name in (None, team.name)]


def send_week(week: Week, teams: Iterable[Team], *, clock: Clock, currency: str = "") -> list[Outcome]:
    """Send one week's reports to these teams' leads, except those sent before; converted where a currency is given, or
    the installation has one for its reports."""
    chosen = currency or settings.COSTOPS_REPORT_CURRENCY
    return [_send(delivery_of(week, team), team, week, clock=clock, currency=chosen) for team in teams]


def delivery_of(week: Week, team: Team) -> Delivery:
    """The row that stands for one mail; made when it is first thought of."""
    recipient = team.lead_email.strip()
    found, _created = Delivery.objects.get_or_create(
        report=REPORT,
        team=team.name,
        period=str(week),
        recipient=recipient,
        defaults={"message_id": message_id(REPORT, str(week), team.name, recipient)},
    )
    return found


def claim(delivery: Delivery, now: datetime) -> bool:
    """Take a delivery for this worker. Of any number of workers that try, one succeeds."""
    free = Q(state=Delivery.State.WAITING) | Q(state=Delivery.State.SENDING, claimed_at__lt=now - CLAIM_HOLDS)
    mine = Delivery.objects.filter(free, pk=delivery.pk, attempts__lt=MAX_ATTEMPTS)
    return mine.update(state=Delivery.State.SENDING, attempts=F("attempts") + 1, claimed_at=now) == 1


def _send(delivery: Delivery, team: Team, week: Week, *, clock: Clock, currency: str) -> Outcome:
    claimed_at = clock()
    if not claim(delivery, claimed_at):
        return Outcome(team.name, delivery.recipient, "skipped")
    try:
        validate_email(delivery.recipient)
        report = weekly_report(team, week, currency)
        letter = write_letter(report, inline=False)
        mail = as_mail(letter, recipient=delivery.recipient, name=team.lead_name, message_id=delivery.message_id)
        mail.send()
    except Exception as failure:  # noqa: BLE001  # whatever is wrong with one team's mail, the others get theirs
        return _failed(delivery, claimed_at, failure)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.SENT, sent_at=clock(), publication=report.publication.number, message=""
    )
    return Outcome(team.name, delivery.recipient, "sent")


def _failed(delivery: Delivery, claimed_at: datetime, failure: Exception) -> Outcome:
    """Write down what went wrong; try again later, unless it was tried often enough or another worker has it now."""
    message = f"{type(failure).__name__}: {failure}"[:2000]
    logger.warning("mail to the lead of %s failed: %s", delivery.team, message)
    mine = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENDING, claimed_at=claimed_at)
    mine.filter(attempts__lt=MAX_ATTEMPTS).update(state=Delivery.State.WAITING, message=message)
    mine.filter(attempts__gte=MAX_ATTEMPTS).update(state=Delivery.State.FAILED, message=message)
    return Outcome(delivery.team, delivery.recipient, "failed", message)
