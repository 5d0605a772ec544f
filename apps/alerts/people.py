"""What people do with alerts, and who may: take note of one, before others are told."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.alerts.models import Alert, AlertStep
from apps.alerts.telling import circles, tell_more
from apps.finops.errors import CostOpsError
from apps.finops.notices import SEVERITIES
from apps.teams.approval import Actor, NotYours

MOST_NOTE = 2000
DEFAULT_HOURS = {"warning": 24, "critical": 4}
"""After so many hours without a note the next circle is told; of mere information nobody is."""


class NotOpen(CostOpsError):
    """There is nothing to acknowledge: it is, or it is over."""


class BadNote(CostOpsError):
    """A note that cannot be kept."""


class BadHours(CostOpsError):
    """COSTOPS_ESCALATION_HOURS cannot be read."""


def may_acknowledge(by: Actor, alert: Alert) -> bool:
    """Members of its team and finance; what is the company's is finance's."""
    return by.teams is None or alert.team in by.teams


def acknowledge(alert: Alert, *, by: Actor, note: str, now: datetime) -> None:
    """Take note of an alert: nobody further is told, unless it becomes graver or comes back."""
    if not may_acknowledge(by, alert):
        raise NotYours("An alert is for members of its team, or finance, to acknowledge.")
    if len(note) > MOST_NOTE or "\x00" in note:
        raise BadNote(f"note: at most {MOST_NOTE} characters.")
    with transaction.atomic():
        mine = Alert.objects.filter(pk=alert.pk, state=Alert.State.OPEN, opening=alert.opening)
        if not mine.update(state=Alert.State.ACKNOWLEDGED, acknowledged_by=by.name, acknowledged_at=now):
            raise NotOpen(f"Alert {alert.pk} is not open: somebody acknowledged it, or it is over.")
        AlertStep.objects.create(
            alert=alert, at=now, by=by.name, action="acknowledge", severity=alert.severity, note=note.strip()
        )
    alert.refresh_from_db()


def escalate(*, now: datetime) -> int:
    """Tell the next circle of what nobody took note of for long enough; of how many alerts."""
    hours = hours_to_wait()
    told = 0
    for alert in Alert.objects.filter(state=Alert.State.OPEN, severity__in=hours).order_by("pk"):
        after = hours[alert.severity] * (alert.escalated + 1)
        if alert.escalated + 1 < len(circles(alert)) and alert.raised_at + timedelta(hours=after) <= now:
            told += _escalate(alert, after, now)
    return told


def _escalate(alert: Alert, hours: int, now: datetime) -> bool:
    with transaction.atomic():
        mine = Alert.objects.filter(
            pk=alert.pk, state=Alert.State.OPEN, escalated=alert.escalated, opening=alert.opening,
            severity=alert.severity,
        )  # fmt: skip
        if not mine.update(escalated=alert.escalated + 1):
            return False
        AlertStep.objects.create(alert=alert, at=now, action="escalate", severity=alert.severity)
        tell_more(alert, alert.escalated + 1, hours, now)
    return True


def hours_to_wait() -> dict[str, int]:
    """By severity; `severity=0` in COSTOPS_ESCALATION_HOURS means never."""
    found = dict(DEFAULT_HOURS)
    for text in settings.COSTOPS_ESCALATION_HOURS:
        severity, _, hours = (part.strip() for part in text.partition("="))
        if severity not in SEVERITIES or not (hours.isascii() and hours.isdigit() and len(hours) < 5):
            raise BadHours(f"COSTOPS_ESCALATION_HOURS: {text!r} is not a severity and its hours, such as critical=4.")
        found[severity] = int(hours)
    return {severity: hours for severity, hours in found.items() if hours}
