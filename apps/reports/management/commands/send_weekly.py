"""`manage.py send_weekly`: mail the weekly reports, as `manage.py reports send` does."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from apps.warehouse.commands import TerminalCommand

EXAMPLES = """
The same as `manage.py reports send`. A report is sent once per team, week and recipient: running this again sends only
what has not been sent. It is read first at /reports/weekly/TEAM/?week=WEEK.

examples:
  manage.py send_weekly                                      the last full week, to whoever gets a report
  manage.py send_weekly --week 2026-W44 --team live-class    one week of one team
  manage.py send_weekly --dry-run                            says who would get what, sends nothing
"""


class Command(TerminalCommand):
    """Mail the weekly reports, each once."""

    help = "Mail the weekly reports to leads, finance, management and subscribers, each once."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--week", help="an ISO week such as 2026-W44; the last full one by default")
        parser.add_argument("--team", help="only this team")
        parser.add_argument("--dry-run", action="store_true", help="say who would get what, and send nothing")

    def handle(self, *, week: str | None, team: str | None, dry_run: bool, **_options: Any) -> None:
        call_command("reports", "send", week=week, team=team, dry_run=dry_run, stdout=self.stdout, stderr=self.stderr)
