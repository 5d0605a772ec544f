"""`manage.py send_weekly`: mail the weekly reports, as `manage.py reports send` does."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

EXAMPLES = """
The same as `manage.py reports send`. A report is sent once per team, week and recipient: running this again sends only
what has not been sent. It is read first at /reports/weekly/TEAM/?week=WEEK.

examples:
  manage.py send_weekly                                      the last full week, to whoever gets a report
  manage.py send_weekly --week 2026-W44 --team live-class    one week of one team
  manage.py send_weekly --dry-run                            says who would get what, sends nothing
"""


class Command(BaseCommand):
    """Mail the weekly reports, each once."""

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    help = "Mail the weekly reports to leads, finance, management and subscribers, each once."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, epilog=EXAMPLES, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--week", help="an ISO week such as 2026-W44; the last full one by default")
        parser.add_argument("--team", help="only this team")
        parser.add_argument("--dry-run", action="store_true", help="say who would get what, and send nothing")

    def handle(self, *, week: str | None, team: str | None, dry_run: bool, **_options: Any) -> None:
        call_command("reports", "send", week=week, team=team, dry_run=dry_run, stdout=self.stdout, stderr=self.stderr)
