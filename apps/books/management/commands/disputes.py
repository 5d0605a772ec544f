"""`manage.py disputes`: numbers teams do not accept, and what came of them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.books import disputes, entries
from apps.books.models import Dispute
from apps.books.people import Actor, at_the_terminal
from apps.finops.errors import CostOpsError
from apps.marts.asking import add_currency, add_question, question
from apps.marts.query import EVERYTHING
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, operator, print_rows

LISTING = """
examples:
  manage.py disputes list                                      all of them, the newest first
  manage.py disputes list --state open --format csv
  manage.py disputes show 7                                    everything said and booked about one
"""
OPENING = """
The question says which number, as with `ask`; it names one team, whose number it is.

examples:
  manage.py disputes open --start 2026-10-01 --end 2026-11-01 --filter team=data-bi --reason "half is not ours"
"""
ANSWERING = """
examples:
  manage.py disputes answer 7 accept "the pool was labelled wrongly"
  manage.py disputes answer 7 reject "these are your CronJobs, see the explanation"
  manage.py disputes answer 7 comment "we look into it"
  manage.py disputes answer 7 withdraw "found it"
"""
SETTLING = """
A dispute that was accepted is settled by other rules or a restatement, or by an entry in the open month.

examples:
  manage.py disputes settle 7 --by rule --reason "rules 12 give the pool to data-platform"
  manage.py disputes settle 7 --from bi --to platform --amount 120.50 --currency CNY --month 2026-10 --reason "logs"
"""
EXAMPLES = LISTING + "".join(part.partition("examples:\n")[2] for part in (OPENING, ANSWERING, SETTLING))
COLUMNS = ("number", "team", "state", "settled_by", "amount", "currency", "publication", "opened_by", "opened_at")


class Command(TerminalCommand):
    """Disputes at the terminal."""

    help = "List, open, answer and settle disputes about numbers."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|open|answer|settle")

        def action(name: str, text: str, epilog: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=epilog, formatter_class=RawDescriptionHelpFormatter)

        listing = action("list", "disputes, the newest first", LISTING)
        listing.add_argument("--state", choices=Dispute.State.values, default="", help="only those in this state")
        listing.add_argument("--team", default="", help="only those of this team")
        showing = action("show", "one dispute with its conversation", LISTING)
        opening = action("open", "dispute a number", OPENING)
        add_question(opening)
        add_currency(opening)
        answering = action("answer", "accept, reject, comment or withdraw", ANSWERING)
        settling = action("settle", "say what changed the number, or book an entry", SETTLING)
        for each in (showing, answering, settling):
            each.add_argument("number", type=int, help="the number of the dispute")
        answering.add_argument("move", choices=("accept", "reject", "comment", "withdraw"), help="what to do")
        answering.add_argument("text", help="why; it is kept")
        settling.add_argument("--by", choices=("rule", "restatement"), help="what changed the number")
        add_entry(settling, is_required=False)
        for each in (opening, settling):
            each.add_argument("--reason", required=True, help="why; it is kept")
        for each in (listing, showing):
            add_format(each)

    def handle(self, *, action: str, **given: Any) -> None:
        actor = at_the_terminal(operator())
        actions = {"list": self._list, "show": self._show, "open": self._open, "answer": self._answer,
                   "settle": self._settle}  # fmt: skip
        try:
            actions[action](given, actor)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any], _actor: Actor) -> None:
        found = disputes.disputes(EVERYTHING, state=given["state"], team=given["team"])
        print_rows(COLUMNS, [_row(one) for one in found], given["format"], self.stdout)

    def _show(self, given: dict[str, Any], _actor: Actor) -> None:
        found = disputes.dispute_of(given["number"], EVERYTHING)
        if given["format"] == "table":
            print_rows(COLUMNS, [_row(found)], "table", self.stdout)
        said = [(one.at, one.by, one.action, one.text) for one in found.remarks.order_by("pk")]
        print_rows(("at", "by", "action", "text"), said, given["format"], self.stdout)

    def _open(self, given: dict[str, Any], actor: Actor) -> None:
        made = disputes.open_dispute(question(given), reason=given["reason"], actor=actor, now=timezone.now())
        self.stdout.write(f"Dispute {made.pk} of {made.team}: {made.amount:f} {made.currency}.")

    def _answer(self, given: dict[str, Any], actor: Actor) -> None:
        found = disputes.dispute_of(given["number"], EVERYTHING)
        done = disputes.move(found, given["move"], text=given["text"], actor=actor, now=timezone.now())
        self.stdout.write(f"Dispute {done.pk} is {done.state}.")

    def _settle(self, given: dict[str, Any], actor: Actor) -> None:
        found = disputes.dispute_of(given["number"], EVERYTHING)
        if given["by"] and given["amount"]:
            raise CommandError("--by tells what changed the number, --amount books an entry; give one of them.")
        if given["amount"]:
            booked = disputes.settle_by_entry(found, draft_of(given), actor=actor, now=timezone.now())
            self.stdout.write(f"Dispute {found.pk} is settled by {booked}.")
            return
        done = disputes.move(
            found, "settle", text=given["reason"], actor=actor, now=timezone.now(), settled_by=given["by"] or ""
        )
        self.stdout.write(f"Dispute {done.pk} is {done.state}.")


def _row(one: Dispute) -> list[Any]:
    own = {"number": str(one.pk), "publication": one.publication.number, "amount": one.amount}
    return [own.get(name, getattr(one, name, None)) for name in COLUMNS]


def add_entry(parser: ArgumentParser, *, is_required: bool) -> None:
    """The options of an entry."""
    parser.add_argument(
        "--from", dest="from_team", default="", required=is_required, help="the team cost is taken from"
    )
    parser.add_argument("--to", dest="to_team", default="", required=is_required, help="the team it goes to")
    parser.add_argument("--amount", default="", required=is_required, help="more than zero, such as 120.50")
    parser.add_argument("--currency", default="", required=is_required, help="the currency, such as CNY")
    parser.add_argument(
        "--month", dest="original_month", default="", required=is_required, help="the month it belongs to, as 2026-10"
    )
    parser.add_argument("--service", default="", help="the service it concerns, if one")


def draft_of(given: dict[str, Any]) -> entries.Draft:
    """The entry the options make up."""
    return entries.Draft(**{name: given[name] for name in entries.Draft.__dataclass_fields__})
