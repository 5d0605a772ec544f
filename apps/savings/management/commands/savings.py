"""`manage.py savings`: the ledger, one initiative with what was measured, writing, stating and measuring."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.allocation.management.drafting import actor
from apps.finops.errors import CostOpsError
from apps.savings import selectors, services
from apps.savings.bringing import COLUMNS as COLUMNS_BROUGHT
from apps.savings.bringing import bring
from apps.savings.models import Initiative
from apps.savings.selectors import Entry
from apps.savings.statements import FIELDS, read_statement
from apps.savings.states import OF_PEOPLE
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.sentences import told, told_of
from apps.warehouse.terminal import add_format, print_rows, working

EXAMPLES = """
examples:
  manage.py savings list                                    every initiative, with what is verified of it
  manage.py savings ways                                    from found to verified, by currency
  manage.py savings show 3                                  what was stated and measured, and every step
  manage.py savings write name="Recompile the stack" hypothesis="Fewer cores for the same traffic" \\
      team=search scope="team=search; service=ECS" currency=CNY promised_per_month=12000 start=2026-12-01
  manage.py savings bring initiatives.csv                   a ledger that was kept elsewhere
  manage.py savings step 3 state                            from now on its statement stays
  manage.py savings step 3 revert --why "it slowed the checkout"
  manage.py savings measure                                 measure what is due by the newest publication
"""
COLUMNS = (
    "number", "team", "name", "state", "start", "currency", "promised_per_month", "verified_per_month", "grade",
)  # fmt: skip
MEASURED = ("publication", "start", "end", "final", "verdict", "grade", "share", "saving", "lower", "upper")
STEPS = ("at", "by", "action", "from", "to", "why")
WAYS = ("currency", *selectors.STEPS)


class Command(TerminalCommand):
    """The savings ledger at the terminal."""

    help = "List initiatives, show, write, state and measure them."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|ways|show|write|bring|step|measure")

        def add(name: str, text: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)

        listing = add("list", "every initiative, the newest first")
        listing.add_argument("--team", default="", help="only of this team")
        listing.add_argument("--state", default="", choices=Initiative.State.values, help="only in this state")
        showing = add("show", "one with what was measured and every step")
        showing.add_argument("number", type=int, help="the number of the initiative")
        for each in (listing, add("ways", "the way from found to verified"), showing):
            add_format(each)
        writing = add("write", "keep a draft")
        writing.add_argument("fields", nargs="+", metavar="FIELD=VALUE", help=", ".join(FIELDS))
        bringing = add("bring", "initiatives of a CSV file; `stated_on` where one was stated elsewhere before")
        bringing.add_argument("file", type=Path, help=f"columns: {', '.join(COLUMNS_BROUGHT)}")
        stepping = add("step", "state, withdraw, revert, comment")
        stepping.add_argument("number", type=int, help="the number of the initiative")
        stepping.add_argument("step", choices=OF_PEOPLE, help="what to do")
        stepping.add_argument("--why", default="", help="why; it is kept")
        for each in (writing, bringing, stepping):
            each.add_argument("--as", dest="user", metavar="USER", help="act as this user, with their rights")
        add("measure", "measure what is due by the newest publication")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        found = selectors.entries(None, team=given["team"], state=given["state"])
        print_rows(COLUMNS, [_row(one) for one in found], given["format"], self.stdout)

    def _ways(self, given: dict[str, Any]) -> None:
        rows = [[one.currency, *(amount for _, amount in one.steps)] for one in selectors.ways(None)]
        print_rows(WAYS, rows, given["format"], self.stdout)

    def _show(self, given: dict[str, Any]) -> None:
        entry = selectors.entry(given["number"], None)
        if given["format"] == "table":
            print_rows(COLUMNS, [_row(entry)], "table", self.stdout)
            self.stdout.write(entry.one.hypothesis)
            rows = [
                [each.publication, each.start, each.end, each.is_final, each.verdict, each.grade, each.share,
                 *(each.money(name) for name in ("saving", "lower", "upper"))]
                for each in entry.one.measurements.order_by("pk")
            ]  # fmt: skip
            print_rows(MEASURED, rows, "table", self.stdout)
        steps = [
            (each.at, each.by or "CostOps", each.action, each.from_state, each.to_state,
             told(each.why, each.values) if each.values else each.why)
            for each in entry.one.steps.order_by("pk")
        ]  # fmt: skip
        print_rows(STEPS, steps, given["format"], self.stdout)

    def _write(self, given: dict[str, Any]) -> None:
        pairs = (field.partition("=") for field in given["fields"])
        statement = read_statement({name: value for name, _, value in pairs})
        kept = services.write(statement, by=actor(given), now=timezone.now())
        self.stdout.write(f"Initiative {kept.pk} is a draft; `manage.py savings step {kept.pk} state` states it.")

    def _bring(self, given: dict[str, Any]) -> None:
        try:
            content = given["file"].read_bytes()
        except OSError as wrong:
            raise CommandError(f"{given['file']}: {wrong.strerror}.") from wrong
        kept = bring(content, given["file"].name, by=actor(given), now=timezone.now())
        stated = sum(one.state != "draft" for one in kept)
        self.stdout.write(f"{len(kept)} brought, {stated} of them stated; what was there already stays as it is.")

    def _step(self, given: dict[str, Any]) -> None:
        one = selectors.entry(given["number"], None).one
        services.take(one, given["step"], by=actor(given), now=timezone.now(), why=given["why"])
        self.stdout.write(f"Initiative {one.pk} is {Initiative.State(one.state).label}.")

    def _measure(self, given: dict[str, Any]) -> None:
        with working("measuring what is due"):
            done = services.verify(now=timezone.now())
        for problem in done.problems:
            self.stderr.write(f"{problem.subject}: {problem.message}")
        self.stdout.write(f"{done.rows} measured by publication {done.versions['publication']}.")


def _row(entry: Entry) -> list[Any]:
    one, measured = entry.one, entry.final or entry.newest
    verified = entry.verified_per_month
    return [
        str(one.pk), one.team, told_of(one.title) if one.title else one.name, one.state, one.start, one.currency,
        one.promised, "" if verified is None else verified, measured.grade if measured else "",
    ]  # fmt: skip
