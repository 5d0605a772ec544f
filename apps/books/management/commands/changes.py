"""`manage.py changes`: why cost differs between two publications."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.books.changes import GROUPS, ChangeQuery, changes, month_window, previous
from apps.finops.errors import CostOpsError
from apps.marts.asking import narrowed
from apps.marts.query import METRICS
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
Every row of the difference is new, vanished, re-priced, credited, re-measured or re-ruled (docs/restatement.md); the
rows add up to exactly the difference. Without --to it is the newest publication, without --from the one before.

examples:
  manage.py changes --month 2026-10
  manage.py changes --from 7 --to 12 --month 2026-10 --group-by team,class
  manage.py changes --from 7 --group-by class,resource,service --filter team=web --format csv
"""


class Command(TerminalCommand):
    """Tell why cost changed."""

    help = "Why did last month change? The difference of two publications, by class, adding up to the whole."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="before", type=int, metavar="PUBLICATION", help="the earlier publication")
        parser.add_argument("--to", dest="after", type=int, metavar="PUBLICATION", help="the later publication")
        parser.add_argument("--month", metavar="2026-10", help="only the days of this calendar month")
        parser.add_argument(
            "--group-by", default="team,class", metavar="A,B", help=f"at most six of {', '.join(GROUPS)}"
        )
        parser.add_argument("--metric", default="effective_cost", help=f"one of {', '.join(METRICS)}")
        parser.add_argument(
            "--filter", action="append", default=[], metavar="NAME=A,B", help="only these values; may be repeated"
        )
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            found = changes(_query(options))
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        print_rows(found.query.columns, found.rows, options["format"], self.stdout)
        if options["format"] == "table":
            told = ", ".join(f"{total:+,.2f} {currency}" for currency, total in found.totals.items()) or "nothing"
            self.stdout.write(f"Change {told} — from publication {found.before.number} to {found.after.number}")


def _query(options: dict[str, Any]) -> ChangeQuery:
    before, after = previous(options["after"])
    return ChangeQuery(
        options["before"] or before,
        after,
        group_by=tuple(name.strip() for name in options["group_by"].split(",") if name.strip()),
        metric=options["metric"],
        window=month_window(options["month"]) if options["month"] else None,
        filters=tuple(narrowed("--filter", text) for text in options["filter"]),
    )
