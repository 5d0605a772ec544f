"""`manage.py migrate`: Django's own, which on PostgreSQL gives up a lock it does not get within seconds.

A migration that waits for a table keeps everybody waiting who comes after it, readers too: one long question, and the
site stands still.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.warehouse.commands import TerminalCommand

LOCK_SECONDS = 5
ONE_AT_A_TIME = 0x436F7374
"""The advisory lock of whoever migrates."""
LOCK_NOT_AVAILABLE = "55P03"
GAVE_UP = (
    "A table was in use, or another migrate at work, for longer than {seconds} s: given up, that nobody waits behind "
    "it. The migration that waited changed nothing, those before it are applied. Run it again when less is going on; "
    "who holds the table tells SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start."
)
NOT_UTF8 = (
    "This database keeps text as {encoding}, which cannot hold every name and sentence: nothing was changed. Make one "
    "that can (createdb --encoding=UTF8 --template=template0 NAME), bring there what is in this one, if anything is "
    "(pg_dump, psql), and name it in COSTOPS_DATABASE_URL."
)
EXAMPLES = """
Web and workers of the version before go on meanwhile. On PostgreSQL one migrate is at work at a time, and none waits
long for a table that is in use.

examples:
  manage.py migrate                    bring the database up to date
  manage.py migrate --check            exit status 1 while there is anything to apply
  manage.py migrate --plan             what would be applied
  manage.py migrate --lock-seconds 60  wait longer for tables, at night
"""


class Command(TerminalCommand, migrate.Command):
    """Django's command, impatient."""

    help = "Bring the tables of the database up to date; on PostgreSQL it gives up what it must wait for."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-seconds", type=int, default=LOCK_SECONDS,
            help=f"PostgreSQL: how long to wait for a lock (default {LOCK_SECONDS}; 0: for ever)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        connection, seconds = connections[options["database"]], options["lock_seconds"]
        only_looks = options["check_unapplied"] or options["plan"]
        _refuse_other_encodings(connection)
        try:
            with nullcontext() if only_looks else _impatient(connection, seconds):
                super().handle(*args, **options)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            raise CommandError(GAVE_UP.format(seconds=seconds)) from error


def _refuse_other_encodings(connection: BaseDatabaseWrapper) -> None:
    """A server made where no language was set (`initdb` with `LANG=C`) has SQL_ASCII: plain English only."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_encoding")
            (encoding,) = cursor.fetchone()
        if encoding != "UTF8":
            raise CommandError(NOT_UTF8.format(encoding=encoding))


@contextmanager
def _impatient(connection: BaseDatabaseWrapper, seconds: int) -> Iterator[None]:
    """Within, who waits for a lock on PostgreSQL gives up, and nobody else migrates."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds}s"])
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
    try:
        yield
    finally:
        if connection.is_usable():  # else the server has let go of both
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s), set_config('lock_timeout', '0', false)", [ONE_AT_A_TIME])
