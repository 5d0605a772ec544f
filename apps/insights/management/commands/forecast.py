"""`manage.py forecast`: what cost will be, where month and quarter will land, and how far to believe it."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.insights import selectors
from apps.insights.models import Forecast
from apps.marts.query import EVERYTHING
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, harmless, print_rows

LISTING = """
Every forecast of the newest publication with the landing of its month and quarter, and by how much the total of four
weeks was off in the back-test of that very series. `naive` says that last week repeated was not beaten, and is told.

examples:
  manage.py forecast list
  manage.py forecast list --level team --currency CNY --format csv
"""
SHOWING = """
Effective cost day by day, with the bounds it lies between in 80 and in 95 of 100 cases.

examples:
  manage.py forecast show total
  manage.py forecast show team live-class --currency CNY --format csv
  manage.py forecast show cost_center CC-1001
"""
EXAMPLES = LISTING + SHOWING.partition("examples:\n")[2]
BOUNDS = ("mean", "low_80", "high_80", "low_95", "high_95")


class Command(TerminalCommand):
    """Forecasts at the terminal."""

    help = "Forecasts of daily cost, with intervals, landings of month and quarter, and their back-test."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show")
        listing = actions.add_parser("list", help="all forecasts and landings", epilog=LISTING, formatter_class=raw)
        listing.add_argument("--level", choices=selectors.LEVELS, help="only of this level")
        showing = actions.add_parser("show", help="one forecast, day by day", epilog=SHOWING, formatter_class=raw)
        showing.add_argument("level", choices=selectors.LEVELS, help="what the forecast is of")
        showing.add_argument("key", nargs="?", default="", help="which team, service, department …; none of the total")
        for each in (listing, showing):
            each.add_argument("--currency", metavar="CNY", help="only in this currency")
            each.add_argument("--as-of", type=int, metavar="PUBLICATION", help="of an earlier publication")
            add_format(each)

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            run = selectors.newest_run(given["as_of"])
            found = selectors.forecasts(
                run, EVERYTHING, level=given["level"], key=given.get("key"), currency=given["currency"]
            )
            {"list": self._list, "show": self._show}[action](found, given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        if given["format"] == "table":
            begins = sorted({f"{one.begin} ({one.currency})" for one in found})
            told = f"From {', '.join(begins)}" if begins else "Nothing to forecast from yet"
            left = f"; {run.dropped_days} last days were incomplete" if run.dropped_days else ""
            self.stdout.write(f"{told}, publication {run.publication}{left}.")

    def _list(self, found: list[Forecast], given: dict[str, Any]) -> None:
        names = ("period", "so_far", "mean", "low_80", "high_80")
        rows = [
            [one.level, one.key, one.currency, *(landing[name] for name in names), *_scores(one)]
            for one in found
            for landing in one.landings
        ]
        columns = ("level", "key", "currency", *names, "naive", "off", "naive_off", "mase")
        print_rows(columns, rows, given["format"], self.stdout)

    def _show(self, found: list[Forecast], given: dict[str, Any]) -> None:
        if not found:
            named = harmless(f"{given['level']} {given['key']}").strip()
            raise selectors.NoForecast(f"There is no forecast of {named}; `manage.py forecast list` names them.")
        rows = [[day, one.currency, *amounts] for one in found for day, amounts in selectors.days_of(one)]
        print_rows(("day", "currency", *BOUNDS), rows, given["format"], self.stdout)


def _scores(one: Forecast) -> list[str]:
    off = ["" if share is None else f"{100 * share:.1f} %" for share in (one.total_error, one.naive_total_error)]
    return ["naive" if one.is_naive else "", *off, "" if one.mase is None else f"{one.mase:.2f}"]
