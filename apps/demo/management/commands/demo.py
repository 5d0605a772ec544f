"""`manage.py demo`: write the simulated company."""

import sys
from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from apps.demo import seasons
from apps.demo.company import Company, Plan
from apps.finops.errors import CostOpsError
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import count, day

DEFAULT_END = "2026-11-01"
DEFAULT_SEED = 20261101
DEFAULT_DAYS = 60
DEFAULT_METRICS_DAYS = 2
METRICS_SCALE_LIMIT = 0.25
EXAMPLES = """examples:
  manage.py demo --to var/demo                                   sixty days, some 300 namespaces, 2,000 pods
  manage.py demo --days 3 --scale 0.02 --to /tmp/tiny            small enough for tests, metrics included
  manage.py demo --late-days 7 --to var/demo                     the bills of the last week stand in billing-late/
  manage.py demo --scale 50 --to /data/large                     100,000 pods, twelve million bill lines, half an hour

The same arguments and COSTOPS_TIME_ZONE write the same bytes. DIR receives billing/, usage/, openmetrics/,
teams.yaml, drivers.csv, timetable.csv (classes, two weeks ahead), budgets.csv, calendar.csv (terms and promotions),
invoices.csv, initiatives.csv (what engineers do to save, from 60 days on), truth.parquet, waste.csv and incidents.csv
(what goes wrong, from 45 days on); what an earlier run wrote there is replaced.
To load openmetrics/ into Prometheus:
  promtool tsdb create-blocks-from --max-block-duration=24h openmetrics DIR/openmetrics/online.om TSDB
"""


class Command(TerminalCommand):
    help = "Write a simulated ed-tech company: bills, usage, metrics, teams, and the true cost of every team."
    examples = EXAMPLES

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder to write to")
        parser.add_argument(
            "--days", type=count, default=DEFAULT_DAYS, help=f"business days before --end (default {DEFAULT_DAYS})"
        )
        parser.add_argument(
            "--end",
            type=day,
            default=DEFAULT_END,
            metavar="DATE",
            help=f"first day after the window (default {DEFAULT_END})",
        )
        parser.add_argument("--start", type=day, metavar="DATE", help="first day of the window, instead of --end")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"which company (default {DEFAULT_SEED})")
        parser.add_argument(
            "--scale", type=float, default=1.0, help="1 = some 300 namespaces and 2,000 pods (default 1)"
        )
        parser.add_argument(
            "--metrics-days",
            type=int,
            help=f"last days to write as OpenMetrics text, which is large (default {DEFAULT_METRICS_DAYS} up to "
            f"scale {METRICS_SCALE_LIMIT}, else 0)",
        )
        parser.add_argument(
            "--scrape-seconds",
            type=int,
            default=300,
            choices=[60, 300],
            help="scrape interval of the metrics (default 300)",
        )
        parser.add_argument(
            "--late-days",
            type=int,
            default=0,
            help="last days whose bill comes late: a file for each in billing-late/, to copy to billing/ (default 0)",
        )
        parser.add_argument("--gzip", action="store_true", help="compress the bills (always above scale 2)")

    def handle(self, **options: Any) -> None:
        try:
            plan = _plan(options)
            company = Company(plan)
            with _progress(plan) as bar:
                task = bar.add_task("simulating", total=plan.days + 1)
                company.write(lambda part: bar.update(task, advance=1, description=part))
        except CostOpsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{plan.start} to {plan.end}, {len(company.organisation.namespaces)} namespaces, written to {plan.folder}"
        )


def _plan(options: dict[str, Any]) -> Plan:
    days, scale = options["days"], options["scale"]
    end = _date(options["start"]) + timedelta(days=days) if options["start"] else _date(options["end"])
    if days < 1 or not 0 < scale <= 100 or options["seed"] < 0:
        raise CommandError("--days must be at least 1, --seed not negative, --scale above 0 and at most 100")
    if not 0 <= options["late_days"] < days:
        raise CommandError("--late-days must be at least 0 and less than --days: some bill comes in time")
    if end - timedelta(days=days) < seasons.FIRST_DAY or end > seasons.END:
        raise CommandError(f"the lunar calendar is known for days from {seasons.FIRST_DAY} to before {seasons.END}")
    metrics_days = options["metrics_days"]
    if metrics_days is None:
        metrics_days = DEFAULT_METRICS_DAYS if scale <= METRICS_SCALE_LIMIT else 0
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    return Plan(
        options["to"], zone, end, days, options["seed"], scale, metrics_days, options["scrape_seconds"],
        compress=options["gzip"], late_days=options["late_days"],
    )  # fmt: skip


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _progress(plan: Plan) -> Progress:
    """A bar on a terminal, nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
