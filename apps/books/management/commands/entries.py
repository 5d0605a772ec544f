"""`manage.py entries`: adjusting entries that people book."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.books import entries
from apps.books.management.commands.disputes import add_entry, draft_of
from apps.books.models import ManualEntry
from apps.books.people import at_the_terminal
from apps.finops.errors import CostOpsError
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, operator, print_rows

EXAMPLES = """
An entry moves cost from one team to another in the open month, on all four cost bases, and is kept for ever; its
opposite undoes it. `manage.py disputes settle` books one for a dispute, `manage.py close pending` shows what waits.

examples:
  manage.py entries list
  manage.py entries book --from data-bi --to search --amount 120.50 --currency CNY --month 2026-10 --reason "logs"
"""
COLUMNS = (
    "entry", "original_month", "from_team", "to_team", "amount", "currency", "service", "dispute", "closed_in",
    "booked_by", "booked_at", "reason",
)  # fmt: skip


class Command(TerminalCommand):
    """Entries at the terminal."""

    help = "List and book adjusting entries between teams."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|book")
        listing = actions.add_parser("list", help="what was booked", epilog=EXAMPLES, formatter_class=raw)
        add_format(listing)
        booking = actions.add_parser("book", help="move cost to another team", epilog=EXAMPLES, formatter_class=raw)
        add_entry(booking, is_required=True)
        booking.add_argument("--reason", required=True, help="why; it is kept")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            if action == "book":
                booked = entries.book(draft_of(given), actor=at_the_terminal(operator()), now=timezone.now())
                self.stdout.write(f"Booked {booked}.")
                return
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        found = ManualEntry.objects.select_related("close").order_by("pk")
        print_rows(COLUMNS, [_row(one) for one in found], given["format"], self.stdout)


def _row(one: ManualEntry) -> list[Any]:
    own = {
        "entry": str(one.pk),
        "dispute": one.dispute_id and str(one.dispute_id),
        "closed_in": one.close.month if one.close else None,
    }
    return [own.get(name, getattr(one, name, None)) for name in COLUMNS]
