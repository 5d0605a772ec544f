"""What every command at the terminal does the same way: a sentence for whatever a person can mend, and no traceback."""

import argparse
import errno
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

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
    def __init__(self, error: OSError) -> None:
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
