"""`manage.py policies`: what policies do with cost that no single team used."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.allocation import policy_use
from apps.allocation.management.commands.rules import add_window, window_of
from apps.finops.errors import CostOpsError
from apps.finops.windows import Window
from apps.teams.selectors import rule_book
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
A row per policy and currency, in the order in which they decide: what it is about and its way, its days, and the
effective cost it gave to how many teams. Shared namespaces (`shared` in the teams file) come last: they are policies
without dates. Without --start and --end over the last 28 days that are allocated. How policies are written is
described in docs/policies.md.

examples:
  manage.py policies list
  manage.py policies list --start 2026-10-01 --end 2026-11-01 --format csv
"""
COLUMNS = ("order", "policy", "way", "valid_from", "valid_to", "currency", "cost", "teams", "verdict")


class Command(TerminalCommand):
    """Policies at the terminal."""

    help = "Show what policies do with idle, shared and following cost."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list")
        show = actions.add_parser(
            "list", help="what every policy does", epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter
        )
        add_window(show)
        add_format(show)

    def handle(self, **given: Any) -> None:
        window = window_of(given)
        try:
            number, book = rule_book()
            found = policy_use.use(window, book)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        rows = [row for order, one in enumerate(found, 1) for row in _rows(order, one, window)]
        print_rows(COLUMNS, rows, given["format"], self.stdout)
        if given["format"] == "table":
            still = sum(not one.cost for one in found)
            self.stdout.write(
                f"{len(found)} policies of rules {number}, {still} of them gave nothing to anybody from "
                f"{window.start} to {window.end}."
            )


def _rows(order: int, use: policy_use.PolicyUse, window: Window) -> list[list[Any]]:
    policy = use.policy
    facts = [order, policy.label, _way(use), policy.valid_from, policy.valid_to]
    costs: list[tuple[str, Any]] = [*use.cost.items()] or [("", None)]
    return [[*facts, currency, cost, use.teams, use.verdict(window)] for currency, cost in costs]


def _way(use: policy_use.PolicyUse) -> str:
    """The way of a policy with what it names: a team, percentages, a driver."""
    policy = use.policy
    whole = sum(weight for _, weight in policy.split)
    named = [team if weight == whole else f"{team} {weight * 100 / whole:g} %" for team, weight in policy.split]
    told = ", ".join([*named, *policy.teams]) or policy.driver
    return f"{policy.how} ({told})" if told else policy.how
