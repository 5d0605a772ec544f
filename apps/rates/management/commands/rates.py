"""`manage.py rates`: import and list exchange rates, declare a base currency, lock months."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.rates import selectors, services
from apps.rates.csv_file import MOST_DAYS_CARRIED
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, operator, print_rows

IMPORTING = f"""
A file of rates is CSV with the columns date,from,to,rate: on that day a unit of `from` is `rate` units of `to`. It is
checked as a whole (gaps, duplicates, zero, negative, unknown codes); when a line is wrong, nothing is imported.
--carry-forward fills days without a rate, such as weekends, by the day before, at most {MOST_DAYS_CARRIED} in a row.

examples:
  manage.py rates import rates-2026-10.csv
  manage.py rates import ecb.csv --carry-forward
"""
LISTING = """
examples:
  manage.py rates list --from USD --to CNY --start 2026-10-01 --end 2026-11-01 --format csv
  manage.py rates list --version 7             as they were at version 7
"""
BASE = """
Rates are never crossed unless a base is declared: then USD to EUR may be USD to CNY and EUR to CNY, divided.

examples:
  manage.py rates base CNY --start 2026-01-01
  manage.py rates base none --start 2027-01-01
"""
LOCKING = """
Closing a month locks its rates for good; a locked month is not unlocked.

examples:
  manage.py rates lock 2026-10 --reason "closed with the books"
  manage.py rates unlock 2026-10               says who locked it, and is refused
"""
EXAMPLES = IMPORTING + "".join(part.partition("examples:\n")[2] for part in (LISTING, BASE, LOCKING))
COLUMNS = ("day", "from", "to", "rate", "quoted_day", "file", "line", "version", "by", "at", "locked")


class Command(TerminalCommand):
    """Exchange rates at the terminal."""

    help = "Import and list exchange rates, declare a base currency, lock months."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="import|list|base|lock|unlock")
        add = actions.add_parser("import", help="import rates, all or nothing", epilog=IMPORTING, formatter_class=raw)
        add.add_argument("file", type=Path, help="the rates, CSV")
        add.add_argument("--carry-forward", action="store_true", help="fill days without a rate by the day before")
        show = actions.add_parser("list", help="every rate, its date and origin", epilog=LISTING, formatter_class=raw)
        show.add_argument("--from", dest="source", metavar="USD", help="only from this currency")
        show.add_argument("--to", dest="target", metavar="CNY", help="only to this currency")
        show.add_argument("--start", type=day, metavar="DATE", help="first day, such as 2026-10-01")
        show.add_argument("--end", type=day, metavar="DATE", help="the day after the last one")
        show.add_argument("--version", dest="at", type=int, metavar="N", help="as they were at this version")
        add_format(show)
        base = actions.add_parser("base", help="let rates be crossed over a currency", epilog=BASE, formatter_class=raw)
        base.add_argument("currency", help="the base currency, or none")
        base.add_argument("--start", type=day, required=True, metavar="DATE", help="from this day on")
        lock = actions.add_parser("lock", help="lock the rates of a month", epilog=LOCKING, formatter_class=raw)
        lock.add_argument("month", help="the month, such as 2026-10")
        lock.add_argument("--reason", default="", help="why, for those who ask later")
        unlock = actions.add_parser("unlock", help="refused for a locked month", epilog=LOCKING, formatter_class=raw)
        unlock.add_argument("month", help="the month, such as 2026-10")

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {
            "import": self._import, "list": self._list, "base": self._base, "lock": self._lock, "unlock": self._unlock,
        }  # fmt: skip
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
        done = services.import_rates(
            content, name=str(path), by=operator(), now=timezone.now(), carry_forward=given["carry_forward"]
        )
        version = f" as version {done.version}" if done.version else "; nothing is new"
        self.stdout.write(f"Read {done.rates} rates, wrote {done.changed}{version}.")

    def _list(self, given: dict[str, Any]) -> None:
        asked = {name: given[name] for name in ("at", "start", "end", "source", "target")}
        locked = set(selectors.locks().values_list("month", flat=True))
        rows = [
            (rate.day, rate.from_currency, rate.to_currency, rate.rate_text, rate.quoted_day, rate.version.file_name,
             rate.line, str(rate.version_id), rate.version.created_by, rate.version.created_at,
             "locked" if f"{rate.day:%Y-%m}" in locked else "")
            for rate in selectors.rates(**asked)
        ]  # fmt: skip
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _base(self, given: dict[str, Any]) -> None:
        currency = "" if given["currency"] == "none" else given["currency"]
        done = services.declare_base(currency, start=given["start"], by=operator(), now=timezone.now())
        crossed = f"crossed over {currency}" if currency else "not crossed"
        self.stdout.write(f"From {given['start']} on rates are {crossed} (version {done.number}).")

    def _lock(self, given: dict[str, Any]) -> None:
        lock = services.lock_month(given["month"], by=operator(), now=timezone.now(), reason=given["reason"])
        self.stdout.write(f"The rates of {lock.month} are locked.")

    def _unlock(self, given: dict[str, Any]) -> None:
        services.unlock_month(given["month"])
        self.stdout.write(f"The rates of {given['month']} are not locked.")
