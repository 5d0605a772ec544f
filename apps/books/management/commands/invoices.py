"""`manage.py invoices`: take invoices from a CSV file, and tie them to the charges."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.books.invoices import import_invoices, tie_out
from apps.finops.errors import CostOpsError
from apps.marts.selectors import publication
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, operator, print_rows

EXAMPLES = """
The file has the columns invoice_id, account, currency, total, tax and date, and service where it tells invoices by
service; an invoice that is there already is replaced. BilledCost of the charges with that InvoiceId is compared with
the total (docs/closing.md); the exit status of `tie-out` is 1 while anything does not match.

examples:
  manage.py invoices import invoices-2026-10.csv
  manage.py invoices tie-out
  manage.py invoices tie-out --format csv > tie-out.csv
"""
COLUMNS = (
    "invoice_id", "account", "currency", "status", "total", "tax", "charges", "billed", "expected", "difference",
    "effective", "contracted", "listed",
)  # fmt: skip


class Command(TerminalCommand):
    """Tie invoices to charges."""

    help = "Import invoices, and compare their totals with the charges: matched, unmatched, difference."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("import", "tie-out"), help="what to do")
        parser.add_argument("file", nargs="?", type=Path, help="the CSV file, for `import`")
        parser.add_argument("--by", default="", help="who imports them (default: the user of this terminal)")
        parser.add_argument("--as-of", type=int, metavar="PUBLICATION", help="tie to an earlier publication's charges")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            (self._import if options["what"] == "import" else self._tie_out)(options)
        except (CostOpsError, OSError) as wrong:
            raise CommandError(str(wrong)) from wrong

    def _import(self, options: dict[str, Any]) -> None:
        path: Path | None = options["file"]
        if path is None:
            raise CommandError("Name the file to import: manage.py invoices import FILE")
        by, now = options["by"] or operator(), datetime.now(UTC)
        new, changed = import_invoices(path.read_bytes(), name=path.name, by=by, now=now)
        self.stdout.write(f"{new} invoices are new, {changed} replaced.")

    def _tie_out(self, options: dict[str, Any]) -> None:
        tied = tie_out(publication(options["as_of"]))
        print_rows(COLUMNS, [[getattr(one, name) for name in COLUMNS] for one in tied], options["format"], self.stdout)
        if unmatched := sum(not one.is_matched for one in tied):
            raise CommandError(f"{unmatched} of {len(tied)} do not match.")
