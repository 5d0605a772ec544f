"""`manage.py commitments list`: what was committed to, and how much of it was used."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.prices.selectors import commitments
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, month, print_rows

EXAMPLES = """
used and unused are effective cost, purchase_cost is what was billed for the commitment in that month.

examples:
  manage.py commitments list
  manage.py commitments list --month 2026-10 --provider AWS --format csv
"""
COLUMNS = (
    "id", "name", "type", "category", "provider", "period", "currency", "used", "unused", "purchase_cost",
    "utilisation", "expiry",
)  # fmt: skip


class Command(TerminalCommand):
    """Commitments at the terminal."""

    help = "List commitments (reservations, savings plans) as the charges tell them."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list")
        show = actions.add_parser(
            "list",
            help="a row per commitment and billing month",
            epilog=EXAMPLES,
            formatter_class=RawDescriptionHelpFormatter,
        )
        show.add_argument("--month", type=month, metavar="2026-10", help="only this billing month")
        show.add_argument("--provider", help="only this provider's")
        add_format(show)

    def handle(self, **options: Any) -> None:
        try:
            found = commitments(month=options["month"], provider=options["provider"])
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        print_rows(COLUMNS, [[getattr(one, name) for name in COLUMNS] for one in found], options["format"], self.stdout)
