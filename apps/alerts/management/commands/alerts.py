"""`manage.py alerts`: what asks for attention, looking now, taking note."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.alerts import people, selectors, services
from apps.alerts.models import Alert
from apps.alerts.rules import BY_NAME, NAMES
from apps.alerts.selectors import STATES, Wanted
from apps.allocation.management.drafting import actor
from apps.finops.errors import CostOpsError
from apps.finops.notices import SEVERITIES
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.sentences import told_of
from apps.warehouse.terminal import add_format, print_rows

LISTING = """
examples:
  manage.py alerts list                                     what is so now, the gravest first
  manage.py alerts list --state any --rule budget_actual --format csv
"""
CHECKING = """
Opens, raises and resolves alerts by what is so now. The pipeline does so after each publication, the bell by the hour.

examples:
  manage.py alerts check
  manage.py alerts check --rule late_source --rule failed_run
"""
ACKNOWLEDGING = """
examples:
  manage.py alerts acknowledge 7 --note "exam season, as planned" --as lilei
"""
EXAMPLES = "\nexamples:\n" + "".join(part.partition("examples:\n")[2] for part in (LISTING, CHECKING, ACKNOWLEDGING))
COLUMNS = ("number", "rule", "team", "title", "severity", "state", "opened_at", "acknowledged_by", "link")


class Command(TerminalCommand):
    """Alerts at the terminal."""

    help = "List alerts, look at what is so now, acknowledge one."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|check|acknowledge")

        def add(name: str, text: str, epilog: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=epilog, formatter_class=RawDescriptionHelpFormatter)

        listing = add("list", "alerts, open ones first", LISTING)
        listing.add_argument("--state", choices=STATES, default=selectors.CURRENT, help="only in this state")
        listing.add_argument("--rule", choices=NAMES, default="", help="only of this rule")
        listing.add_argument("--team", default="", help="only of this team")
        listing.add_argument("--severity", choices=SEVERITIES, default="", help="only this grave")
        add_format(listing)
        checking = add("check", "look at what is so now", CHECKING)
        checking.add_argument("--rule", choices=NAMES, action="append", help="only by this rule; may be repeated")
        noting = add("acknowledge", "take note of one", ACKNOWLEDGING)
        noting.add_argument("number", type=int, help="the number of the alert")
        noting.add_argument("--note", default="", help="what is done about it, or why nothing")
        noting.add_argument("--as", dest="user", metavar="USER", help="act as this user, with their rights")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        wanted = Wanted(**{name: given[name] for name in ("state", "rule", "team", "severity")})
        rows = [_row(one) for one in selectors.alerts(None, wanted)]
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _check(self, given: dict[str, Any]) -> None:
        rules = [BY_NAME[name] for name in given["rule"] or NAMES]
        result = services.check(now=timezone.now(), rules=rules)
        for problem in result.problems:
            self.stdout.write(f"{problem.subject}: {problem.message}")
        self.stdout.write(f"{result.rows} facts ask for attention.")

    def _acknowledge(self, given: dict[str, Any]) -> None:
        one = selectors.find(given["number"], None)
        people.acknowledge(one, by=actor(given), note=given["note"], now=timezone.now())
        self.stdout.write(f"Alert {one.pk} is acknowledged.")


def _row(one: Alert) -> list[Any]:
    return [
        str(one.pk), one.rule, one.team, told_of(one.title), one.severity, one.state, one.opened_at,
        one.acknowledged_by, one.link,
    ]  # fmt: skip
