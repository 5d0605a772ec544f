"""The bell of deliveries."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.channels import delivering


@shared_task
def deliver(**_later: Any) -> str:
    """Deliver what is due. Repeating it sends nothing twice."""
    results = delivering.deliver_due(timezone.now)
    return ", ".join(f"{count} {state}" for state, count in sorted(results.items()))
