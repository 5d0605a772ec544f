"""`manage.py prices`: import, learn and list unit prices, and estimate by them."""

from argparse import RawDescriptionHelpFormatter
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.prices import estimates, selectors, services
from apps.prices.csv_file import COLUMNS as FILE_COLUMNS
from apps.prices.estimates import COLUMNS as ESTIMATED_COLUMNS
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, exactly, month, print_rows, working

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
ESTIMATING = f"""
The file is CSV with the columns {", ".join(ESTIMATED_COLUMNS)}. Every
quantity is multiplied by the contracted price that holds on the day, else by the list price. What has no price has no
cost: it is counted beside the total, and no difference is told. The exit status is 1 then.

examples:
  manage.py prices estimate plan.csv                                      totals of every scenario, against the first
  manage.py prices estimate plan.csv --on 2027-01-01 --lines --format csv      what every line costs
  manage.py prices estimate --month 2026-10 --instead ecs.g7.2xlarge=ecs.g8i.2xlarge      what was billed, on others
"""
EXAMPLES = IMPORTING + "".join(part.partition("examples:\n")[2] for part in (LEARNING, LISTING, ESTIMATING))
COLUMNS = (
    "provider", "service", "sku_id", "region", "unit", "currency", "list_unit_price", "contracted_unit_price",
    "valid_from", "origin", "charges", "quantity",
)  # fmt: skip
TOTAL_COLUMNS = tuple(field.name for field in fields(estimates.Total))


class Command(TerminalCommand):
    """Prices at the terminal."""

    help = "Import price lists, learn prices from charges, list prices, estimate what quantities cost."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|learn|list|estimate")
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
        ask = actions.add_parser(
            "estimate", help="what quantities cost, one scenario beside another", epilog=ESTIMATING, formatter_class=raw
        )
        ask.add_argument("file", type=Path, nargs="?", help="scenarios and quantities, CSV")
        ask.add_argument(
            "--month", type=month, metavar="2026-10", help="what was billed in this month, instead of a file"
        )
        ask.add_argument("--instead", action="append", default=[], metavar="SKU=OTHER", help="may be repeated")
        ask.add_argument("--on", type=day, metavar="2026-10-01", help="the day whose prices hold (default: today)")
        ask.add_argument("--lines", action="store_true", help="every line, not the totals")
        add_format(ask)

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            {"import": self._import, "learn": self._learn, "list": self._list, "estimate": self._estimate}[action](
                given
            )
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _import(self, given: dict[str, Any]) -> None:
        self.stdout.write(f"Imported {services.import_list(given['file']).prices} prices.")

    def _learn(self, given: dict[str, Any]) -> None:
        with working("reading charges"):
            learned = services.learn(given["month"])
        self.stdout.write(f"Learned {learned.prices} prices.")

    def _list(self, given: dict[str, Any]) -> None:
        found = selectors.prices(provider=given["provider"], region=given["region"], sku_id=given["sku"])
        rows = ([exactly(getattr(price, name)) for name in COLUMNS] for price in found)
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _estimate(self, given: dict[str, Any]) -> None:
        found = estimates.estimate(_needs(given), given["on"] or timezone.localdate())
        told = estimates.totals(found)
        if given["lines"]:
            rows = [(*astuple(one.need), one.unit_price, one.price and one.price.origin, one.cost) for one in found]
        else:
            rows = [astuple(total) for total in told]
        columns = (*ESTIMATED_COLUMNS, "unit_price", "origin", "cost") if given["lines"] else TOTAL_COLUMNS
        print_rows(columns, ([exactly(value) for value in row] for row in rows), given["format"], self.stdout)
        if unpriced := sum(total.unpriced for total in told):
            raise CommandError(f"{unpriced} of {len(found)} lines have no price; see them by --lines.")


def _needs(given: dict[str, Any]) -> list[estimates.Need]:
    """What is to be estimated: a file, or what was billed on other SKUs."""
    if bool(given["file"]) == bool(given["month"]) or bool(given["month"]) != bool(given["instead"]):
        raise CommandError("Name a file, or --month with at least one --instead SKU=OTHER.")
    if given["file"]:
        return estimates.read_needs(given["file"])
    pairs = [text.partition("=") for text in given["instead"]]
    if not all(old and new for old, _, new in pairs):
        raise CommandError("--instead is written SKU=OTHER.")
    return list(estimates.billed_needs(given["month"], {old: new for old, _, new in pairs}))
