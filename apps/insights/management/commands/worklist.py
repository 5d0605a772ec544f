"""`manage.py worklist`: unallocated cost, the largest first, and who is proposed as its owner."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.allocation.management.drafting import actor
from apps.finops.errors import CostOpsError
from apps.finops.windows import Window
from apps.insights import settling, worklist
from apps.insights.evidence import Evidence
from apps.teams.approval import WHO_HAS_RULES
from apps.teams.models import RuleDraft
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows

LISTING = """
As of the newest publication, per currency: what no rule gives to a team, who is proposed as its owner, and how much of
the money agrees. What speaks for whom is told in sentences by `manage.py worklist show`.

examples:
  manage.py worklist list
  manage.py worklist list --start 2026-10-01 --end 2026-11-01 --format csv
  manage.py worklist list --dismissed          what was set aside, by whom and why
"""
SHOWING = """
examples:
  manage.py worklist show 3f1c0a97b24d88e1     everything that speaks for an owner
"""
SETTLING = """
`accept` drafts the rule that gives a subject to the team proposed, from its first unallocated day on, and simulates,
approves and publishes it as far as you may: as proposed at once, with another team or day once others approved it.

examples:
  manage.py worklist accept 3f1c0a97b24d88e1
  manage.py worklist accept 3f1c0a97b24d88e1 --team data --valid-from 2026-11-01 --as hanmeimei
  manage.py worklist dismiss 3f1c0a97b24d88e1 --reason "a test cluster, gone next week"
  manage.py worklist restore 3f1c0a97b24d88e1
"""
EXAMPLES = "\nexamples:\n" + "".join(part.partition("examples:\n")[2] for part in (LISTING, SHOWING, SETTLING))
ITEMS = ("id", "kind", "subject", "currency", "cost", "first_day", "team", "agrees", "confidence", "draft")
ASIDE = ("id", "kind", "subject", "currency", "cost", "by", "at", "reason")
EVIDENCE = ("kind", "team", "agreeing", "of", "agrees", "sentence")


class Command(TerminalCommand):
    """Unallocated cost at the terminal."""

    help = "List unallocated cost with proposed owners; accept them, or set what is listed aside."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|accept|dismiss|restore")

        def add(name: str, told: str, epilog: str) -> ArgumentParser:
            action = actions.add_parser(name, help=told, epilog=epilog, formatter_class=RawDescriptionHelpFormatter)
            action.add_argument("--start", type=day, metavar="DATE", help="first day (default 62 days before the end)")
            action.add_argument("--end", type=day, metavar="DATE", help="the day after the last one published")
            return action

        listing = add("list", "what has no owner", LISTING)
        listing.add_argument("--dismissed", action="store_true", help="what was set aside instead")
        add_format(listing)
        showing = add("show", "what speaks for an owner", SHOWING)
        add_format(showing)
        accept = add("accept", "give a subject to a team", SETTLING)
        accept.add_argument("--team", default="", help="the owner (default: the team proposed)")
        accept.add_argument("--valid-from", type=day, metavar="DATE", help="from which day on (default: the first)")
        dismiss, restore = add("dismiss", "set a subject aside", SETTLING), add("restore", "take it up again", SETTLING)
        for action in (showing, accept, dismiss, restore):
            action.add_argument("subject", metavar="ID", help="the id of a subject, as `list` shows it")
        for action in (accept, dismiss, restore):
            action.add_argument("--reason", default="", help="why; it is kept")
            action.add_argument("--as", dest="user", metavar="USER", help="act as this user, with their rights")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        here = worklist.worklist(_window(given))
        if given["dismissed"]:
            aside = [(*_facts(item)[:5], *_decision(item)) for item in here.dismissed]
            print_rows(ASIDE, aside, given["format"], self.stdout)
            return
        print_rows(ITEMS, [_facts(item) for item in here.items], given["format"], self.stdout)
        if given["format"] == "table":
            for currency, total in here.totals.items():
                self.stdout.write(
                    f"{total:,.2f} {currency} are unallocated in {here.window} (publication {here.publication.number})."
                )

    def _show(self, given: dict[str, Any]) -> None:
        item = worklist.find(given["subject"], window=_window(given))
        print_rows(EVIDENCE, [_told(one) for one in item.evidence], given["format"], self.stdout)
        if given["format"] == "table":
            proposal = f"{item.team}, confidence {item.confidence}" if item.team else "nobody"
            self.stdout.write(
                f"{item.subject.title}: {item.cost:,.2f} {item.currency} since {item.first_day}; proposed: {proposal}."
            )

    def _accept(self, given: dict[str, Any]) -> None:
        item = worklist.find(given["subject"], window=_window(given))
        asked = {name: given[name] for name in ("team", "valid_from", "reason")}
        draft = settling.accept(item, by=actor(given), now=timezone.now(), is_waited_for=True, **asked)
        after = {
            RuleDraft.State.SIMULATED: f"members of the team approve it, or {WHO_HAS_RULES}",
            RuleDraft.State.PUBLISHED: "the next fill attributes the days by it",
        }  # fmt: skip
        told = after.get(RuleDraft.State(draft.state), "it can be published")
        self.stdout.write(f"Draft {draft.pk} is {draft.state}: {told}.")

    def _dismiss(self, given: dict[str, Any]) -> None:
        item = worklist.find(given["subject"], window=_window(given))
        settling.dismiss(item, by=actor(given), now=timezone.now(), reason=given["reason"])
        self.stdout.write(f"{item.subject.title} is set aside.")

    def _restore(self, given: dict[str, Any]) -> None:
        item = worklist.find(given["subject"], window=_window(given))
        settling.restore(item, by=actor(given), now=timezone.now(), reason=given["reason"])
        self.stdout.write(f"{item.subject.title} is on the list again.")


def _window(given: dict[str, Any]) -> Window | None:
    start, end = given["start"], given["end"]
    if not (start or end):
        return None
    if not (start and end) or start >= end:
        raise CommandError("Give both --start and --end, the end after the start; the end itself is not included.")
    return Window(start, end)


def _facts(item: worklist.WorkItem) -> tuple[Any, ...]:
    draft = f"{item.draft.pk} {item.draft.state}" if item.draft else ""
    agrees = f"{item.best.share:.0%}" if item.best else ""
    subject = item.subject
    about = (subject.id, subject.kind, subject.title, item.currency, item.cost, item.first_day)
    return (*about, item.team, agrees, item.confidence, draft)


def _decision(item: worklist.WorkItem) -> tuple[Any, ...]:
    one = item.dismissed
    return (one.by, one.at, one.reason) if one else ("", None, "")


def _told(one: Evidence) -> tuple[Any, ...]:
    return (one.kind, one.team, one.agreeing, one.whole, f"{one.share:.0%}", one.sentence)
