"""The bell of deliveries."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.channels import delivering

SECONDS = 40.0
"""How long one task takes messages: the bell rings again within the minute, and there is other work."""
MOST_SECONDS = 110
"""When a task is ended whose message takes that long: a server may answer a byte at a time."""


@shared_task(soft_time_limit=MOST_SECONDS)
def deliver(**_later: Any) -> str:
    """Deliver what is due. Repeating it sends nothing twice."""
    results = delivering.deliver_due(timezone.now, seconds=SECONDS)
    return ", ".join(f"{count} {state}" for state, count in sorted(results.items()))
