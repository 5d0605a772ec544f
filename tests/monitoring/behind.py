"""A deploy on PostgreSQL in one process: at each stage what `migrate` said, and what `/readyz` did."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from apps.monitoring import readiness
from apps.monitoring.management.commands.migrate import ONE_AT_A_TIME
from apps.warehouse.schema import AddConstraintUnchecked, AddIndexBeside, CheckConstraintBeside

NEWER = "INSERT INTO django_migrations (app, name, applied) VALUES ('pipeline', '0999_of_a_newer_version', now())"


def stage() -> dict[str, Any]:
    """Try to migrate."""
    before, said = _ready(), ""
    try:
        call_command("migrate", "--verbosity", "0", "--lock-seconds", "1")
    except CommandError as error:
        said = str(error)
    return {"before": before, "said": said, "after": _ready()}


def _ready() -> list[Any]:
    answer = Client().get("/readyz", headers={"host": "localhost"})
    return [answer.status_code, answer.json()["checks"]["migrations"]["ok"]]


@contextmanager
def _reading(url: str, took: list[float]) -> Iterator[None]:
    """Within, somebody reads the table all the while; `took` gets the seconds of each answer."""
    over = threading.Event()

    def read() -> None:
        with psycopg.connect(url, autocommit=True) as reader:
            while not over.wait(0.02):
                asked = time.monotonic()
                reader.execute("SELECT count(*) FROM api_apitoken")
                took.append(time.monotonic() - asked)

    thread = threading.Thread(target=read)
    thread.start()
    yield
    over.set()
    thread.join()


CHECK = models.CheckConstraint(condition=models.Q(id__gt=0), name="made_beside")
BESIDE = (
    AddIndexBeside("apitoken", models.Index(fields=["name", "id"], name="built_beside")),
    AddConstraintUnchecked("apitoken", CHECK),
    CheckConstraintBeside("apitoken", "made_beside"),
)


def grow(*, back: bool = False) -> None:
    """An index and a constraint of a table that may be large, made while it is read; or taken away again."""
    states = [MigrationLoader(connection).project_state()]
    for operation in BESIDE:
        states.append(states[-1].clone())
        operation.state_forwards("api", states[-1])
    steps = list(zip(BESIDE, states, states[1:], strict=False))
    for operation, before, after in reversed(steps) if back else steps:
        with connection.schema_editor(atomic=False) as editor:
            if back:
                operation.database_backwards("api", editor, after, before)
            else:
                operation.database_forwards("api", editor, before, after)


VALID = (
    "SELECT indisvalid FROM pg_index WHERE indexrelid = 'built_beside'::regclass UNION ALL "
    "SELECT convalidated FROM pg_constraint WHERE conname = 'made_beside'"
)


def tell(url: str) -> None:
    """The stages of the deploy."""
    readiness.KEPT_SECONDS = 0.0  # each asks anew
    took: list[float] = []
    told = {"on an empty database": stage()}
    call_command("migrate", "api", "0002", "--verbosity", "0")
    with psycopg.connect(url) as other:
        other.execute("SELECT count(*) FROM api_apitoken")  # a long question: its transaction goes on
        with _reading(url, took):
            told["while its table is in use"] = stage()
        other.rollback()
        other.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
        told["beside another migrate"] = stage()
    told["when nothing is in its way"] = stage()
    with _reading(url, []):
        grow()
    with psycopg.connect(url) as newer:
        valid = [row[0] for row in newer.execute(VALID)]
        newer.execute(NEWER)
    told["beside a newer version"] = stage()
    sys.stdout.write("TOLD" + json.dumps([told, max(took), valid]))
