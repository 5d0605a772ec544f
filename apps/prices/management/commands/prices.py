"""`manage.py prices`: import, learn and list unit prices."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.prices import selectors, services
from apps.prices.csv_file import COLUMNS as FILE_COLUMNS
from apps.warehouse.terminal import add_format, month, print_rows

_HALF = len(FILE_COLUMNS) // 2
IMPORTING = f"""
A price list is CSV with the columns {", ".join(FILE_COLUMNS[:_HALF])},
{", ".join(FILE_COLUMNS[_HALF:])}.
It is checked as a whole; when a line is wrong, nothing is imported.

examples:
  manage.py prices import aliyun-2026.csv
"""
LEARNING = """
examples:
  manage.py prices learn                       from all charges: the median by SKU, region and month
  manage.py prices learn --month 2026-10
"""
LISTING = """
examples:
  manage.py prices list --provider "Alibaba Cloud" --region cn-beijing --format csv
"""
EXAMPLES = IMPORTING + "".join(part.partition("examples:\n")[2] for part in (LEARNING, LISTING))
COLUMNS = (
    "provider", "service", "sku_id", "region", "unit", "currency", "list_unit_price", "contracted_unit_price",
    "valid_from", "origin", "charges", "quantity",
)  # fmt: skip


class Command(BaseCommand):
    """Prices at the terminal."""

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    help = "Import price lists, learn prices from charges, list prices."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, epilog=EXAMPLES, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|learn|list")
        add = actions.add_parser(
            "import", help="import a price list, all or nothing", epilog=IMPORTING, formatter_class=raw
        )
        add.add_argument("file", type=Path, help="the price list, CSV")
        learn = actions.add_parser("learn", help="learn prices from charges", epilog=LEARNING, formatter_class=raw)
        learn.add_argument("--month", type=month, metavar="2026-10", help="only this billing month")
        show = actions.add_parser("list", help="every price", epilog=LISTING, formatter_class=raw)
        for name in ("provider", "region", "sku"):
            show.add_argument(f"--{name}", help=f"only this {name}")
        add_format(show)

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            {"import": self._import, "learn": self._learn, "list": self._list}[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _import(self, given: dict[str, Any]) -> None:
        self.stdout.write(f"Imported {services.import_list(given['file']).prices} prices.")

    def _learn(self, given: dict[str, Any]) -> None:
        self.stdout.write(f"Learned {services.learn(given['month']).prices} prices.")

    def _list(self, given: dict[str, Any]) -> None:
        found = selectors.prices(provider=given["provider"], region=given["region"], sku_id=given["sku"])
        # As text: a table would round, and a price of 0.00000613 is no cent.
        rows = ([_shown(getattr(price, name)) for name in COLUMNS] for price in found)
        print_rows(COLUMNS, rows, given["format"], self.stdout)


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
