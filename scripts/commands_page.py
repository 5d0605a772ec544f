"""Writes docs/cli.md, the page of all commands, from their help: `python scripts/commands_page.py`."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "cli.md"
HEAD = """\
# Commands

`manage.py` stands for `.venv/bin/python manage.py`. This page is made of the commands' own help by `make docs`;
`manage.py COMMAND ACTION --help` says what every option is.

Every action takes `--format`: what lists rows prints a `table`, `csv` or `json`, with every decimal in the last two;
what acts says what it did as `text` or `json` (`{"said": [...]}`). Errors are a sentence on stderr. **Exit status**:
0 done; 1 something is wrong, and said; 2 the command was not understood; 141 nobody reads on, as behind `| head`: it
may have stopped in the middle. What takes long shows on a terminal that it works; in a pipe it is silent.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *(part for app, name in commands() for part in section(app, name))])


def commands() -> list[tuple[str, str]]:
    """App and name of every command of ours, by name."""
    paths = (ROOT / "apps").glob("*/management/commands/*.py")
    found = ((path.stem, f"apps.{path.parents[2].name}") for path in paths if path.stem != "__init__")
    return [(app, name) for name, app in sorted(found)]


def section(app: str, name: str) -> Iterator[str]:
    """What one command does, its actions, and its examples."""
    from django.core.management import load_command_class

    from apps.warehouse.commands import TerminalCommand

    command = cast(TerminalCommand, load_command_class(app, name))
    parser = command.create_parser("manage.py", name)
    yield f"## `{name}`\n"
    yield f"{command.help}\n"
    actions = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    for each in actions:
        yield "| action | does |\n|---|---|"
        yield from (f"| `{one.dest}` | {one.help} |" for one in each._choices_actions)
        yield ""
    yield f"```text\n{examples(command.examples)}\n```\n"


def examples(epilog: str) -> str:
    """The lines of an epilog below `examples:`."""
    lines = epilog.partition("examples:\n")[2].splitlines()
    return "\n".join(line.removeprefix("  ").rstrip() for line in lines).strip()


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    import django

    django.setup()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
