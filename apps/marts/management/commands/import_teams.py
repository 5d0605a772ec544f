"""`manage.py import_teams`: teams, ownership rules and policies from one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.teams.lookalikes import alike_teams
from apps.teams.services import import_teams
from apps.warehouse.commands import TerminalCommand

EXAMPLES = """
The file says everything: teams it does not name are retired, rules it does not hold are gone. It is checked as a
whole; when anything is wrong, every wrong line is named and nothing changes. The format is described in docs/teams.md.

examples:
  manage.py import_teams teams.yaml        organisation, teams, rules, shared namespaces and policies
  manage.py import_teams teams.csv         teams and their namespaces: columns team, title, department, cost_center,
                                           lead_name, lead_email, namespace, cluster
"""


class Command(TerminalCommand):
    """Import teams and rules from a YAML or CSV file, all or nothing."""

    help = "Import teams, ownership rules and policies from a YAML or CSV file, all or nothing."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a .yaml, .yml or .csv file")

    def handle(self, *, file: Path, **_options: Any) -> None:
        try:
            done = import_teams(file, timezone.now())
        except CostOpsError as refused:
            raise CommandError(str(refused)) from refused
        counts = f"{done.created} teams created, {done.updated} changed, {done.retired} retired"
        self.stdout.write(f"{counts}; rules {done.ruleset} are in force.")
        for problem in alike_teams():
            self.stdout.write(f"{problem.severity}: {problem.subject}: {problem.message}")
