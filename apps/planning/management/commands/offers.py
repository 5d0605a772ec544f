"""`manage.py offers`: the price table of what can be bought instead of hours on demand."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.finops.sheets import BadSheet
from apps.planning.offers import csv_file, table
from apps.teams.approval import Actor
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows

_THIRD = len(csv_file.COLUMNS) // 3
IMPORTING = f"""
The table is CSV with the columns {", ".join(csv_file.COLUMNS[:_THIRD])},
{", ".join(csv_file.COLUMNS[_THIRD:-_THIRD])},
{", ".join(csv_file.COLUMNS[-_THIRD:])}.
Rows are added, none is changed: of an offer the newest row that is valid holds, and on_sale no takes it away. The
file is checked as a whole; when a line is wrong, nothing is imported.

examples:
  manage.py offers import offers.csv
"""
NEEDING = f"""
The file is CSV with the columns {", ".join(csv_file.NEED_COLUMNS)}:
what each in-memory database of the bill needs, by its ResourceId, and the memory tier it is on.

examples:
  manage.py offers needs redis.csv
"""
LISTING = """
examples:
  manage.py offers list                         what is on sale today
  manage.py offers list --on 2027-01-01 --format csv
"""
EXPORTING = """
examples:
  manage.py offers export offers.csv            every row, as import reads it
"""
EXAMPLES = IMPORTING + "".join(part.partition("examples:\n")[2] for part in (NEEDING, LISTING, EXPORTING))
SHOWN = ("name", "kind", "region", "family", "term_months", "ratio", "price", "unit", "currency", "valid_from")


class Command(TerminalCommand):
    """The price table at the terminal."""

    help = "Import, list and export the price table of commitments, spot, serverless, generations and memory tiers."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|needs|list|export")
        taken = actions.add_parser("import", help="add rows", epilog=IMPORTING, formatter_class=raw)
        taken.add_argument("file", type=Path, help="a CSV file")
        needed = actions.add_parser("needs", help="add what databases need", epilog=NEEDING, formatter_class=raw)
        needed.add_argument("file", type=Path, help="a CSV file")
        show = actions.add_parser("list", help="show what is on sale", epilog=LISTING, formatter_class=raw)
        show.add_argument("--on", type=day, metavar="2027-01-01", help="on this day; by default today")
        add_format(show)
        out = actions.add_parser("export", help="write every row", epilog=EXPORTING, formatter_class=raw)
        out.add_argument("file", type=Path, help="the CSV file to write")

    def handle(self, **options: Any) -> None:
        try:
            self._act(options)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        except OSError as wrong:
            raise CommandError(f"{options['file']}: {wrong.strerror}.") from wrong

    def _act(self, options: dict[str, Any]) -> None:
        if options["action"] == "list":
            found = [csv_file.cells(offer) for offer in table.on_sale(options["on"] or timezone.localdate())]
            print_rows(SHOWN, [[one[name] for name in SHOWN] for one in found], options["format"], self.stdout)
        elif options["action"] == "export":
            options["file"].write_text(csv_file.write(table.rows()), encoding="utf-8")
        else:
            adding = table.add if options["action"] == "import" else table.add_needs
            count = adding(_content(options["file"]), name=str(options["file"]), by=Actor("manage.py", None),
                           now=timezone.now())  # fmt: skip
            self.stdout.write(f"{count} rows were added; what is there already stays as it is.")


def _content(path: Path) -> bytes:
    if path.stat().st_size > csv_file.MOST_BYTES:
        raise BadSheet(f"{path}: more than {csv_file.MOST_BYTES >> 20} MiB; split the file.")
    return path.read_bytes()
