"""`manage.py send_weekly`: mail the weekly report to the leads of teams."""

from argparse import RawDescriptionHelpFormatter
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.reports import services
from apps.reports.models import Delivery
from apps.reports.selectors import is_published
from apps.reports.weeks import Week
from apps.teams.models import Team

EXAMPLES = """
A report is sent once per team, week and recipient: running this again sends only what has not been sent.
It is read first at /reports/weekly/TEAM/?week=WEEK.

examples:
  manage.py send_weekly                                      the last full week, to every team lead
  manage.py send_weekly --week 2026-W44 --team live-class    one week of one team
  manage.py send_weekly --currency CNY                       amounts converted by dated rates
  manage.py send_weekly --dry-run                            says who would get what, sends nothing
"""


class Command(BaseCommand):
    """Mail the weekly report to the leads of teams, each once."""

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    help = "Mail the weekly report to the leads of teams, each once."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, epilog=EXAMPLES, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--week", help="an ISO week such as 2026-W44; the last full one by default")
        parser.add_argument("--team", help="only this team")
        parser.add_argument(
            "--currency", default="", help="convert every amount to this currency (default: COSTOPS_REPORT_CURRENCY)"
        )
        parser.add_argument("--dry-run", action="store_true", help="say who would get what, and send nothing")

    def handle(self, *, week: str | None, team: str | None, currency: str, dry_run: bool, **_options: Any) -> None:
        today = timezone.localdate(timezone=ZoneInfo(settings.COSTOPS_TIME_ZONE))
        try:
            chosen = Week.parse(week) if week else Week.last_full(today)
            teams = services.teams_to_tell(team)
            if not teams:
                raise CommandError(f"No active team {team or ''} has a lead with an e-mail address.".replace("  ", " "))
            if not is_published(chosen, whole=False):
                raise CommandError(f"Nothing is published of week {chosen}: a report would say that it cost nothing.")
            failed = self._say(chosen, teams) if dry_run else self._send(chosen, teams, currency)
        except CostOpsError as refused:
            raise CommandError(str(refused)) from refused
        if failed:
            raise CommandError(f"{failed} of {len(teams)} mails could not be sent; run this again to retry them.")

    def _say(self, week: Week, teams: list[Team]) -> int:
        sent = set(
            Delivery.objects.filter(report=services.REPORT, period=str(week), state=Delivery.State.SENT).values_list(
                "team", "recipient"
            )
        )
        for team in teams:
            state = "sent already" if (team.name, team.lead_email.strip()) in sent else "would be sent"
            self.stdout.write(f"{week}  {team.name}  {team.lead_email}  {state}")
        return 0

    def _send(self, week: Week, teams: list[Team], currency: str) -> int:
        failed = 0
        for team in teams:  # one by one: whoever watches sees how far it has come
            for outcome in services.send_week(week, [team], clock=timezone.now, currency=currency):
                said = f"{week}  {outcome.team}  {outcome.recipient}  {outcome.result}  {outcome.message}"
                self.stdout.write(said.rstrip())
                failed += outcome.result == "failed"
        return failed
