"""Bells: a message only wakes a worker; what is to be done stands in the database."""

import logging
from multiprocessing.sharedctypes import RawValue
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import DatabaseError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.finops.steps import BELL_SECONDS
from apps.pipeline import bells, services, tidying

logger = logging.getLogger(__name__)

SECONDS = 5 * 60
"""How long one task goes on taking runs; then it rings for the next: a worker of several queues hears the others."""
MOST_BELLS = 16
"""Rung at once in one queue: more workers than that are woken by those."""


_ending = RawValue("b", 0)
"""Set in the parent of workers that is asked to end: its children, forked since, take no more runs. It has no lock,
which a killed child could keep for ever."""


@worker_shutting_down.connect
def _take_no_more(**_facts: Any) -> None:
    _ending.value = 1


def _is_ending() -> bool:
    return bool(_ending.value)


@shared_task(reject_on_worker_lost=True)
def tick(**_later: Any) -> None:
    """Every minute: plan what is due, and wake a worker when there is anything to do."""
    if services.tick(now=timezone.now()):
        ring()


@shared_task(reject_on_worker_lost=True)
def run_due(*, queue: str = "", **_later: Any) -> None:
    """Do what is planned of a queue, one run after another."""
    if services.work(now=timezone.now(), seconds=SECONDS, queue=queue, on_more=ring, is_over=_is_ending):
        ring()


@shared_task
def forget_heard(**_later: Any) -> int:
    """Every hour: take the bells that were heard out of the file they are kept in, where there is no Redis."""
    return bells.forget_heard()


@shared_task
def tidy(**_later: Any) -> str:
    """Every night: let go what is old. Repeating it changes nothing more."""
    done = tidying.tidy(timezone.now())
    files = done.publications.reclaimed.files
    return f"{done.publications.let_go} publications let go, {files} files taken away, {done.runs} runs forgotten"


def ring() -> None:
    """Wake a worker for each run at hand, once what was written is committed.

    A broker that is down costs a minute: the tick rings again.
    """
    transaction.on_commit(_ring)


def _ring() -> None:
    try:
        for queue, runs in services.at_hand().items():
            for _ in range(min(runs, MOST_BELLS)):
                run_due.apply_async(kwargs={"queue": queue}, queue=queue, retry=False, expires=BELL_SECONDS)
    except (OperationalError, DatabaseError) as error:
        logger.warning("Broker or database cannot be reached, the next tick rings again: %s", error)
