"""`manage.py drivers`: import, fetch and list what cost is divided by."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.finops.windows import Window
from apps.ingest.models import Source
from apps.units import selectors, services
from apps.units.csv_file import SCOPES
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, operator, print_rows, working

IMPORTING = """
A file of drivers is CSV with the columns date,driver,team,quantity (or service or namespace instead of team). It is
checked as a whole; when a line is wrong, nothing is imported. Every upload is a version that replaces its days.

examples:
  manage.py drivers import requests-2026-10.csv
"""
FETCHING = """
The query is evaluated once a day, with [$window] as that day; its label names the namespace, team or service.

examples:
  manage.py drivers fetch prod --driver requests --by namespace --start 2026-10-01 --end 2026-11-01 \\
    --query 'sum by (namespace) (increase(http_requests_total[$window]))'
"""
LISTING = """
examples:
  manage.py drivers list                       every version: who told what, when, and from where
  manage.py drivers show requests --by team --start 2026-10-01 --end 2026-11-01 --format csv
  manage.py drivers show requests --by team --start 2026-10-01 --end 2026-11-01 --version 3
"""
EXAMPLES = IMPORTING + "".join(part.partition("examples:\n")[2] for part in (FETCHING, LISTING))
VERSIONS = ("version", "drivers", "by", "first_day", "last_day", "rows", "origin", "created_by", "created_at")
QUANTITIES = ("day", "subject", "quantity", "version", "line")


class Command(TerminalCommand):
    """Drivers at the terminal."""

    help = "Import, fetch and list drivers: the requests, students or orders that cost is divided by."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|fetch|list|show")
        add = actions.add_parser(
            "import", help="import quantities, all or nothing", epilog=IMPORTING, formatter_class=raw
        )
        add.add_argument("file", type=Path, help="the quantities, CSV")
        fetch = actions.add_parser("fetch", help="ask Prometheus for quantities", epilog=FETCHING, formatter_class=raw)
        fetch.add_argument("source", help="the source of Prometheus, as `manage.py source list` names it")
        fetch.add_argument("--query", required=True, help="PromQL with [$window] for the day")
        fetch.add_argument("--label", default="", help="the label that names the subject (default: as --by)")
        fetch.add_argument("--driver", required=True, help="the name of the driver, such as requests")
        show = actions.add_parser("show", help="what was told of a driver", epilog=LISTING, formatter_class=raw)
        show.add_argument("driver", help="the name of the driver")
        for each in (fetch, show):
            each.add_argument("--by", choices=SCOPES, required=True, help="whose quantities they are")
            each.add_argument("--start", type=day, required=True, metavar="DATE", help="first day, such as 2026-10-01")
            each.add_argument("--end", type=day, required=True, metavar="DATE", help="the day after the last one")
        show.add_argument("--version", dest="at", type=int, metavar="N", help="as told at this version")
        add_format(show)
        listing = actions.add_parser("list", help="every version of the drivers", epilog=LISTING, formatter_class=raw)
        add_format(listing)

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {"import": self._import, "fetch": self._fetch, "list": self._list, "show": self._show}
        try:
            actions[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _import(self, given: dict[str, Any]) -> None:
        path: Path = given["file"]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        done = services.import_drivers(content, name=str(path), by=operator(), now=timezone.now())
        self.stdout.write(f"Kept {done.rows} quantities as version {done.number}.")

    def _fetch(self, given: dict[str, Any]) -> None:
        source = Source.objects.filter(name=given["source"]).first()
        if source is None:
            raise CommandError(f"There is no source {given['source']!r}; see `manage.py source list`.")
        asked = {name: given[name] for name in ("query", "driver", "label")}
        with working(f"asking {source.location}"):
            done = services.fetch_drivers(
                source, scope=given["by"], window=_window(given), by=operator(), now=timezone.now(), **asked
            )
        self.stdout.write(f"Kept {done.rows} quantities as version {done.number}.")

    def _list(self, given: dict[str, Any]) -> None:
        rows = [
            (str(one.number), ", ".join(one.drivers), one.scope, one.first_day, one.last_day, one.rows, one.origin,
             one.created_by, one.created_at)
            for one in selectors.versions()
        ]  # fmt: skip
        print_rows(VERSIONS, rows, given["format"], self.stdout)

    def _show(self, given: dict[str, Any]) -> None:
        at = selectors.driver_version(given["at"])
        found = selectors.told(given["driver"], given["by"], _window(given), at)
        rows = [
            (when, subject, f"{quantity:f}", str(version), line) for when, subject, quantity, version, line in found
        ]
        print_rows(QUANTITIES, rows, given["format"], self.stdout)


def _window(given: dict[str, Any]) -> Window:
    if given["start"] >= given["end"]:
        raise CommandError(f"--end ({given['end']}) must come after --start; the end day itself is not included.")
    return Window(given["start"], given["end"])
