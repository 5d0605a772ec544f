"""The bell for rules: drafts that ask to be simulated, and the count of what the rules in force do."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.allocation import counting, rehearsal


@shared_task
def rehearse(**_later: Any) -> int:
    """Every minute: simulate the drafts that ask for it, and count the rules in force where nobody did."""
    done = rehearsal.rehearse_asked(now=timezone.now())
    counting.count_due(now=timezone.now())
    return done
