"""The control database as one file, whichever it is: rows of every table as they were at one moment."""

import gzip
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import quote

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from apps.finops.errors import CostOpsError

PIECE = 1 << 20
"""Bytes that are read and handed on at once: a table may be larger than the memory of who copies it."""


class OtherDatabase(CostOpsError):
    """A copy cannot be taken into this database."""


def save(path: Path) -> None:
    """Write the database into a file that was not there."""
    if connection.vendor == "sqlite":
        _save_sqlite(path)
    else:
        _save_postgres(path)


def check_kind(vendor: str) -> None:
    """Refuse a copy of the other database."""
    if vendor != connection.vendor:
        raise OtherDatabase(f"The copy is of {vendor}, this database is {connection.vendor}: they cannot be exchanged.")


def look(path: Path) -> None:
    """Refuse what `load` could not take: a copy of the other database, a damaged one, one of a newer version."""
    with path.open("rb") as file:
        check_kind("sqlite" if file.read(15) == b"SQLite format 3" else "postgresql")
    if connection.vendor == "sqlite":
        _check_sqlite(path)
    if unknown := sorted(_recorded(path) - _known()):
        app, name = unknown[0]
        raise OtherDatabase(
            f"The backup is of a newer version of CostOps, with the migration {app}.{name}: install that one, then "
            "restore."
        )
    if connection.vendor == "postgresql" and (missing := sorted(_applied() - _recorded(path))):
        app, name = missing[0]
        raise OtherDatabase(
            f"The backup is of an older version of CostOps, without the migration {app}.{name}, and rows of PostgreSQL "
            "go into tables of their own version only: install that one with an empty database, restore, then upgrade."
        )


def load(path: Path) -> None:
    """Replace everything in the database by what a file holds, or nothing; `look` has looked at it."""
    if connection.vendor == "sqlite":
        _load_sqlite(path)
    else:
        _load_postgres(path)


def newer() -> str:
    """A migration of a newer version that the database has; empty where it is of this one."""
    return next((f"{app}.{name}" for app, name in sorted(_applied() - _known())), "")


def _recorded(path: Path) -> set[tuple[str, str]]:
    """The migrations that were applied to the database of a copy: app and name."""
    return _recorded_sqlite(path) if connection.vendor == "sqlite" else _recorded_postgres(path)


def _applied() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def _known() -> set[tuple[str, str]]:
    """The migrations of this version."""
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return {*found, *((app, name) for migration in found.values() for app, name in migration.replaces)}


# --- SQLite: its own online copy ------------------------------------------------------------------------------------
def _save_sqlite(path: Path) -> None:
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
    copy.close()


