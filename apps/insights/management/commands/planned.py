"""`manage.py planned`: changes of cost that are known ahead, so that forecasts know them too."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.allocation.management.drafting import actor
from apps.finops.errors import CostOpsError
from apps.insights.models import PlannedChange
from apps.insights.planned import entering
from apps.marts.query import EVERYTHING
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows

EXAMPLES = """
A change shifts forecasts from its day on, by an amount per day or by percent, of a team, a service, both, or all. What
ends again is two changes. Ends of commitments are read from the bill; say so when one will be renewed.

examples:
  manage.py planned list
  manage.py planned list --all --format csv                  withdrawn ones too
  manage.py planned add --from 2026-12-01 --amount 1200 --currency CNY --team search --note "new index cluster"
  manage.py planned add --from 2026-12-15 --percent=-30 --team search --service ECS --note "moved to spot"
  manage.py planned add --renews ri-gpu-1 --note "renewed for a year"
  manage.py planned withdraw 7
"""
COLUMNS = (
    "id", "kind", "first_day", "amount_text", "currency", "percent_text", "team", "service", "commitment", "note", "by",
    "at", "withdrawn_by",
)  # fmt: skip


class Command(TerminalCommand):
    """Planned changes at the terminal."""

    help = "Changes of cost that are known ahead: list, add and withdraw them."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|add|withdraw")

        def add(name: str, told: str) -> ArgumentParser:
            return actions.add_parser(name, help=told, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)

        listing = add("list", "what is planned")
        listing.add_argument("--all", action="store_true", help="withdrawn changes too")
        add_format(listing)
        adding, withdrawing = add("add", "plan a change"), add("withdraw", "take a planned change back")
        adding.add_argument("--from", dest="first_day", type=day, metavar="DATE", help="the first day of the change")
        adding.add_argument("--amount", default="", help="what a day costs more (less, below zero)")
        adding.add_argument("--percent", default="", help="by how many percent a day costs more")
        adding.add_argument("--currency", default="", metavar="CNY", help="of the amount")
        adding.add_argument("--team", default="", help="whose cost (default: everybody's)")
        adding.add_argument("--service", default="", help="of which service (default: all)")
        adding.add_argument("--renews", dest="commitment", default="", metavar="ID", help="a commitment that goes on")
        adding.add_argument("--note", default="", help="what is planned; needed, and kept")
        withdrawing.add_argument("number", type=int, metavar="NUMBER", help="the id, as `list` shows it")
        for action in (adding, withdrawing):
            action.add_argument("--as", dest="user", metavar="USER", help="act as this user, with their rights")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        found = entering.planned(EVERYTHING, is_all=given["all"])
        print_rows(COLUMNS, [[getattr(one, name) for name in COLUMNS] for one in found], given["format"], self.stdout)

    def _add(self, given: dict[str, Any]) -> None:
        names = ("first_day", "amount", "percent", "currency", "team", "service", "commitment", "note")
        draft = entering.Draft(**{name: given[name] for name in names})
        self._tell(entering.plan(draft, by=actor(given), now=timezone.now()), "is known to the next forecast")

    def _withdraw(self, given: dict[str, Any]) -> None:
        self._tell(entering.withdraw(given["number"], by=actor(given), now=timezone.now()), "is withdrawn")

    def _tell(self, one: PlannedChange, told: str) -> None:
        self.stdout.write(f"Planned change {one.pk} {told}.")
