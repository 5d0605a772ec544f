"""`manage.py idle`: what is paid for and not used, why we think so, and what people decided about it."""

from argparse import RawDescriptionHelpFormatter
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.insights.idle import deciding, selectors
from apps.insights.idle.selectors import Listed
from apps.insights.models import IdleExclusion
from apps.marts.query import EVERYTHING
from apps.teams.approval import Actor
from apps.teams.organising import today
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, harmless, print_rows

LISTING = """
What is idle in the newest publication, the most money a month first. `open`, the default, is what evidence calls idle
and nobody decided about; `unknown` is what no signal tells anything of.

examples:
  manage.py idle list
  manage.py idle list --kind namespace --team live-core
  manage.py idle list --verdict unknown --format csv
"""
SHOWING = """
One thing with what speaks for it and what would be lost; SUBJECT as `idle list` prints it.

examples:
  manage.py idle show online/dev-live-core-03
"""
EXCLUDING = """
Exclude what a pattern names, or mark it as kept; `idle undo` ends a decision by its number. Nothing is changed, rows
are added.

examples:
  manage.py idle exclude 'online/dev-*' --kind namespace --reason "kept for the workshop" --until 2026-12-31
  manage.py idle exclude i-2ze0stopped --keep --reason "the licence is bound to it"
  manage.py idle exclude --list
  manage.py idle undo 7
"""
EXAMPLES = "\n".join(
    ("examples:", *(one.partition("examples:\n")[2].rstrip() for one in (LISTING, SHOWING, EXCLUDING)))
)
COLUMNS = ("kind", "subject", "team", "currency", "per_month", "verdict", "since", "last_active")


class Command(TerminalCommand):
    """Idle resources at the terminal."""

    help = "What is paid for and not used, with money and evidence, and what is excluded."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|exclude|undo")
        listing = actions.add_parser("list", help="what is idle", epilog=LISTING, formatter_class=raw)
        listing.add_argument(
            "--verdict", choices=selectors.VERDICTS, default="open", help="only these; open by default"
        )
        listing.add_argument("--kind", choices=selectors.KINDS, default="", help="only this kind")
        listing.add_argument("--team", default="", help="only what this team pays for")
        listing.add_argument("--search", default="", help="only what has this in its name, resource or service")
        listing.add_argument("--as-of", type=int, metavar="PUBLICATION", help="in an earlier publication")
        add_format(listing)
        showing = actions.add_parser("show", help="one thing and its evidence", epilog=SHOWING, formatter_class=raw)
        showing.add_argument("subject", help="what, as `idle list` prints it")
        add_format(showing)
        excluding = actions.add_parser(
            "exclude", help="exclude or keep what a pattern names", epilog=EXCLUDING, formatter_class=raw
        )
        excluding.add_argument("pattern", nargs="?", default="", help="a subject, or a pattern such as online/dev-*")
        excluding.add_argument("--list", action="store_true", help="list the decisions in force instead")
        excluding.add_argument("--kind", choices=selectors.KINDS, default="", help="only of this kind")
        excluding.add_argument("--team", default="", help="only of this team")
        excluding.add_argument("--reason", default="", help="why; kept for ever")
        excluding.add_argument("--until", type=date.fromisoformat, help="the first day it does not hold any more")
        excluding.add_argument("--keep", action="store_true", help="mark as kept instead of excluded")
        excluding.add_argument("--by", default="manage.py", help="who decides")
        add_format(excluding)
        undoing = actions.add_parser("undo", help="end a decision", epilog=EXCLUDING, formatter_class=raw)
        undoing.add_argument("number", type=int, help="the number of the decision")
        undoing.add_argument("--by", default="manage.py", help="who decides")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            {"list": self._list, "show": self._show, "exclude": self._exclude, "undo": self._undo}[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        run = selectors.newest_run(given["as_of"])
        narrowed = {name: given[name] for name in ("verdict", "kind", "team")}
        found = selectors.listed(run, EVERYTHING, day=today(), text=given["search"], **narrowed)
        print_rows(COLUMNS, [_row(one) for one in found], given["format"], self.stdout)
        if given["format"] == "table":
            totals = ", ".join(f"{total} {currency}" for currency, total in selectors.totals(found).items())
            self.stdout.write(
                f"{totals or 'Nothing'} a month; cost of {run.costed_days} days before {run.end_day}, publication "
                f"{run.publication}."
            )

    def _show(self, given: dict[str, Any]) -> None:
        rows = selectors.listed(selectors.newest_run(), EVERYTHING, day=today(), verdict="all")
        found = [one for one in rows if one.finding.subject == given["subject"]]
        if not found:
            raise selectors.NothingFound(
                f"Nothing idle is called {harmless(given['subject'])}; `manage.py idle list --verdict all` names all."
            )
        told = [
            [*_row(one)[:6], what, line]
            for one in found
            for what, line in (
                *(("evidence", str(sentence)) for sentence in selectors.sentences(one.finding)),
                ("lost", str(selectors.lost(one.finding))),
            )
        ]
        print_rows((*COLUMNS[:6], "what", "told"), told, given["format"], self.stdout)

    def _exclude(self, given: dict[str, Any]) -> None:
        if not given["list"]:
            decision = IdleExclusion.Decision.KEEP if given["keep"] else IdleExclusion.Decision.EXCLUDE
            told = {name: given[name] for name in ("kind", "team", "reason", "until")}
            by = Actor(given["by"], None)
            deciding.exclude(given["pattern"], decision=decision, by=by, now=timezone.now(), **told)
        names = ("pk", "decision", "kind", "pattern", "team", "until", "by", "reason")
        rows = [[getattr(one, name) for name in names] for one in selectors.Decisions.on(today()).newest]
        print_rows(("number", *names[1:]), rows, given["format"], self.stdout)

    def _undo(self, given: dict[str, Any]) -> None:
        undone = deciding.undo(given["number"], by=Actor(given["by"], None), now=timezone.now())
        self.stdout.write(f"Undone: {harmless(str(undone.pattern))} is asked about again.")


def _row(one: Listed) -> list[Any]:
    finding = one.finding
    last = f"{finding.last_active:%Y-%m-%d %H:%M}" if finding.last_active else ""
    return [
        finding.kind, finding.subject, finding.team, finding.currency, finding.per_month, one.state,
        finding.since, last,
    ]  # fmt: skip
