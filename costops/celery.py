"""The Celery application and its beat schedule: bells that ring; what is due stands in the database."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init

from costops import telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")

app = Celery("costops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    # A bell that nobody heard for a minute is not worth hearing: the next one says the same.
    "tick": {"task": "apps.pipeline.tasks.tick", "schedule": 60.0, "options": {"expires": 55}},
    "deliver": {"task": "apps.channels.tasks.deliver", "schedule": 60.0, "options": {"expires": 55}},
    "watch": {"task": "apps.alerts.tasks.watch", "schedule": crontab(minute="*/5"), "options": {"expires": 4 * 60}},
    "rehearse rules": {"task": "apps.allocation.tasks.rehearse", "schedule": 60.0, "options": {"expires": 55}},
    "scrub": {"task": "apps.ingest.tasks.scrub", "schedule": crontab(hour="3", minute="20")},
    "learn prices": {"task": "apps.prices.tasks.learn", "schedule": crontab(hour="5", minute="40")},
    "forget requests": {"task": "apps.api.tasks.forget_requests", "schedule": crontab(hour="4", minute="10")},
    "weekly report": {
        "task": "apps.reports.tasks.send_weekly",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 14 * 60},
    },
}


@worker_process_init.connect
def start_telemetry(**_facts: Any) -> None:
    """In every process that works: what watches them does not survive a fork."""
    telemetry.start()
