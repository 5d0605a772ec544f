"""Every command, and every action of one, shows in its help how it is used."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import load_command_class

from apps.warehouse.commands import TerminalCommand

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(
    (f"apps.{path.parents[2].name}", path.stem)
    for path in (ROOT / "apps").glob("*/management/commands/*.py")
    if path.stem != "__init__"
)


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:  # there is no public way to the parsers of actions
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


@pytest.mark.parametrize(("app", "name"), COMMANDS)
def test_help_has_examples(app: str, name: str) -> None:
    found = list(parsers(load_command_class(app, name).create_parser("manage.py", name)))
    without = [parser.prog for parser in found if f"examples:\n  manage.py {name}" not in parser.format_help()]
    assert without == []


@pytest.mark.parametrize(("app", "name"), COMMANDS)
def test_help_says_what_every_argument_is(app: str, name: str) -> None:
    found = parsers(load_command_class(app, name).create_parser("manage.py", name))
    silent = [(parser.prog, action.dest) for parser in found for action in parser._actions if not action.help]
    assert [(prog, argument) for prog, argument in silent if argument != "action"] == []


@pytest.mark.parametrize(("app", "name"), COMMANDS)
def test_the_lines_of_an_epilog_have_an_even_length(app: str, name: str) -> None:
    """What is written by hand is not wrapped: no line is too long for a terminal, and none ends after one word."""
    for parser in parsers(load_command_class(app, name).create_parser("manage.py", name)):
        lines = (parser.epilog or "").splitlines()
        assert [line for line in lines if len(line) > 120] == []
        assert [line for line in lines if line and " " not in line and not line.endswith(":")] == []


@pytest.mark.parametrize(("app", "name"), COMMANDS)
def test_a_command_does_what_every_command_does(app: str, name: str) -> None:
    """Help, `--format`, errors and exit status stand once, in `apps.warehouse.commands`."""
    assert isinstance(load_command_class(app, name), TerminalCommand)
