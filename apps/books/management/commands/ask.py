"""`manage.py ask`: one question about cost, answered from a publication."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.books import statuses
from apps.finops.errors import CostOpsError
from apps.marts.asking import add_currency, add_question, add_shape, question, shape, tell_late, tell_rates
from apps.marts.shape import Comparison
from apps.marts.shaping import shaped
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
Amounts have every decimal in csv and json; a table rounds them. The end day is not
included. Currencies are never added up; --currency converts every amount by the rate of its
day first, and says where the rates are from. Levels of the organisation (company, unit,
department, cost_center) are those of the team on each day; empty: the team has none that day.
An answer, and every day of it, is estimated (no bill yet), provisional (the bill can change)
or final: docs/estimates.md. What is compared with a period that is not wholly published is not
known, and stays empty.

examples:
  manage.py ask --group-by team --start 2026-10-01 --end 2026-11-01
  manage.py ask --metric billed_cost --group-by team,day --start 2026-10-01 --end 2026-11-01 --format csv
  manage.py ask --group-by namespace --filter team=web,data --start 2026-10-01 --end 2026-11-01
  manage.py ask --group-by kind --start 2026-10-01 --end 2026-11-01 --as-of 7
  manage.py ask --group-by team --start 2026-10-01 --end 2026-11-01 --currency CNY
  manage.py ask --group-by department,cost_center --start 2026-10-01 --end 2026-11-01
  manage.py ask --group-by team,day --filter department=live --start 2026-10-01 --end 2026-11-01
  manage.py ask --group-by namespace --exclude team=platform --top 5 --start 2026-10-01 --end 2026-11-01
  manage.py ask --group-by region --filter 'service="Compute, EU"' --start 2026-10-01 --end 2026-11-01
  manage.py ask --group-by team --compare previous --order-by delta:desc --start 2026-10-01 --end 2026-11-01
"""


class Command(TerminalCommand):
    """Answer a question about cost."""

    help = "Ask what something cost, by team, day, namespace, service …"
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        add_question(parser)
        add_shape(parser)
        add_currency(parser)
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            told = shaped(question(options), shape(options))
            found = told.answer
            covered = statuses.of_query(found.query, timezone.now())
            shown = statuses.with_status(told.table, covered)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        print_rows(shown.columns, shown.rows, options["format"], self.stdout)
        if options["format"] == "table":
            totals = ", ".join(f"{total:,.2f} {currency}" for currency, total in found.totals.items()) or "nothing"
            facts = found.publication
            coverage = "" if facts.coverage is None else f", coverage {facts.coverage:.1%}"
            status = covered.weakest or facts.status
            self.stdout.write(f"Total {totals} — publication {facts.number}, {status}{coverage}")
            if told.comparison:
                self.stdout.write(_beside(told.comparison))
                tell_late(found.query, self.stdout)
        aside = self.stdout if options["format"] == "table" else self.stderr
        tell_rates(found.query.currency, found.query.rates_as_of, told.rates, aside)


def _beside(comparison: Comparison) -> str:
    """What the period before cost as a whole."""
    if comparison.unknown_because:
        return f"Before: not known. {comparison.unknown_because}"
    totals = ", ".join(f"{total:,.2f} {currency}" for currency, total in comparison.totals.items()) or "nothing"
    return f"Before {totals} — {comparison.window}"