def _check_sqlite(path: Path) -> None:
    with _opened(path) as copy:
        if (said := copy.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise OtherDatabase(f"The copy of the database is damaged: {said}")


def _recorded_sqlite(path: Path) -> set[tuple[str, str]]:
    with _opened(path) as copy:
        return set(copy.execute("SELECT app, name FROM django_migrations"))


def _load_sqlite(path: Path) -> None:
    with _opened(path) as copy:
        connection.ensure_connection()
        copy.backup(connection.connection)
    connection.close()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as copy:
        yield copy


# --- PostgreSQL: COPY of every table in one snapshot --------------------------------------------------------------
def _models() -> list[type[Model]]:
    return [
        model for model in apps.get_models(include_auto_created=True) if model._meta.managed and not model._meta.proxy
    ]


def _tables() -> list[str]:
    return sorted({MigrationRecorder.Migration._meta.db_table, *(model._meta.db_table for model in _models())})


def _saved_tables() -> list[str]:
    """Ours; of a database that a newer version has migrated also what it made: nothing says that it may be lost."""
    applied = _applied()
    if not applied - _known():
        return _tables()
    with connection.cursor() as cursor:
        there = connection.introspection.table_names(cursor)
    begins = tuple({f"{app}_" for app, _name in applied})
    return [table for table in there if table in _tables() or table.startswith(begins)]


def _save_postgres(path: Path) -> None:
    """For each table a line of JSON (name, columns, length), then what COPY writes; all of it compressed.

    The length is known at the end only: rows are compressed into a file beside, and put behind their line as they are,
    for what is compressed by parts may be put together. What is beside has no name, and goes with who wrote it.
    """
    with transaction.atomic(), connection.cursor() as cursor, path.open("wb") as out:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in _saved_tables():
            columns = _columns(table)
            with TemporaryFile(dir=path.parent) as rows:
                size = _copy_out(table, columns, rows)
                head = {"table": table, "columns": columns, "bytes": size}
                out.write(gzip.compress(json.dumps(head).encode() + b"\n"))
                rows.seek(0)
                shutil.copyfileobj(rows, out, PIECE)


def _copy_out(table: str, columns: list[str], rows: IO[bytes]) -> int:
    """Compress the rows of a table into a file; their size before."""
    statement = f"COPY {_quoted(table)} ({_listed(columns)}) TO STDOUT (FORMAT binary)"
    with (
        connection.cursor() as cursor,
        gzip.GzipFile(fileobj=rows, mode="wb", compresslevel=5) as compressed,
        io.BufferedWriter(compressed, PIECE) as packed,  # COPY tells row by row
        cursor.copy(statement) as copy,
    ):
        return sum(packed.write(piece) for piece in copy)


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return sorted(column.name for column in connection.introspection.get_table_description(cursor, table))


def _load_postgres(path: Path) -> None:
    """In one transaction: foreign keys are looked at when it ends, then counters go on after the largest number."""
    kept: set[str] = set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, _tables()))} CASCADE")
        for table, columns, rows in _copied_tables(path):
            if table not in _tables():
                raise OtherDatabase(f"The copy holds a table {table!r} that this version does not know.")
            with cursor.copy(f"COPY {_quoted(table)} ({_listed(columns)}) FROM STDIN (FORMAT binary)") as copy:
                for piece in rows:
                    copy.write(piece)
            kept.add(table)
        for statement in connection.ops.sequence_reset_sql(no_style(), _models()):
            cursor.execute(statement)


def _copied_tables(path: Path) -> Iterator[tuple[str, list[str], Iterator[bytes]]]:
    """Name, columns and rows of each; rows that nobody asked for before the next table are passed over."""
    with gzip.open(path, "rb") as file:
        while line := file.readline():
            head = json.loads(line)
            rows = _pieces(file, head["bytes"])
            yield head["table"], head["columns"], rows
            for _piece in rows:
                pass


def _pieces(file: gzip.GzipFile, size: int) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, PIECE))
        if not piece:
            raise OtherDatabase("The copy of the database is damaged: it ends within a table.")
        size -= len(piece)
        yield piece


def _recorded_postgres(path: Path) -> set[tuple[str, str]]:
    recorder = MigrationRecorder.Migration._meta.db_table
    for table, columns, rows in _copied_tables(path):
        if table == recorder:
            told = [dict(zip(columns, row, strict=True)) for row in _rows(b"".join(rows))]
            return {(row["app"].decode(), row["name"].decode()) for row in told}
    raise OtherDatabase(f"The copy of the database is damaged: it holds no table {recorder}.")


def _rows(copied: bytes) -> Iterator[list[bytes]]:
    """The rows of a binary COPY whose columns all have a value, each as it is sent.

    By PostgreSQL's manual (COPY, File Formats): a signature of 11 bytes, flags, the length of what follows them; then
    rows, of a number of columns with the length of each; the number -1 ends them.
    """
    at = 19 + int.from_bytes(copied[15:19])
    while (count := int.from_bytes(copied[at : at + 2], signed=True)) >= 0:
        row, at = [], at + 2
        for _column in range(count):
            end = at + 4 + int.from_bytes(copied[at : at + 4])
            row.append(copied[at + 4 : end])
            at = end
        yield row


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _listed(columns: list[str]) -> str:
    return ", ".join(map(_quoted, columns))
