"""The Celery application and its beat schedule: bells that ring; what is due stands in the database."""

import logging.config
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import (
    celeryd_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)
from django.conf import settings
from kombu import Queue

from apps.finops.steps import BELL_SECONDS, QUEUES
from costops import hearing, loading, starting, telemetry
from costops.alive import Alive

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")

app = Celery("costops", task_cls=hearing.Bell)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name) for name in QUEUES]  # a worker that is told no `-Q` serves them all
app.conf.task_default_queue = "io"
app.conf.task_routes = {
    "apps.allocation.tasks.rehearse": {"queue": "compute"},
    "apps.prices.tasks.learn": {"queue": "learn"},
}
app.autodiscover_tasks()
_bell = {"expires": BELL_SECONDS}
BEATS: dict[str, dict[str, Any]] = {
    "tick": {"task": "apps.pipeline.tasks.tick", "schedule": 60.0, "options": _bell},
    "deliver": {"task": "apps.channels.tasks.deliver", "schedule": 60.0, "options": _bell},
    "forget heard": {"task": "apps.pipeline.tasks.forget_heard", "schedule": crontab(minute="35"), "options": _bell},
    "watch": {"task": "apps.alerts.tasks.watch", "schedule": crontab(minute="*/5"), "options": _bell},
    "rehearse rules": {"task": "apps.allocation.tasks.rehearse", "schedule": 60.0, "options": _bell},
    "scrub": {"task": "apps.ingest.tasks.scrub", "schedule": crontab(hour="3", minute="20")},
    "tidy": {"task": "apps.pipeline.tasks.tidy", "schedule": crontab(hour="4", minute="40")},
    "learn prices": {"task": "apps.prices.tasks.learn", "schedule": crontab(hour="5", minute="40")},
    "finish audit": {"task": "apps.audit.tasks.finish", "schedule": crontab(minute="*/10"), "options": _bell},
    "forget requests": {"task": "apps.api.tasks.forget_requests", "schedule": crontab(hour="4", minute="10")},
    "weekly report": {"task": "apps.reports.tasks.send_weekly", "schedule": crontab(minute="*/15"), "options": _bell},
}
app.conf.beat_schedule = BEATS  # written only: whoever reads from it has all settings read
hearing.listen(bell["task"] for bell in BEATS.values())


@app.on_configure.connect
def read_settings(**_facts: Any) -> None:
    """Before Celery asks for the first of them."""
    starting.read_settings()


@setup_logging.connect
def log_as_settings_say(loglevel: int | None = None, **_facts: Any) -> None:
    """Worker and beat write lines as all processes do; Celery's own way would take the place of it. `--loglevel` is
    for what Celery itself says."""
    logging.config.dictConfig(settings.LOGGING)
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(loglevel or logging.INFO)


@celeryd_init.connect
def begin_loading(**_facts: Any) -> None:
    """A worker imports its tasks between this and `worker_init`; then it forks."""
    loading.begin()


@worker_init.connect
def end_loading(**_facts: Any) -> None:
    """Before the fork: what nobody looks through is not copied for each process; nor is it in the broker's file."""
    from apps.pipeline import bells  # needs its apps

    starting.check()
    bells.forget_heard()
    loading.end()


@worker_process_init.connect
def start_telemetry(**_facts: Any) -> None:
    """In every process that works: what watches them does not survive a fork."""
    telemetry.start()


_alive: Alive | None = None


@worker_ready.connect
@task_prerun.connect
@task_postrun.connect
def say_alive(signal: Any = None, **_facts: Any) -> None:
    """Where COSTOPS_WORKER_SIGN asks for it: by the worker once it is ready, then by its children, a task at a time."""
    if not settings.COSTOPS_WORKER_SIGN:
        return
    global _alive
    _alive = _alive or Alive(Path(settings.COSTOPS_WORKER_SIGN))
    {task_prerun: _alive.begin, task_postrun: _alive.end}.get(signal, _alive.touch)()
