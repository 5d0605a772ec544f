"""Two real workers on a real broker that brings every message again and again: each effect is there once."""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from apps.channels.models import Entry, Message
from apps.finops.tables import ALLOCATED, CHARGES
from apps.ingest.models import LandedFile
from apps.marts.models import Publication
from apps.pipeline.models import StepRun
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.channels.worlds import a_channel, a_notice, send
from tests.faults.generations import DAYS, STEPS, cost_of
from tests.faults.runs import IS_SOAK
from tests.pipeline.world import School
from tests.reports.test_processes import database_url
from tests.servers.hooks import running_receiver
from tests.servers.installation import ROOT
from tests.servers.process import Process, start

pytestmark = [pytest.mark.timeout(900 if IS_SOAK else 300), pytest.mark.django_db(transaction=True)]
TIMES = 500 if IS_SOAK else 25
LETTERS = 4
QUEUES = ("io", "compute")
BELLS = (
    ("apps.pipeline.tasks.tick", "io", {}),
    ("apps.pipeline.tasks.run_due", "io", {"queue": "io"}),
    ("apps.pipeline.tasks.run_due", "compute", {"queue": "compute"}),
)
"""What brings a bill in and publishes it."""
DELIVER = ("apps.channels.tasks.deliver", "io", {})
"""What sends that which stands in the outbox."""


@contextmanager
def two_workers(folder: Path, environment: dict[str, str]) -> Iterator[list[Process]]:
    command = [sys.executable, "-m", "celery", "-A", "costops", "worker", "--concurrency", "1", "--loglevel", "INFO"]
    workers = [
        start(
            [*command, "--queues", ",".join(QUEUES), "--hostname", f"{name}@here"],
            log=folder / f"{name}.log",
            environment=environment,
            cwd=ROOT,
        )
        for name in ("one", "two")
    ]
    try:
        for worker in workers:
            worker.wait_until(lambda log=worker.log: " ready." in log.read_text(errors="replace"), what="The worker")
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def ring_again_and_again(url: str) -> None:
    """Every message so many times, before anybody can have done the work of the first."""
    with Celery(broker=url) as app, app.producer_or_acquire() as producer:
        for task, queue, kwargs in [DELIVER] * 2 + [*BELLS, DELIVER] * TIMES:
            app.send_task(task, queue=queue, kwargs=kwargs, producer=producer)


def is_all_heard(broker: Redis) -> bool:
    """Whether no message waits or is being worked on, and nothing is left to do for these workers."""
    if any(broker.llen(queue) for queue in QUEUES) or broker.hlen("unacked"):
        return False
    return not StepRun.objects.filter(step__in=STEPS, state__in=StepRun.ACTIVE).exists()


def done_by(worker: Process) -> Counter[str]:
    return Counter(re.findall(r"Task ([\w.]+)\[[\w-]+\] succeeded", worker.log.read_text(errors="replace")))


def test_two_workers_that_hear_everything_again_and_again_do_it_once(
    home: Path, redis_server: Any, smtp_server: Any, settings: Any
) -> None:
    redis_server.flush()
    smtp_server.clear()
    School.open(home / "school")
    with running_receiver() as receiver:
        settings.COSTOPS_CHANNEL_HOSTS = [f"127.0.0.1:{receiver.port}"]
        channels = [a_channel("webhook", name="hook", url=receiver.url, secret="hush"), a_channel("email", name="mail")]
        for number in range(LETTERS):
            for channel in channels:
                send(a_notice(f"n {number}", thread=""), to=channel)
        environment = os.environ | {
            "COSTOPS_HOME": str(home), "COSTOPS_DATABASE_URL": database_url(), "COSTOPS_REDIS_URL": redis_server.url,
            "COSTOPS_SECRET_KEY": settings.SECRET_KEY, "COSTOPS_EMAIL_URL": smtp_server.url, "COSTOPS_THREADS": "1",
            "COSTOPS_CHANNEL_HOSTS": settings.COSTOPS_CHANNEL_HOSTS[0],
        }  # fmt: skip
        with two_workers(home, environment) as workers, Redis.from_url(redis_server.url) as broker:
            receiver.gate.clear()
            ring_again_and_again(redis_server.url)
            workers[0].wait_until(lambda: len(receiver.posted) == 1, what="The first letter")
            receiver.gate.set()
            deadline = time.monotonic() + (600 if IS_SOAK else 120)
            while not (Publication.objects.exists() and is_all_heard(broker)) and time.monotonic() < deadline:
                time.sleep(0.1)
            heard = [done_by(worker) for worker in workers]
            said = "".join(worker.log.read_text(errors="replace")[-2000:] for worker in workers)
    assert all(sum(one.values()) >= 1 for one in heard), heard
    assert all(sum(heard, Counter())[task] >= TIMES for task, *_ in (*BELLS, DELIVER)), (heard, said)

    runs = list(StepRun.objects.filter(step__in=STEPS).values_list("step", "key", "state", "attempt"))
    assert {(state, attempt) for *_, state, attempt in runs} == {("done", 1)}, runs
    bills = LandedFile.objects.filter(source__name="bill").values_list("path", "state", "revision")
    assert list(bills) == [("2026-10.csv", "current", 1)]
    for table, column in ((CHARGES, "EffectiveCost"), (ALLOCATED, "effective_cost")):
        ((cost,),) = rows_of(lake.scan(table).aggregate(cost=lake.scan(table)[column].sum()))
        assert cost == cost_of(0), table.name
    assert rows_of(lake.scan(CHARGES).aggregate(rows=lake.scan(CHARGES).count())) == [(3 * DAYS,)]
    assert [one.totals["CNY"] for one in Publication.objects.all()] == [f"{cost_of(0):.12f}"]
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert Entry.objects.count() == Message.objects.count() == 2 * LETTERS
    hooked = Message.objects.filter(channel__name="hook").values_list("message_id", flat=True)
    assert sorted(one.headers["X-CostOps-Delivery"] for one in receiver.posted) == sorted(hooked)
    assert len(smtp_server.messages) == LETTERS
