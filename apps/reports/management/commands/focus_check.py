"""`manage.py focus_check`: the checks of FOCUS 1.2 on anybody's file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.conformance.check import Report, check
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
The rules are those of the official validator's model 1.2.0.1 that a file alone can answer; docs/focus.md lists the few
that are patched. Of a rule about one row `rows` counts rows, of one about groups it counts groups, of an absent column
it is 0. The exit status is 1 when a check fails, when there are no rows, and when the file cannot be read.

examples:
  manage.py focus_check export.parquet
  manage.py focus_check export.csv --without CAPACITY_RESERVATION_SUPPORTED --without VIRTUAL_CURRENCY_SUPPORTED
  manage.py focus_check export.csv --all --format csv > checks.csv
"""
COLUMNS = ("rule", "outcome", "rows", "text", "example")


class Command(TerminalCommand):
    """Check a file."""

    help = "Run the checks of FOCUS 1.2 on a CSV or Parquet file."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV (also packed by gzip) or Parquet")
        parser.add_argument(
            "--without", action="append", default=[], metavar="CRITERION", help="what the provider does not support"
        )
        parser.add_argument("--all", action="store_true", help="show every rule, not only the failed ones")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            report = check(options["file"], without=options["without"])
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        print_rows(COLUMNS, _rows(report, everything=options["all"]), options["format"], self.stdout)
        told = (
            f"{report.rows} rows: {report.count('passed')} checks passed, {report.count('failed')} failed, "
            f"{report.count('not applicable')} do not apply, {report.count('not told')} ask for what no file tells."
        )
        if not report.rows:
            raise CommandError(f"{options['file']}: there are no rows; only the names of its columns could be checked.")
        if report.failed:
            raise CommandError(told)
        if options["format"] == "table":
            self.stdout.write(told)


def _rows(report: Report, *, everything: bool) -> list[tuple[Any, ...]]:
    shown = report.results if everything else report.failed
    return [(each.rule.id, each.outcome, each.rows, each.rule.text, each.example or each.reason) for each in shown]
