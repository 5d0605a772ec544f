"""`manage.py units`: cost per unit, and why it changed."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.finops.units import Change
from apps.finops.windows import Window
from apps.marts.asking import tell_late, tell_rates
from apps.marts.query import METRICS, BadQuestion
from apps.units.csv_file import SCOPES
from apps.units.query import COLUMNS, GRAINS, LIST_COST, UnitQuery
from apps.units.selectors import unit_change, unit_costs
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows

COSTING = """
Cost of the days on which the driver was told, divided by its units. The line without a subject is all of them; cost of
days without a driver stands beside it: unknown, not zero.

examples:
  manage.py units cost requests --by team --start 2026-10-01 --end 2026-11-01
  manage.py units cost requests --by namespace --grain month --start 2026-01-01 --end 2026-11-01 --format csv
"""
CHANGING = """
before + volume + mix + efficiency + price = after, to the last decimal; docs/units.md says what each of them is.
Without --before-start it is against as many days just before; of whole months against as many whole months, of a month
so far against the same days of the month before.

examples:
  manage.py units change requests --by team --start 2026-10-01 --end 2026-11-01
  manage.py units change requests --by team --start 2026-10-01 --end 2026-11-01 --resource gpu-seconds \\
    --before-start 2026-07-01 --before-end 2026-08-01 --currency CNY
"""
EXAMPLES = COSTING + CHANGING.partition("examples:\n")[2]
PARTS = ("before", "volume", "mix", "efficiency", "price", "after")


class Command(TerminalCommand):
    """Cost per unit at the terminal."""

    help = "Cost per unit of a driver, by team, service or namespace, and why it changed."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="cost|change")
        cost = actions.add_parser("cost", help="cost per unit by day or month", epilog=COSTING, formatter_class=raw)
        cost.add_argument(
            "--grain", choices=GRAINS, default="day", help="a row per day, per month or for all days (default day)"
        )
        change = actions.add_parser("change", help="why cost changed", epilog=CHANGING, formatter_class=raw)
        change.add_argument("--before-start", type=day, metavar="DATE", help="first day compared with")
        change.add_argument("--before-end", type=day, metavar="DATE", help="the day after the last one compared with")
        change.add_argument(
            "--resource", default=LIST_COST, help="what efficiency is measured by: a driver, or list_cost (the default)"
        )
        for each in (cost, change):
            each.add_argument("driver", help="what cost is divided by, such as requests")
            each.add_argument("--by", choices=SCOPES, default="team", help="whose cost (default team)")
            each.add_argument("--start", type=day, required=True, metavar="DATE", help="first day, such as 2026-10-01")
            each.add_argument("--end", type=day, required=True, metavar="DATE", help="the day after the last one")
            each.add_argument("--metric", choices=METRICS, default="effective_cost", help="which cost")
            each.add_argument("--as-of", type=int, metavar="PUBLICATION", help="ask an earlier publication")
            each.add_argument("--drivers-as-of", type=int, metavar="VERSION", help="with an earlier version of drivers")
            each.add_argument("--currency", metavar="CNY", help="convert every amount to this currency")
            each.add_argument("--rates-as-of", type=int, metavar="VERSION", help="with an earlier version of the rates")
            add_format(each)

    def handle(self, *, action: str, **given: Any) -> None:
        names = ("driver", "by", "start", "end", "metric", "as_of", "drivers_as_of", "currency", "rates_as_of")
        more = ("grain",) if action == "cost" else ("resource",)
        try:
            query = UnitQuery(**{name: given[name] for name in (*names, *more)})
            {"cost": self._cost, "change": self._change}[action](query, given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _cost(self, query: UnitQuery, given: dict[str, Any]) -> None:
        found = unit_costs(query)
        rows = [[getattr(row, name) for name in COLUMNS] for row in (*found.rows, *found.totals)]
        print_rows(
            COLUMNS, sorted(rows, key=lambda row: (row[0], row[1] == "", row[1], row[2])), given["format"], self.stdout
        )
        if given["format"] == "table":
            self.stdout.write(f"Publication {found.publication.number}, drivers version {found.version}.")
        tell_rates(query.currency, found.query.rates_as_of, found.rates, self._aside(given))

    def _change(self, query: UnitQuery, given: dict[str, Any]) -> None:
        found = unit_change(query, _before(given))
        rows = [
            [bridge.currency, subject, *_parts(change)]
            for bridge in found.bridges
            for subject, change in [*bridge.subjects.items(), ("", bridge.total)]
        ]
        print_rows(("currency", "subject", *PARTS), rows, given["format"], self.stdout)
        if given["format"] == "table" and found.unknown_because:
            self.stdout.write(found.unknown_because)
        if given["format"] == "table":
            tell_late(query.costs(query.metric), self.stdout)
        if given["format"] == "table":
            self.stdout.write(
                f"Against {found.before}; publication {found.publication.number}, drivers {found.version}."
            )
            for bridge in found.bridges:
                old, new = bridge.without_driver
                self.stdout.write(f"Cost without a driver: {old:,.2f} before, {new:,.2f} after, {bridge.currency}.")
        tell_rates(query.currency, found.query.rates_as_of, found.rates, self._aside(given))

    def _aside(self, given: dict[str, Any]) -> Any:
        return self.stdout if given["format"] == "table" else self.stderr


def _parts(change: Change) -> list[Any]:
    return [getattr(change, name) for name in PARTS]


def _before(given: dict[str, Any]) -> Window | None:
    """The period compared with, where one is named."""
    first, last = given["before_start"], given["before_end"]
    if (first is None) != (last is None):
        raise BadQuestion("--before-start and --before-end go together")
    if first is None:
        return None
    if first >= last:
        raise BadQuestion("--before-end must come after --before-start; the end day itself is not included")
    return Window(first, last)
