"""What every command of ours does the same way: help with examples, answers for programs, errors as one line."""

import argparse
import io
import json
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.utils import InternalError, OperationalError, ProgrammingError

from apps.finops.errors import CostOpsError
from apps.warehouse.database import is_away, is_full, of_redis

UNREAD = 141
"""The status of a program that nobody reads on, by convention: it may have stopped in the middle."""
EXIT_STATUS = f"""\
exit status: 0 done, 1 something is wrong (said on stderr), 2 the command was not understood,
{UNREAD} nobody reads on, as behind `| head`: it may have stopped in the middle"""
NOT_READY = "The database does not answer or is not set up ({error}). `manage.py migrate` sets it up."
UNWRITABLE = (
    "The database's file or its folder cannot be opened or written ({error}). Mount the home folder so that the "
    "account CostOps runs under may write there, give it to that account, or name another by COSTOPS_HOME."
)
FULL = (
    "The disk of the database is full ({error}); what was being written was not kept. Make room where the database "
    "lies, then do this again."
)
AWAY = "The database or Redis does not answer, or takes no writes for now ({error}). Try again when it does."
_UNWRITABLE = ("unable to open", "attempt to write a readonly", "disk I/O error")
"""How SQLite begins to say that a file, or the folder it lies in, is not for it."""


class TerminalCommand(BaseCommand):
    """A command whose actions print rows (`add_format`), or say in sentences what they did.

    Those that say sentences get `--format json` here: the sentences as `said`, for programs that act on them.
    """

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    examples: ClassVar[str] = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Help keeps the lines of the examples, and ends with what the exit status means."""
        shown: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "epilog": self.examples}
        parser = super().create_parser(prog_name, subcommand, **shown | kwargs)
        for leaf in actions(parser):
            leaf.epilog = f"{(leaf.epilog or '').rstrip()}\n\n{EXIT_STATUS}"
            if "--format" not in leaf._option_string_actions:  # there is no public way to ask
                leaf.add_argument(
                    "--format", dest="said_as", choices=("text", "json"), default="text",
                    help="how it is said what was done (default text)",
                )  # fmt: skip
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it; whatever went wrong that a person can mend is one sentence, without a traceback."""
        try:
            if options.pop("said_as", "text") == "text":
                told = super().execute(*args, **options)
                sys.stdout.flush()
                return told
            self._execute_saying_json(*args, **options)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(not_ready(error)) from error
        except (InternalError, *of_redis("RedisError")) as error:  # type: ignore[misc]  # known when it is raised
            if not is_away(error):
                raise
            raise CommandError(AWAY.format(error=_first_line(error))) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError) and _is_read_no_further():
                raise SystemExit(UNREAD) from error
            raise CommandError(f"{what_went_wrong(error)}.") from error
        return None

    def _execute_saying_json(self, *args: Any, **options: Any) -> None:
        said = io.StringIO()
        super().execute(*args, **options | {"stdout": said})
        told = {"said": said.getvalue().splitlines()}
        (options.get("stdout") or sys.stdout).write(json.dumps(told, ensure_ascii=False) + "\n")


def not_ready(error: Exception) -> str:
    """What to do about a database that does not answer as it should."""
    told = _first_line(error)
    if is_full(error):
        return FULL.format(error=told)
    is_unwritable = connection.vendor == "sqlite" and told.startswith(_UNWRITABLE)
    return (UNWRITABLE if is_unwritable else NOT_READY).format(error=told)


def what_went_wrong(error: OSError) -> str:
    """What the system says of a file, and of which, where that is known."""
    what = f"{error.filename}: " if error.filename else ""
    return f"{what}{error.strerror or error}"


def _is_read_no_further() -> bool:
    """Whether nobody reads what is printed, as `| head` when it has enough; then nothing more is said of that."""
    printed = sys.stdout.fileno()
    looked = select.poll()
    looked.register(printed, 0)
    is_broken = any(event & select.POLLERR for _, event in looked.poll(0))
    if is_broken:
        os.dup2(os.open(os.devnull, os.O_WRONLY), printed)
    return is_broken


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of the actions of a command; of a command without actions, its own."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for each in dict.fromkeys(action.choices.values()):
            yield from actions(each)
