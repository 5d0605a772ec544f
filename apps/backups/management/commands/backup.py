"""`manage.py backup`: copies of everything, looked at again, and brought back."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from apps.backups import services
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
examples:
  manage.py backup make /backups/costops          the database and every new file; may run beside everything else
  manage.py backup list /backups/costops
  manage.py backup check /backups/costops         read every file of the newest one again
  manage.py backup restore /backups/costops       into an empty home folder; stop web, worker and beat first
"""
COLUMNS = ("name", "made_at", "database", "publication", "files", "bytes")


class Command(TerminalCommand):
    """Backups at the terminal."""

    help = "Make, list, check and restore backups of database, lake and landed files."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="make|list|check|restore")

        def add(name: str, text: str) -> ArgumentParser:
            known = actions.add_parser(name, help=text, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
            known.add_argument("folder", type=Path, help="the folder of the backups")
            return known

        add("make", "copy the database and every new file")
        add_format(add("list", "the complete ones, the oldest first"))
        for parser_of in (add("check", "read one again"), restoring := add("restore", "bring one back")):
            parser_of.add_argument("--name", default="", help="which one (default: the newest)")
        restoring.add_argument("--force", action="store_true", help="move aside what is there")

    def handle(self, *, action: str, folder: Path, **given: Any) -> None:
        getattr(self, f"_{action}")(folder, given)

    def _make(self, folder: Path, _given: dict[str, Any]) -> None:
        made = services.make(folder, now=timezone.now(), say=self.stdout.write)
        self.stdout.write(f"Backup {made.name}: {len(made.files)} files, {made.size} bytes.")

    def _list(self, folder: Path, given: dict[str, Any]) -> None:
        rows = [
            (one.name, one.made_at, one.vendor, one.publication, len(one.files), one.size)
            for one in services.backups(folder)
        ]
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _check(self, folder: Path, given: dict[str, Any]) -> None:
        services.check(folder, services.find(folder, given["name"]), say=self.stdout.write)

    def _restore(self, folder: Path, given: dict[str, Any]) -> None:
        found = services.find(folder, given["name"])
        services.restore(folder, found, force=given["force"], now=timezone.now(), say=self.stdout.write)
        self.stdout.write(
            f"Restored {found.name}. Start web, worker and beat again; `manage.py scrub` looks once more."
        )
