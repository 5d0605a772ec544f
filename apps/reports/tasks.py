"""The bell of the weekly report."""

from collections import Counter
from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.reports import services


@shared_task
def send_weekly(**_later: Any) -> str:
    """Send the weekly reports that are due and not sent yet. Repeating it sends nothing twice."""
    results = Counter(outcome.result for outcome in services.send_due(timezone.now))
    return ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
