"""`manage.py organisation`: the dated tree of companies, units, departments and teams."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.teams.organisation_csv import write_organisation
from apps.teams.organising import newest_tree_number, organisations, today, tree
from apps.teams.services import import_organisation
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows

SHOWING = """
A row per team that has a place on the day: what is above it, and the cost centre that counts.

examples:
  manage.py organisation show                         today
  manage.py organisation show --day 2026-09-30 --version 2 --format csv
  manage.py organisation list                         every version and when it was imported
"""
IMPORTING = """
A sheet of columns name,kind,title,lead_name,lead_email,parent,cost_center,valid_from,valid_to: a row per unit (kind
company, unit or department) or team and place. It says where everybody stands: teams it does not name have no place.
Rules and teams stay as they are; `manage.py import_teams` brings both and the organisation in one YAML file.

examples:
  manage.py organisation export > organisation.csv
  manage.py organisation import organisation.csv
"""
EXAMPLES = "\nexamples:\n" + "".join(part.partition("examples:\n")[2] for part in (SHOWING, IMPORTING))
COLUMNS = ("team", "company", "unit", "department", "cost_center", "since", "until")


class Command(TerminalCommand):
    """The organisation at the terminal."""

    help = "Show, import and export the organisation: who stands where, since when, and on which cost centre."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="show|list|import|export")
        show = actions.add_parser("show", help="who stands where on a day", epilog=SHOWING, formatter_class=raw)
        show.add_argument("--day", type=day, metavar="DATE", help="the day (default today)")
        listing = actions.add_parser("list", help="every version", epilog=SHOWING, formatter_class=raw)
        add = actions.add_parser(
            "import", help="import who stands where, all or nothing", epilog=IMPORTING, formatter_class=raw
        )
        add.add_argument("file", type=Path, metavar="FILE", help="a .csv file of units, teams and places")
        export = actions.add_parser("export", help="write the sheet", epilog=IMPORTING, formatter_class=raw)
        for each in (show, export):
            each.add_argument("--version", dest="at", type=int, metavar="N", help="as it was at this version")
        add_format(show)
        add_format(listing)

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {"show": self._show, "list": self._list, "import": self._import, "export": self._export}
        try:
            actions[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _show(self, given: dict[str, Any]) -> None:
        asked, on = tree(given["at"]), given["day"] or today()
        rows = [
            (team, *("/".join(spot.above(level)) for level in COLUMNS[1:5]), spot.since, spot.until)
            for team in sorted(asked.teams)
            if (spot := asked.spot(team, on))
        ]
        print_rows(COLUMNS, rows, given["format"], self.stdout)
        if given["format"] == "table":
            number = newest_tree_number() if given["at"] is None else given["at"]
            self.stdout.write(f"{len(rows)} teams have a place on {on}, by version {number} of the organisation.")

    def _list(self, given: dict[str, Any]) -> None:
        rows = [(one.number, one.imported_at, one.sha256) for one in organisations()]
        print_rows(("version", "imported_at", "sha256"), rows, given["format"], self.stdout)

    def _import(self, given: dict[str, Any]) -> None:
        path: Path = given["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        number, placed = import_organisation(content, name=path.name, now=timezone.now())
        self.stdout.write(f"{placed} teams have a place; version {number} of the organisation is in force.")

    def _export(self, given: dict[str, Any]) -> None:
        self.stdout.write(write_organisation(tree(given["at"])), ending="")
