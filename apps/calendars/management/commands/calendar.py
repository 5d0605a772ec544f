"""`manage.py calendar`: bring terms, promotions, days off and days worked, see what holds, undo what was brought."""

from argparse import RawDescriptionHelpFormatter
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.calendars import selectors, services
from apps.calendars.models import KINDS
from apps.finops.errors import CostOpsError
from apps.finops.windows import ONE_DAY, Window
from apps.teams.approval import Actor
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, operator, print_rows

EXAMPLES = """
A file is CSV or a workbook with the columns name,kind,first,last, both days within, or an iCal calendar: the name of an
event is its summary, its kind its category. Kinds: term, promotion, holiday (days off besides the public ones), workday
(worked though a weekend or a public holiday). All of a file is taken, or nothing.

examples:
  manage.py calendar import terms-2026.csv
  manage.py calendar import school.ics --kind term
  manage.py calendar list                      what was brought, and what was undone
  manage.py calendar show 2026 --format csv    every day off, worked weekend, term and promotion of a year
  manage.py calendar remove 3                  undo an import
"""
SPANS = ("first", "last", "kind", "name", "from")


class Command(TerminalCommand):
    """The business calendar at the terminal."""

    help = "Bring school terms, promotions, days off and days worked; see the business calendar."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        shown: dict[str, Any] = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|list|show|remove")
        add = actions.add_parser("import", help="bring a file, all or nothing", **shown)
        add.add_argument("file", type=Path, help="CSV, a workbook, or iCal")
        add.add_argument("--kind", default="", choices=KINDS, help="what events are that do not say it")
        add_format(actions.add_parser("list", help="what was brought", **shown))
        show = actions.add_parser("show", help="the days of a year", **shown)
        show.add_argument("year", type=int, nargs="?", help="such as 2026; this year by default")
        add_format(show)
        remove = actions.add_parser("remove", help="undo what was brought", **shown)
        remove.add_argument("number", type=int, help="its number")

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {"import": self._import, "list": self._list, "show": self._show, "remove": self._remove}
        try:
            actions[action](given, timezone.now())
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _import(self, given: dict[str, Any], now: datetime) -> None:
        path: Path = given["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        kept = services.bring(content, path.name, by=Actor(operator(), None), now=now, kind=given["kind"])
        told = (
            f"Brought {kept.spans.count()} spans of days as import {kept.number}."
            if kept
            else "All of it holds already."
        )
        self.stdout.write(told)

    def _list(self, given: dict[str, Any], _now: datetime) -> None:
        columns = ("number", "file", "spans", "by", "at", "removed_by", "removed_at")
        rows = [
            (one.number, one.name, one.spans.count(), one.by, one.at, one.withdrawn_by, one.withdrawn_at)
            for one in selectors.imports()
        ]
        print_rows(columns, rows, given["format"], self.stdout)

    def _show(self, given: dict[str, Any], now: datetime) -> None:
        year = given["year"] or selectors.today(now).year
        if not 1970 <= year <= 2199:
            raise CommandError(f"{year} is no year between 1970 and 2199.")
        days = Window(date(year, 1, 1), date(year + 1, 1, 1))
        print_rows(SPANS, sorted(selectors.told_of(days)), given["format"], self.stdout)
        if given["format"] == "table":
            count = selectors.working_days(days).count(days)
            self.stdout.write(f"{count} of {(days.end - days.start) // ONE_DAY} days of {year} are worked.")

    def _remove(self, given: dict[str, Any], now: datetime) -> None:
        kept = services.withdraw(given["number"], by=Actor(operator(), None), now=now)
        self.stdout.write(f"Import {kept.number} ({kept.name}) no longer holds.")
