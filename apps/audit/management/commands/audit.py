"""`manage.py audit`: who did what, and whether the record of it still holds."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.audit import selectors
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, count, day, print_rows

EXAMPLES = """
examples:
  manage.py audit list --actor lilei --start 2026-11-01     what somebody did, the newest first
  manage.py audit list --action rule --format csv
  manage.py audit verify                                    whether any entry was changed, taken out or put in
  manage.py audit verify --head 9f86d0…                     and whether the chain still holds an end noted earlier
"""
COLUMNS = ("number", "at", "actor", "way", "action", "subject", "details", "outcome", "address", "request_id")


class Command(TerminalCommand):
    """The audit log at the terminal."""

    help = "List what was done; verify that the record of it was not changed."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|verify")

        def add(name: str, text: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)

        listing = add("list", "entries, the newest first")
        listing.add_argument("--actor", default="", help="only of this user")
        listing.add_argument(
            "--action", default="", dest="named", metavar="ACTION", help="only actions whose name holds this"
        )
        listing.add_argument("--start", type=day, help="from this day on")
        listing.add_argument("--last", type=day, help="through this day")
        listing.add_argument("--limit", type=count, default=100, help="how many (default 100)")
        add_format(listing)
        verifying = add("verify", "walk the whole chain")
        verifying.add_argument("--head", default="", metavar="HASH", help="the hash of an entry noted earlier")

    def handle(self, *, action: str, **given: Any) -> None:
        getattr(self, f"_{action}")(given)

    def _list(self, given: dict[str, Any]) -> None:
        asked = selectors.Asked(
            zone=ZoneInfo(settings.COSTOPS_TIME_ZONE),
            action=given["named"],
            **{name: given[name] for name in ("actor", "start", "last")},
        )
        rows = [[getattr(entry, name) for name in COLUMNS] for entry in selectors.entries(asked)[: given["limit"]]]
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _verify(self, given: dict[str, Any]) -> None:
        found = selectors.verdict()
        if found.wrong:
            raise CommandError(found.wrong)
        if given["head"] and not selectors.holds(given["head"]):
            raise CommandError(f"No entry has the hash {given['head']}: the chain was written anew since it was noted.")
        self.stdout.write(f"{found.entries} entries hold together. Note the newest hash elsewhere: {found.hash or '-'}")
