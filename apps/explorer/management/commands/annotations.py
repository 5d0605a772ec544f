"""`manage.py annotations`: bring what happened on days, list it, take it back."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.explorer import annotating, selectors
from apps.finops.errors import CostOpsError
from apps.teams.approval import Actor
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, operator, print_rows

EXAMPLES = """
A file is CSV or a workbook with the columns date,title,team,link, and end where something lasted. Days are written as
2026-10-01; an empty team means the whole company, and the link may be empty. All of a file is taken, or nothing; what
is there already is left as it is.

examples:
  manage.py annotations import events.csv
  manage.py annotations list --start 2026-10-01 --end 2026-11-01
  manage.py annotations list --team web --format json
  manage.py annotations remove 3
"""
COLUMNS = ("number", "first", "last", "text", "team", "link", "author", "written_at")


class Command(TerminalCommand):
    """Annotations at the terminal."""

    help = "Bring what happened on days (releases, promotions, incidents), list it, take it back."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        shown: dict[str, Any] = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|list|remove")
        actions.add_parser("import", help="bring a file, all or nothing", **shown).add_argument(
            "file", type=Path, help="CSV or a workbook"
        )
        listing = actions.add_parser("list", help="what was written", **shown)
        listing.add_argument("--start", type=day, metavar="DATE", help="only of days from this one on")
        listing.add_argument("--end", type=day, metavar="DATE", help="only of days up to this one")
        listing.add_argument("--team", default="", help="only of the company and this team")
        add_format(listing)
        actions.add_parser("remove", help="delete one", **shown).add_argument("number", type=int, help="its number")

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {"import": self._import, "list": self._list, "remove": self._remove}
        try:
            actions[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _import(self, given: dict[str, Any]) -> None:
        path: Path = given["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        rows, added = annotating.bring(content, path.name, by=Actor(operator(), None), now=timezone.now())
        self.stdout.write(f"Brought {rows} annotations, {added} of them new.")

    def _list(self, given: dict[str, Any]) -> None:
        found = selectors.annotations(None, first=given["start"], last=given["end"], team=given["team"])
        rows = [
            (one.pk, one.first, one.last, one.text, one.team.name if one.team else "", one.link, one.author,
             one.written_at)
            for one in found
        ]  # fmt: skip
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _remove(self, given: dict[str, Any]) -> None:
        annotating.remove(given["number"], by=Actor(operator(), None), teams=None)
        self.stdout.write(f"Annotation {given['number']} is deleted.")
