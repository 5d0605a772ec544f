"""Commands of the terminal that change something are written down too."""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.management import get_commands, load_command_class
from django.db import DatabaseError, connection
from django.utils import timezone

from apps.audit import services
from apps.audit.models import AuditEntry
from apps.audit.redaction import arguments
from apps.audit.services import Deed
from apps.warehouse.terminal import operator

logger = logging.getLogger(__name__)
READING = frozenset(
    {
        "list",
        "show",
        "ways",
        "roles",
        "services",
        "preview",
        "verify",
        "ask",
        "explain",
        "why",
        "reconcile",
        "changes",
        "units",
        "mcp",
    }
)
"""Commands, or first words of one, that only look."""


@contextmanager
def recorded(argv: Sequence[str]) -> Iterator[None]:
    """An entry after a command of ours that does something, with its exit status; nothing of one that only looks."""
    if not is_recorded(argv):
        yield
        return
    outcome, begun = 1, _begin(argv)
    try:
        yield
        outcome = 0
    except SystemExit as ended:
        outcome = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    finally:
        _record(argv, outcome, begun)


def is_recorded(argv: Sequence[str]) -> bool:
    """Whether a command line is one of ours that does something."""
    name, *words = argv[1:] or [""]
    is_ours = str(get_commands().get(name, "")).startswith("apps.") or name in ("createsuperuser", "changepassword")
    asked = set(words[: words.index("--")] if "--" in words else words)
    only_looks = {"-h", "--help"} | ({"--check", "--plan"} if name == "migrate" else set())
    if not is_ours or only_looks & asked or name in READING:
        return False
    return not (READING & set(words[:1]) and _has_actions(name))


def _has_actions(name: str) -> bool:
    """Whether the first word of a command says what it is to do; of the others it may be the name of a file."""
    parser = load_command_class(str(get_commands()[name]), name).create_parser("manage.py", name)
    return any(isinstance(action, argparse._SubParsersAction) for action in parser._actions)


def _begin(argv: Sequence[str]) -> str:
    """The key of a note that it begins; none where the database cannot take it yet: the command says what is wrong."""
    try:
        return services.begin(_deed(argv))
    except DatabaseError as error:
        logger.debug("audit: the beginning of the command could not be noted: %s", error)
        return ""


def _record(argv: Sequence[str], outcome: int, begun: str) -> None:
    try:
        services.record(_deed(argv), outcome, begun=begun)
    except DatabaseError as error:
        if not _is_made():
            return
        logger.error("audit: the command could not be written down: %s", error)
        print("The audit log could not be written.", file=sys.stderr)  # noqa: T201  # the command itself has ended


def _is_made() -> bool:
    """Whether the database holds anything yet: before its first `migrate` there is no log, and nothing to keep one of.
    One that does not answer may hold all."""
    try:
        return bool(connection.introspection.table_names())
    except DatabaseError:
        return True


def _deed(argv: Sequence[str]) -> Deed:
    return Deed(
        at=timezone.now(),  # noqa: TID251  # a command is an entry point
        actor=operator(),
        way=AuditEntry.Way.COMMAND,
        action=argv[1],
        details={"arguments": arguments(list(argv[2:]))},
    )
