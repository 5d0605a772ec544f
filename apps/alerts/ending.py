"""Alerts that are over, and may be forgotten with what happened to them."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.alerts.models import Alert, AlertStep


def before(moment: datetime) -> QuerySet[Alert]:
    """Alerts that were resolved before a moment, and did not come back."""
    return Alert.objects.filter(state=Alert.State.RESOLVED, resolved_at__lt=moment)


def threads() -> list[str]:
    """What the notices of alerts that go on have in common: their end is told where their beginning was."""
    return [one.thread for one in Alert.objects.exclude(state=Alert.State.RESOLVED).only("pk", "opening")]


def forget(alerts: QuerySet[Any]) -> None:
    """Delete alerts, and their steps with them."""
    with transaction.atomic():
        AlertStep.objects.filter(alert__in=alerts).delete()
        alerts.delete()
