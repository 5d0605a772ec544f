"""`manage.py explain`: from one number to its pools, rules and bill rows."""

from dataclasses import fields
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.insights.explain import BillRow, Explanation, Part, explain
from apps.insights.weights import Weight
from apps.marts.asking import add_currency, add_question, question, tell_rates
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
Ask for the number as with `ask`; the filters say which cell, --group-by changes nothing. First a sentence, then the
parts of charge pools the number adds up from, then the bill rows behind them with file and line. csv and json hold
the bill rows, the largest --limit of them; when there are more, standard error says so.

examples:
  manage.py explain --start 2026-10-01 --end 2026-10-02 --filter team=web --filter kind=direct
  manage.py explain --metric billed_cost --start 2026-10-01 --end 2026-11-01 --filter service="Log Service" --limit 50
  manage.py explain --start 2026-10-01 --end 2026-11-01 --filter team=web --currency CNY
"""
PART_COLUMNS = (
    "day",
    "pool",
    "resource",
    "namespace",
    "workload",
    "team",
    "kind",
    "rule",
    "weight",
    "share",
    "currency",
    "amount",
    "pool_amount",
)


class Command(TerminalCommand):
    """Explain a number."""

    help = "Explain one number: pools, shares, rules, and the bill rows with file and line."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        add_question(parser)
        add_currency(parser)
        parser.add_argument(
            "--limit", type=int, default=20, help="show at most so many parts and bill rows (default 20)"
        )
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            found = explain(question(options), limit=options["limit"])
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        if options["format"] == "table":
            self._tell(found)
        else:
            names = [field.name for field in fields(BillRow)]
            rows = [[getattr(row, name) for name in names] for row in found.bill_rows]
            print_rows(names, rows, options["format"], self.stdout)
            if found.bill_row_count > len(rows):
                self.stderr.write(
                    f"These are the largest {len(rows):,} of {found.bill_row_count:,} bill rows; "
                    f"--limit {found.bill_row_count} shows all."
                )

    def _tell(self, found: Explanation) -> None:
        self.stdout.write(found.sentence)
        self.stdout.write(
            f"\nParts (largest {len(found.parts)} of {found.part_count:,}); amount is the share of pool_amount:"
        )
        print_rows(PART_COLUMNS, [_cells(part, PART_COLUMNS) for part in found.parts], "table", self.stdout)
        self.stdout.write(f"Bill rows behind these pools (largest {len(found.bill_rows)} of {found.bill_row_count:,}):")
        names = tuple(field.name for field in fields(BillRow))
        print_rows(names, [_cells(row, names) for row in found.bill_rows], "table", self.stdout)
        for currency, held in found.pool_total.items():
            billed = found.bill_total.get(currency, 0)
            verdict = "equal" if held == billed else "NOT EQUAL: please report this"
            self.stdout.write(f"Pools hold {held:f} {currency}, their bill rows {billed:f} {currency}: {verdict}.")
        tell_rates(found.query.currency, found.query.rates_as_of, found.rates, self.stdout)


def _cells(row: Part | BillRow, names: tuple[str, ...]) -> list[Any]:
    return [_cell(getattr(row, name)) for name in names]


def _cell(value: Any) -> Any:
    """A weight in one cell: so much of so much."""
    return f"{value.weight:f} of {value.total:f} {value.unit}" if isinstance(value, Weight) else value
