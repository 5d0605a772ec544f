"""What every command at the terminal does the same way: a sentence for whatever a person can mend, and no traceback."""

import argparse
import errno
import subprocess
import sys

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ConnectionHandler, OperationalError

from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import count

PRINTS = """
import django
django.setup()
from apps.warehouse.commands import TerminalCommand
class Command(TerminalCommand):
    requires_migrations_checks = False
    def handle(self, **options):
        for number in range(200_000):
            self.stdout.write(f"row {number}")
Command().run_from_argv(["manage.py", "rows"])
"""


class Refused(TerminalCommand):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def handle(self, **options):
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "/b/x"), "/b/x: Not a directory.", id="a place"
        ),
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), "No space left on device.", id="a disk"),
        pytest.param(OSError("no errno"), "no errno.", id="words"),
        pytest.param(BrokenPipeError(errno.EPIPE, "Broken pipe"), "Broken pipe.", id="a server that is gone"),
    ],
)
def test_what_the_machine_refuses_is_one_sentence(error, said):
    with pytest.raises(CommandError) as told:
        call_command(Refused(error))
    assert str(told.value) == said


def filled(tmp_path, django_db_blocker):
    """What SQLite says where it may not grow."""
    here = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "small.sqlite3"}
    small = ConnectionHandler({"default": here})["default"]
    with django_db_blocker.unblock(), small.cursor() as cursor:
        cursor.execute("CREATE TABLE told (text text)")
        cursor.execute("PRAGMA max_page_count = 2")
        with pytest.raises(OperationalError) as full:
            cursor.execute("INSERT INTO told VALUES (zeroblob(1000000))")
        small.close()
    return full.value


def extended(*_):
    """What Django makes of a PostgreSQL without room."""
    try:
        try:
            raise psycopg.errors.DiskFull('could not extend file "base/1/2": No space left on device')
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error
    except OperationalError as error:
        return error


@pytest.mark.parametrize(("full", "said"), [(filled, "database or disk is full"), (extended, "could not extend file")])
def test_a_full_disk_of_the_database_is_told_as_what_it_is(tmp_path, django_db_blocker, full, said):
    with pytest.raises(CommandError) as told:
        call_command(Refused(full(tmp_path, django_db_blocker)))
    assert str(told.value).startswith(f"The disk of the database is full ({said}")
    assert "Make room" in str(told.value)
    assert "migrate" not in str(told.value)


@pytest.mark.parametrize("buffered", ["", "1"])
def test_whoever_reads_no_further_is_told_nothing_but_that_it_stopped(tmp_path, monkeypatch, buffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
    with (tmp_path / "said").open("wb") as said:
        writer = subprocess.Popen([sys.executable, "-c", PRINTS], stdout=subprocess.PIPE, stderr=said)
        assert writer.stdout
        assert writer.stdout.readline() == b"row 0\n"
        writer.stdout.close()
        assert writer.wait(timeout=60) == 141
    assert (tmp_path / "said").read_text() == ""


def test_help_ends_with_every_exit_status_that_may_be():
    told = Refused(OSError()).create_parser("manage.py", "refused").format_help().partition("exit status: ")[2]
    assert [word for word in told.split() if word.isdigit()] == ["0", "1", "2", "141"]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "99999999999999999999", "", "ten", "١"])
def test_how_many_is_a_number_from_one_on(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is no number from 1 to 9999999"):
        count(text)


def test_how_many_is_taken():
    assert (count("1"), count("007"), count("9999999")) == (1, 7, 9999999)
