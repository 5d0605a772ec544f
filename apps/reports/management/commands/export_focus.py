"""`manage.py export_focus`: charges or allocated cost of a publication as a FOCUS file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.finops.tables import COSTS
from apps.marts.asking import question
from apps.reports.focus_out.export import export
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import working

EXAMPLES = """
The columns are those of FOCUS 1.2 and the eight of 1.3, then ours (x_…); docs/focus.md says what stands in them. The
end day is not included. The file adds up to what was published, to the last decimal, or there is no file.

examples:
  manage.py export_focus --what charges --start 2026-10-01 --end 2026-11-01 --to october.csv
  manage.py export_focus --what allocated --start 2026-10-01 --end 2026-11-01 --format parquet --to october.parquet
  manage.py export_focus --what allocated --filter team=web --start 2026-10-01 --end 2026-11-01 --to web.csv
"""


class Command(TerminalCommand):
    """Export a window."""

    help = "Write charges or allocated cost as FOCUS 1.2, CSV or Parquet."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--what", required=True, choices=("charges", "allocated"), help="what is exported")
        parser.add_argument("--start", required=True, metavar="DATE", help="first day, such as 2026-10-01")
        parser.add_argument("--end", required=True, metavar="DATE", help="the day after the last one")
        parser.add_argument(
            "--filter", action="append", default=[], metavar="NAME=A,B", help="only these values; may be repeated"
        )
        parser.add_argument(
            "--exclude", action="append", default=[], metavar="NAME=A,B", help="all but these values; may be repeated"
        )
        parser.add_argument("--as-of", type=int, metavar="PUBLICATION", help="an earlier publication")
        parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="of the file (default csv)")
        parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="replaced when the export is whole")

    def handle(self, **options: Any) -> None:
        try:
            asked = question(options | {"metric": "effective_cost", "group_by": ""})
            with working(f"writing {options['to']}"):
                done = export(options["what"], asked, options["to"], options["format"])
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        for currency, amounts in done.totals.items():
            told = ", ".join(f"{basis} {amount:f}" for basis, amount in zip(COSTS, amounts, strict=True))
            self.stdout.write(f"{currency}: {told}")
        self.stdout.write(f"{done.rows} rows of publication {done.publication} in {options['to']}.")
