"""`manage.py close`: freeze a month, show its statement, verify all that was frozen."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.books import readiness, selectors, services, statement
from apps.books.changes import month_window
from apps.finops.errors import CostOpsError
from apps.marts.selectors import publication
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import Format, add_format, operator, print_rows

EXAMPLES = """
A closed month keeps its publication and its statement for ever; what changes it later becomes an adjusting entry of
the open month (docs/closing.md). Months are closed in their order. A month that is not final or not complete is
closed only with --force and a reason, which the trail keeps.

examples:
  manage.py close check 2026-10                    what speaks against closing it
  manage.py close 2026-10 --by "Han Meimei"
  manage.py close 2026-10 --force "the last invoice comes in December, agreed with the CFO"
  manage.py close list
  manage.py close statement 2026-10 --format csv > 2026-10.csv
  manage.py close pending                          adjusting entries of the open month
  manage.py close verify                           rebuild every statement, check hashes and chain
  manage.py close trail                            who did what, when and why
"""


class Command(TerminalCommand):
    """Close months."""

    help = "Close a month, show statements and adjusting entries, verify what was closed."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", help=f"the month to close, such as 2026-10, or one of {', '.join(_ACTIONS)}")
        parser.add_argument("month", nargs="?", default="", help="the month, for `check` and `statement`")
        parser.add_argument("--by", default="", help="who closes it (default: the user of this terminal)")
        parser.add_argument("--force", default="", metavar="REASON", help="close it although it is not ready, and why")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        options["by"] = options["by"] or operator()
        action = _ACTIONS.get(options["what"])
        try:
            if action is not None:
                action(self, options)
            else:
                self._close(options)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _close(self, options: dict[str, Any]) -> None:
        closed = services.close(options["what"], by=options["by"], now=datetime.now(UTC), reason=options["force"])
        self.stdout.write(f"{closed.month} is closed from publication {closed.publication.number}: {closed.sha256}")
        if closed.entries:
            self.stdout.write(f"{len(closed.entries)} adjusting entries of earlier months were booked in it.")

    def _check(self, options: dict[str, Any]) -> None:
        """What speaks against closing a month; exit status 1 when something does."""
        month, pinned = options["month"], publication()
        found = readiness.objections(month, month_window(month), pinned, datetime.now(UTC))
        if found:
            raise CommandError("\n".join(str(one) for one in found))
        self.stdout.write(f"{month} is final and complete (publication {pinned.number}).")

    def _list(self, options: dict[str, Any]) -> None:
        """What is closed."""
        columns = ("month", "publication", "closed_at", "closed_by", "entries", "reason", "sha256")
        rows = [
            (one.month, one.publication.number, one.closed_at, one.closed_by, len(one.entries), one.reason, one.sha256)
            for one in selectors.closes()
        ]
        print_rows(columns, rows, options["format"], self.stdout)

    def _statement(self, options: dict[str, Any]) -> None:
        """The statement of a month: as CSV or JSON its canonical bytes."""
        closed = selectors.close_of(options["month"])
        if options["format"] == "table":
            self._rows(statement.rows(closed), "table")
        else:
            self.stdout.write(statement.rebuilt(closed, options["format"]).decode(), ending="")

    def _pending(self, options: dict[str, Any]) -> None:
        """What the open month will book of closed months."""
        self._rows(selectors.pending(), options["format"])

    def _rows(self, rows: "list[statement.Entry]", form: Format) -> None:
        print_rows(statement.COLUMNS, [statement.values(row) for row in rows], form, self.stdout)

    def _verify(self, options: dict[str, Any]) -> None:
        """Rebuild every statement and check the chain; exit status 1 when anything differs."""
        verdicts = services.verify(by=options["by"], now=datetime.now(UTC))
        rows = [(one.month, one.sha256, one.problem or "as it was closed") for one in verdicts]
        print_rows(("month", "sha256", "verdict"), rows, options["format"], self.stdout)
        broken = [verdict for verdict in verdicts if verdict.problem]
        if broken:
            raise CommandError(f"{len(broken)} of {len(verdicts)} closed months are not as they were closed.")

    def _trail(self, options: dict[str, Any]) -> None:
        """Who did what, when and why."""
        columns = ("at", "by", "action", "subject", "why", "outcome")
        rows = [[getattr(one, name) for name in columns] for one in selectors.trail()]
        print_rows(columns, rows, options["format"], self.stdout)


_ACTIONS: dict[str, Callable[[Command, dict[str, Any]], None]] = {
    "check": Command._check,
    "list": Command._list,
    "statement": Command._statement,
    "pending": Command._pending,
    "verify": Command._verify,
    "trail": Command._trail,
}
