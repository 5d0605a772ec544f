"""`manage.py recommendations`: what was found and who has it, one with its history, and steps."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.allocation.management.drafting import actor
from apps.finops.errors import CostOpsError
from apps.operations import deciding, kinds, selectors
from apps.operations.deciding import Step
from apps.operations.models import Recommendation
from apps.operations.overlaps import Promise
from apps.operations.selectors import Wanted
from apps.operations.states import ACTIONS
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.sentences import told, told_of
from apps.warehouse.terminal import add_format, day, print_rows

LISTING = """
In each currency the most money first. `counted` is less, or empty, where another one would save the same.

examples:
  manage.py recommendations list                            what is open
  manage.py recommendations list --team live-class --kind ownership
  manage.py recommendations list --state declined --format csv
"""
SHOWING = """
examples:
  manage.py recommendations show 7                          evidence, and every step with who and why
"""
STEPPING = """
All of the numbers or none. To decline needs --why, to snooze --until, to assign --assignee.

examples:
  manage.py recommendations step 7 accept
  manage.py recommendations step 7 8 9 decline --why "kept for the audit until March"
  manage.py recommendations step 7 snooze --until 2026-12-31
  manage.py recommendations step 7 assign --assignee hanmeimei --as lilei
"""
EXAMPLES = "\nexamples:\n" + "".join(part.partition("examples:\n")[2] for part in (LISTING, SHOWING, STEPPING))
COLUMNS = (
    "number", "kind", "team", "title", "state", "assignee", "due", "currency", "saving_per_month", "counted",
    "amount_per_month",
)  # fmt: skip
STEPS = ("at", "by", "action", "from", "to", "why")


class Command(TerminalCommand):
    """Recommendations at the terminal."""

    help = "List recommendations, show one with its history, take steps with them."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|step")

        def add(name: str, text: str, epilog: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=epilog, formatter_class=RawDescriptionHelpFormatter)

        listing = add("list", "recommendations, the most money first", LISTING)
        listing.add_argument("--kind", choices=kinds.NAMES, default="", help="only of this kind")
        listing.add_argument("--team", default="", help="only of this team")
        listing.add_argument(
            "--state", choices=selectors.STATES, default=selectors.UNDECIDED, help="only in this state (default: open)"
        )
        showing = add("show", "one with its evidence and history", SHOWING)
        showing.add_argument("number", type=int, help="the number of the recommendation")
        for each in (listing, showing):
            add_format(each)
        stepping = add("step", "accept, decline, snooze, assign and the like", STEPPING)
        stepping.add_argument("numbers", type=int, nargs="+", help="the numbers of the recommendations")
        stepping.add_argument("step", choices=ACTIONS, help="what to do")
        stepping.add_argument("--why", default="", help="why; it is kept")
        stepping.add_argument("--until", type=day, metavar="DATE", help="with snooze: when to be asked again")
        stepping.add_argument("--assignee", default="", metavar="USER", help="with assign: who it is for")
        stepping.add_argument("--as", dest="user", metavar="USER", help="act as this user, with their rights")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        wanted = Wanted(kind=given["kind"], team=given["team"], state=given["state"])
        found = selectors.of_everybody(wanted)
        promised = selectors.promised(found, wanted)
        print_rows(COLUMNS, [_row(one, promised) for one in found], given["format"], self.stdout)
        if given["format"] == "table":
            for currency, total in promised.totals.items():
                self.stdout.write(f"{total:,.2f} {currency} a month together, nothing counted twice.")

    def _show(self, given: dict[str, Any]) -> None:
        one = selectors.find(given["number"], None)
        if given["format"] == "table":
            print_rows(COLUMNS, [_row(one, selectors.beside(one, None)[1])], "table", self.stdout)
            for sentence in one.evidence:
                self.stdout.write(f"- {told_of(sentence)}")
        rows = [
            (each.at, each.by or "CostOps", each.action, each.from_state, each.to_state, told(each.why, each.values))
            for each in one.steps.order_by("pk")
        ]
        print_rows(STEPS, rows, given["format"], self.stdout)

    def _step(self, given: dict[str, Any]) -> None:
        by = actor(given)
        step = Step(given["step"], given["why"], given["until"], given["assignee"])
        done = deciding.take(selectors.find_all(given["numbers"], None), step, by=by, now=timezone.now())
        for one in done:
            self.stdout.write(f"Recommendation {one.pk} is {Recommendation.State(one.state).label}.")


def _row(one: Recommendation, promised: Promise) -> list[Any]:
    counted = promised.counted.get(one.pk) or ""
    assignee = one.assignee.get_username() if one.assignee else ""
    return [
        str(one.pk), one.kind, one.team, told_of(one.title), one.state, assignee, one.due, one.currency, one.saving,
        counted, one.amount,
    ]  # fmt: skip
