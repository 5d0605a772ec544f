"""`manage.py reconcile`: what was billed against what was allocated."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.finops.tables import KINDS
from apps.marts.reconciling import reconciliation
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, month, print_rows

EXAMPLES = """
charged and allocated are effective cost; difference is the largest of the four cost bases, and it is 0 or nothing
would have been published. The exit status is 1 should a difference ever be found.

examples:
  manage.py reconcile
  manage.py reconcile --by-month --source bill
  manage.py reconcile --format csv > reconciliation.csv
"""
COLUMNS = (
    "source", "billing_month", "currency", "day", "charged", "allocated", "billed_charged", "billed_allocated",
    *KINDS, "difference",
)  # fmt: skip


class Command(TerminalCommand):
    """Show charged, allocated and their difference."""

    help = "Bill total, allocated total and difference, per source, billing month, day and currency."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", help="only this source")
        parser.add_argument("--month", type=month, metavar="2026-10", help="only this billing month")
        parser.add_argument("--by-month", action="store_true", help="one row per billing month instead of per day")
        parser.add_argument("--as-of", type=int, metavar="PUBLICATION", help="an earlier publication")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            facts, rows = reconciliation(
                as_of=options["as_of"],
                source=options["source"],
                billing_month=options["month"],
                by_day=not options["by_month"],
            )
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        if options["source"] and not rows:
            _refuse_unknown(options["source"], options["as_of"])
        print_rows(COLUMNS, [[getattr(row, name) for name in COLUMNS] for row in rows], options["format"], self.stdout)
        off = [row for row in rows if row.difference]
        if off:
            raise CommandError(
                f"{len(off)} rows of publication {facts.number} do not add up, the first on {off[0].day}"
            )
        if options["format"] == "table":
            verdict = f"{len(rows)} rows, every difference is 0." if rows else "no charges here."
            self.stdout.write(f"Publication {facts.number}: {verdict}")


def _refuse_unknown(source: str, as_of: int | None) -> None:
    """An answer of no rows would pass for books that are even."""
    known = sorted({row.source for row in reconciliation(as_of=as_of, by_day=False)[1]})
    if source not in known:
        raise CommandError(f"No charges came from a source {source!r}. There are: {', '.join(known) or 'none'}.")
