"""`manage.py estimates`: what days cost whose bill has not come, and how good that was of those whose bill came."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.estimates.selectors import PriceSource, accuracy, estimates
from apps.finops.errors import CostOpsError
from apps.marts.asking import add_currency, add_question, question
from apps.marts.query import EVERYTHING, METRICS
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows

ABOUT = """
Estimates are never a part of what `ask` answers; `fill` makes them, from last known unit
prices (docs/estimates.md). `show` names where the prices are from; `accuracy` compares the
last thirty estimated days with their bills: the error counts differences without their
signs, the bias with them.

examples:
"""
SHOW = """\
  manage.py estimates show --start 2026-10-01 --end 2026-11-01 --group-by team,day
  manage.py estimates show --start 2026-10-01 --end 2026-11-01 --filter team=web --format csv
"""
ACCURACY = """\
  manage.py estimates accuracy
  manage.py estimates accuracy --by day,team --team web --format json
"""
PRICES = ("priced_by", "currency", "first", "last", "cost")
GOODNESS = ("currency", "estimated", "actual", "difference", "error_percent", "bias_percent")


class Command(TerminalCommand):
    """Show estimates, and tell how good they were."""

    help = "What days cost whose bill has not come, from last known unit prices, and how good such estimates were."
    examples = ABOUT + SHOW + ACCURACY

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        shape = RawDescriptionHelpFormatter
        show = actions.add_parser(
            "show",
            help="what the days that wait for their bill are estimated to cost",
            epilog=ABOUT + SHOW,
            formatter_class=shape,
        )
        add_question(show)
        add_currency(show)
        add_format(show)
        good = actions.add_parser(
            "accuracy",
            help="estimates against the bills that came since",
            epilog=ABOUT + ACCURACY,
            formatter_class=shape,
        )
        good.add_argument("--by", default="team", metavar="A,B", help="day, team or both (default team)")
        good.add_argument("--team", metavar="NAME", help="only this team")
        good.add_argument("--metric", default="effective_cost", choices=METRICS, help="the cost basis")
        good.add_argument("--as-of", type=int, metavar="PUBLICATION", help="ask an earlier publication")
        add_format(good)

    def handle(self, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _show(self, options: dict[str, Any]) -> None:
        found = estimates(question(options))
        print_rows(found.answer.columns, found.answer.rows, options["format"], self.stdout)
        if options["format"] == "table":
            totals = [f"{total:,.2f} {currency}" for currency, total in found.answer.totals.items()]
            self.stdout.write(f"Estimated {', '.join(totals) or 'nothing'}, in no other answer; the prices are from:")
            print_rows(PRICES, [_priced(one) for one in found.prices], "table", self.stdout)

    def _accuracy(self, options: dict[str, Any]) -> None:
        names = tuple(name.strip() for name in options["by"].split(",") if name.strip())
        if not set(names) <= {"day", "team"}:
            raise CommandError("--by: day, team or both, such as --by day,team")
        found = accuracy(scope=EVERYTHING, metric=options["metric"], team=options["team"], as_of=options["as_of"])
        rows = [(*key, *(getattr(one, name) for name in GOODNESS[1:])) for key, one in found.by(*names).items()]
        print_rows((*names, *GOODNESS), rows, options["format"], self.stdout)
        if options["format"] == "table":
            for (currency,), one in found.by().items():
                told = f"error {one.error_percent} %, bias {one.bias_percent} %"
                self.stdout.write(f"{one.estimated:,.2f} {currency} estimated, {one.actual:,.2f} billed: {told}")
            if not found.cells:
                self.stdout.write("No estimated day has been billed yet.")


def _priced(one: PriceSource) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in PRICES)
