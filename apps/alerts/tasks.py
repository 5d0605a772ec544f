"""The bell of alerts that time makes due."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.alerts import people, services


@shared_task
def watch(**_later: Any) -> str:
    """Look at the rules whose time has come, then tell further people of what nobody took note of."""
    now = timezone.now()
    found = services.check_due(now=now)
    return f"{found.rows} so, {people.escalate(now=now)} told to more people"
