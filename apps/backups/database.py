"""The control database as one file, whichever it is: rows of every table as they were at one moment."""

import gzip
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from apps.finops.errors import CostOpsError

CHUNK = 1 << 20


class OtherDatabase(CostOpsError):
    """A copy cannot be taken into this database."""


def save(path: Path) -> None:
    """Write the database into a file that was not there."""
    if connection.vendor == "sqlite":
        _save_sqlite(path)
    else:
        _save_postgres(path)


def load(path: Path) -> None:
    """Replace everything in the database by what a file holds, or nothing."""
    kind = "sqlite" if path.open("rb").read(15) == b"SQLite format 3" else "postgresql"
    if kind != connection.vendor:
        raise OtherDatabase(f"The copy is of {kind}, this database is {connection.vendor}: they cannot be exchanged.")
    if kind == "sqlite":
        _load_sqlite(path)
    else:
        _load_postgres(path)


# --- SQLite: its own online copy ------------------------------------------------------------------------------------
def _save_sqlite(path: Path) -> None:
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
    copy.close()


def _load_sqlite(path: Path) -> None:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as copy:
        if (said := copy.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise OtherDatabase(f"The copy of the database is damaged: {said}")
        connection.ensure_connection()
        copy.backup(connection.connection)
    copy.close()
    connection.close()


# --- PostgreSQL: COPY of every table in one snapshot --------------------------------------------------------------
def _models() -> list[type[Model]]:
    return [
        model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy
    ]


def _tables() -> list[str]:
    return sorted({MigrationRecorder.Migration._meta.db_table, *(model._meta.db_table for model in _models())})


def _save_postgres(path: Path) -> None:
    """For each table a line of JSON (name, columns, length), then what COPY writes; all of it compressed."""
    with transaction.atomic(), connection.cursor() as cursor, gzip.open(path, "wb", compresslevel=5) as out:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in _tables():
            columns = _columns(table)
            rows = io.BytesIO()
            with cursor.copy(f"COPY {_quoted(table)} ({_listed(columns)}) TO STDOUT (FORMAT binary)") as copy:
                for piece in copy:
                    rows.write(piece)
            head = {"table": table, "columns": columns, "bytes": rows.tell()}
            out.write(json.dumps(head).encode() + b"\n" + rows.getvalue())


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return sorted(column.name for column in connection.introspection.get_table_description(cursor, table))


def _load_postgres(path: Path) -> None:
    """In one transaction: foreign keys are looked at when it ends, then counters go on after the largest number."""
    kept: set[str] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, _tables()))} CASCADE")
        for table, columns, rows in _pieces(path):
            if table not in _tables():
                raise OtherDatabase(f"The copy holds a table {table!r} that this version does not know.")
            with cursor.copy(f"COPY {_quoted(table)} ({_listed(columns)}) FROM STDIN (FORMAT binary)") as copy:
                copy.write(rows)
            kept.add(table)
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)


def _pieces(path: Path) -> Iterator[tuple[str, list[str], bytes]]:
    with gzip.open(path, "rb") as file:
        while line := file.readline():
            head = json.loads(line)
            yield head["table"], head["columns"], file.read(head["bytes"])


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _listed(columns: list[str]) -> str:
    return ", ".join(map(_quoted, columns))
