"""The bell that prices are learned by, every day."""

from typing import Any

from celery import shared_task

from apps.prices import services


@shared_task
def learn(**_later: Any) -> str:
    """Learn the unit prices of every billing month anew. Repeating it learns the same."""
    try:
        return f"{services.learn().prices} prices"
    except services.NothingLearned as nothing:
        return str(nothing)
