"""The bell of the daily scrub."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.ingest import leftovers
from apps.ingest.scrub import scrub as read_again

SECONDS = 40 * 60
"""Well below the time limit of a task; what it does not come to is first the next day."""


@shared_task
def scrub(**_later: Any) -> str:
    """Read what lies on the disk again. Repeating it reads it once more."""
    done = read_again(timezone.now(), seconds=SECONDS)
    swept = leftovers.sweep(timezone.now())
    return f"{done.files} files, {done.left} left" + (f", {swept} orphans swept" if swept else "")
