"""`manage.py budgets`: how budgets stand, one with its past, and many as a file."""

from argparse import RawDescriptionHelpFormatter
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.budgets import selectors, services, sheet
from apps.budgets.standing import STATES
from apps.finops.errors import CostOpsError
from apps.teams.approval import Actor
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, operator, print_rows

EXAMPLES = f"""
A file is CSV or a workbook with the columns {",".join(sheet.NEEDED)}, and, all
or none of them, metric,valid_to,profile,weights,rollover,owner_team,owner,why. All of it is taken, or nothing: budgets
of a known name are changed where they differ, from their valid_from on; others are new.

examples:
  manage.py budgets import budgets-2027.csv
  manage.py budgets list --state exceeded
  manage.py budgets show 3                     every period, and what was decided
  manage.py budgets export --format csv        the same columns, to be changed and imported again
"""
STANDING = (
    "number", "name", "of", "period", "currency", "amount", "spent", "until", "landing", "lower", "upper",
    "probability", "exceeds_on", "state", "missing",
)  # fmt: skip
PERIODS = ("period", "base", "carried", "amount", "spent", "until", "state")


class Command(TerminalCommand):
    """Budgets at the terminal."""

    help = "How budgets stand; import and export many."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        shown: dict[str, Any] = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|import|export")
        listing = actions.add_parser("list", help="how budgets stand", **shown)
        listing.add_argument("--state", choices=STATES, help="only in this state")
        add_format(listing)
        show = actions.add_parser("show", help="the periods of one budget", **shown)
        show.add_argument("number", type=int, help="its number")
        add_format(show)
        actions.add_parser("import", help="take a file, all or nothing", **shown).add_argument(
            "file", type=Path, help="CSV or a workbook"
        )
        add_format(actions.add_parser("export", help="budgets as a file holds them", **shown))

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {"list": self._list, "show": self._show, "import": self._import, "export": self._export}
        try:
            actions[action](given, timezone.now())
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any], now: datetime) -> None:
        found = [one for one in selectors.standings(now=now) if given["state"] in (None, one.state)]
        rows = [
            (one.budget.number, one.budget.name, f"{one.dimension}={one.value}" if one.dimension else "all cost",
             one.period_name, one.currency, one.amount, one.spent, one.spent_until, one.landing, one.lower, one.upper,
             one.probability, one.exceeds_on, one.state, str(one.missing or ""))
            for one in found
        ]  # fmt: skip
        print_rows(STANDING, rows, given["format"], self.stdout)

    def _show(self, given: dict[str, Any], now: datetime) -> None:
        whole = selectors.whole(selectors.find(given["number"], None), now=now)
        rows = [
            (one.period.name, one.base, one.carried, one.amount, one.spent, one.spent_until, one.state)
            for one in whole.periods
        ]
        print_rows(PERIODS, rows, given["format"], self.stdout)
        if given["format"] == "table":
            for one in whole.versions:
                told = f"{one.amount_text} {whole.budget.currency}" if one.amount_text else "it holds no longer"
                self.stdout.write(f"from {one.valid_from}: {told}, by {one.by} {one.at:%Y-%m-%d %H:%M} UTC. {one.why}")

    def _import(self, given: dict[str, Any], now: datetime) -> None:
        path: Path = given["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        done = services.bring(content, path.name, by=Actor(operator(), None), now=now)
        self.stdout.write(f"{done.new} budgets are new, {done.changed} changed, {done.same} as they were.")

    def _export(self, given: dict[str, Any], _now: datetime) -> None:
        rows = [tuple(row.values()) for row in sheet.rows(selectors.budgets())]
        print_rows(sheet.COLUMNS, rows, given["format"], self.stdout)
