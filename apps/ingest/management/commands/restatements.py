"""`manage.py restatements`: what new issues of bills changed, by day and service."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.ingest.changes import COLUMNS, Wanted, changes
from apps.ingest.models import Source
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, exactly, month, print_rows

EXAMPLES = """
A row per new issue, day, service and currency: charges, billed and effective cost before and after, the newest issue
first. Days that had not been billed before are no restatement.

examples:
  manage.py restatements
  manage.py restatements --source aliyun-bill --month 2026-10
  manage.py restatements --service "Elastic Compute Service" --start 2026-10-01 --end 2026-10-08 --format csv
"""


class Command(TerminalCommand):
    """The restatement ledger at the terminal."""

    help = "Show what new issues of bills changed, by day and service, to the last decimal."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", help="only this source")
        parser.add_argument("--month", type=month, metavar="2026-10", help="only this billing month")
        parser.add_argument("--service", help="only this service, as FOCUS names it")
        parser.add_argument("--start", type=day, metavar="2026-10-01", help="days from this one on")
        parser.add_argument("--end", type=day, metavar="2026-11-01", help="days before this one")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        source = options["source"]
        if source and not Source.objects.filter(name=source).exists():
            known = ", ".join(Source.objects.order_by("name").values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no source {source!r}. Sources: {known}.")
        found = changes(Wanted(source, options["month"], options["service"], options["start"], options["end"]))
        rows = ([exactly(getattr(change, name)) for name in COLUMNS] for change in found)
        print_rows(COLUMNS, rows, options["format"], self.stdout)
