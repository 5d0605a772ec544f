"""Bells: a message only wakes a worker; what is to be done stands in the database."""

import logging
from multiprocessing.sharedctypes import RawValue
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.pipeline import services

logger = logging.getLogger(__name__)

SECONDS = 20 * 60
"""How long one task goes on taking runs; then it rings for the next, well below the time limit of a task."""


_ending = RawValue("b", 0)
"""Set in the parent of workers that is asked to end: its children, forked since, take no more runs. It has no lock,
which a killed child could keep for ever."""


@worker_shutting_down.connect
def _take_no_more(**_facts: Any) -> None:
    _ending.value = 1


@shared_task(acks_late=True)
def tick(**_later: Any) -> None:
    """Every minute: plan what is due, and wake a worker when there is anything to do."""
    if services.tick(now=timezone.now()):
        ring()


@shared_task(acks_late=True)
def run_due(**_later: Any) -> None:
    """Do what is planned, one run after another."""
    if services.work(now=timezone.now(), seconds=SECONDS, is_over=lambda: bool(_ending.value)):
        ring()


def ring() -> None:
    """Wake a worker once what was written is committed. A broker that is down costs a minute: the tick rings again."""
    transaction.on_commit(_ring)


def _ring() -> None:
    try:
        run_due.apply_async(retry=False, expires=SECONDS)
    except OperationalError as error:
        logger.warning("The broker cannot be reached, the next tick rings again: %s", error)
