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
    """Delete alerts, and their steps with them; one that came back meanwhile keeps all of its."""
    with transaction.atomic():
        still = list(alerts.select_for_update().values_list("pk", flat=True))
        AlertStep.objects.filter(alert__in=still).delete()
        Alert.objects.filter(pk__in=still).delete()
