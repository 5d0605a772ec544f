"""`manage.py rules`: what the ownership rules do, what others would do, and the file that holds them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.allocation import trial
from apps.allocation.counting import COUNT_DAYS, payers
from apps.allocation.management import drafting
from apps.allocation.rehearsal import NothingToTryOn, last_days
from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.windows import Window
from apps.teams.documents import read_teams
from apps.teams.models import UNALLOCATED
from apps.teams.selectors import rule_book, teams_file
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows, working

LISTING = """
A row per rule and currency, in the order in which they decide (the largest priority first, then as written): the
effective cost a rule decided, how many subjects a day it decided (workloads, idle pools, charges) and how many it
matches. What an earlier rule took is hidden. Rules of clusters come last, though they are asked first: the charges
they gave to a cluster, and by what those are divided there (claims: all on the cluster carry them). Without --start
and --end over the last 28 days that are allocated, as the page and the API tell it.

examples:
  manage.py rules list
  manage.py rules list --start 2026-10-01 --end 2026-11-01 --format csv
"""
SIMULATING = """
Attributes the days by the rules in force and by those of a file, and shows who would gain and who would lose. Nothing
is imported; `manage.py import_teams FILE` and a fill make exactly these numbers. Days before a rule's valid_from do
not move.

examples:
  manage.py rules simulate teams-draft.yaml
  manage.py rules simulate teams-draft.yaml --start 2026-10-01 --end 2026-11-01 --format json
  manage.py rules simulate 7                   a draft, over the rules now in force, on the last 62 days
"""
EXPORTING = """
examples:
  manage.py rules export > teams.yaml          teams and rules in force, as import_teams reads them
"""
EXAMPLES = "\nexamples:\n" + "".join(
    part.partition("examples:\n")[2] for part in (LISTING, SIMULATING, EXPORTING, *drafting.EPILOGS)
)
USE = (
    "order",
    "priority",
    "rule",
    "teams",
    "cluster",
    "by",
    "valid_from",
    "valid_to",
    "currency",
    "cost",
    "decided",
    "matched",
    "hidden_by",
    "verdict",
)
MOVES = ("team", "currency", "before", "after", "change")


class Command(TerminalCommand):
    """Ownership rules at the terminal."""

    help = "Show what ownership rules do; draft, simulate, approve and publish changes of them; export them."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

        def add(name: str, told: str, epilog: str) -> ArgumentParser:
            return actions.add_parser(name, help=told, epilog=epilog, formatter_class=raw)

        drafting.add_actions(add)
        show = actions.add_parser("list", help="what every rule does", epilog=LISTING, formatter_class=raw)
        add_window(show)
        add_format(show)
        draft = actions.add_parser(
            "simulate", help="who gains and who loses by other rules", epilog=SIMULATING, formatter_class=raw
        )
        draft.add_argument(
            "file", metavar="FILE|DRAFT", help="a .yaml, .yml or .csv file of teams and rules, or the number of a draft"
        )
        add_window(draft)
        add_format(draft)
        actions.add_parser("export", help="write teams and rules as YAML", epilog=EXPORTING, formatter_class=raw)

    def handle(self, *, action: str, **given: Any) -> None:
        own = {"list": self._list, "simulate": self._simulate, "export": self._export}
        try:
            if action in own:
                own[action](given)
            else:
                drafting.ACTIONS[action](given, cast(IO[str], self.stdout))
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        window = window_of(given)
        found = trial.use(window, rule_book()[1])
        rows = [row for order, one in enumerate(found, 1) for row in _use_rows(order, one, window)]
        print_rows(USE, rows, given["format"], self.stdout)
        if given["format"] == "table":
            idle = sum(not one.decided for one in found)
            self.stdout.write(
                f"{len(found)} rules, {idle} of them decided nothing from {window.start} to {window.end}."
            )

    def _simulate(self, given: dict[str, Any]) -> None:
        if given["file"].isdecimal():
            window = window_of(given) if given["start"] or given["end"] else None
            stream, by = cast(IO[str], self.stdout), drafting.actor(given)
            drafting.simulate(int(given["file"]), window, given["format"], stream, by=by)
            return
        window = window_of(given)
        _, draft = read_teams(Path(given["file"]))
        with working(f"dividing {window.start} to {window.end} by other rules"):
            moves = trial.simulate(window, rule_book()[1], draft)
        print_rows(MOVES, [[getattr(move, name) for name in MOVES] for move in moves], given["format"], self.stdout)
        if given["format"] == "table":
            for currency in sorted({move.currency for move in moves}):
                self.stdout.write(_told([move for move in moves if move.currency == currency], currency, window))

    def _export(self, _given: dict[str, Any]) -> None:
        self.stdout.write(teams_file(), ending="")


def add_window(parser: ArgumentParser) -> None:
    first = (
        f"first day (default {COUNT_DAYS} days before the end; with no end either, of the last {COUNT_DAYS} allocated)"
    )
    last = "the day after the last one (default today, where a start is given)"
    parser.add_argument("--start", type=day, metavar="2026-10-01", help=first)
    parser.add_argument("--end", type=day, metavar="2026-11-01", help=last)


def window_of(given: dict[str, Any]) -> Window:
    """The days that are asked for; else those that the page and the API tell of, and before any is allocated the last
    until today."""
    if not (given["start"] or given["end"]):
        with suppress(NothingToTryOn):
            return last_days(COUNT_DAYS)
    end = given["end"] or timezone.localdate()
    start = given["start"] or end - timedelta(days=COUNT_DAYS)
    if start >= end:
        raise CommandError(f"--start {start} is not before --end {end}; the end itself is not included.")
    return Window(start, end)


def _use_rows(order: int, use: trial.RuleUse, window: Window) -> list[list[Any]]:
    rule, of_cluster = use.rule, use.of_cluster
    place = [of_cluster.cluster, of_cluster.by] if of_cluster else ["", ""]
    facts = [order, rule.priority, rule.name, payers(rule), *place, rule.valid_from, rule.valid_to]
    costs: list[tuple[str, Any]] = [*sorted(use.cost.items())] or [("", None)]
    more = [use.decided, use.matched, use.hidden_by, use.verdict(window)]
    return [[*facts, currency, cost, *more] for currency, cost in costs]


def _told(moves: list[trial.Move], currency: str, window: Window) -> str:
    moved = add_up(abs(move.change) for move in moves) / 2
    nobody = add_up(move.change for move in moves if move.team == UNALLOCATED)
    direction = "leave" if nobody <= 0 else "join"
    return (
        f"{window.start} to {window.end}: {moved:,.2f} {currency} change hands; {abs(nobody):,.2f} {currency} "
        f"{direction} {UNALLOCATED}; the total stays."
    )
