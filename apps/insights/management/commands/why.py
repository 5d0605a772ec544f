"""`manage.py why`: why cost is not what it was in the period before."""

from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.finops.errors import CostOpsError
from apps.finops.money import NOTHING
from apps.finops.why import PARTS, MeterChange
from apps.finops.windows import Window
from apps.insights.why.answering import CurrencyChange, Why, why
from apps.insights.why.telling import coarse, tell, title
from apps.marts.asking import add_currency, add_question, question, tell_late, tell_rates
from apps.marts.query import BadQuestion
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, harmless, print_rows

EXAMPLES = """
Ask for the number as with `ask`; the filters say which, --group-by changes nothing. First a sentence, then what the
change is made of, the segments that explain it, and every meter with its parts. csv and json hold the meters. All
parts add up to the change, to the last decimal; where the two periods differ in length every amount is per day.
Without --before-start it is against as many days just before; of whole months against as many whole months, of a month
so far against the same days of the month before.

examples:
  manage.py why --start 2026-11-01 --end 2026-11-15
  manage.py why --start 2026-11-01 --end 2026-12-01 --before-start 2026-10-01 --before-end 2026-11-01 --filter team=web
  manage.py why --start 2026-11-08 --end 2026-11-15 --metric billed_cost --format csv
"""
METER = ("service", "region", "sku", "meter", "resource_type", "pricing", "unit")


class Command(TerminalCommand):
    """Why cost changed, at the terminal."""

    help = "Why cost changed between two periods: volume, mix, price and the rest, and the segments behind it."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        add_question(parser)
        add_currency(parser)
        parser.add_argument("--before-start", metavar="DATE", help="the first day compared with")
        parser.add_argument("--before-end", metavar="DATE", help="the day after the last one compared with")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        try:
            asked = question(options)
            found = why(asked, _before(options["before_start"], options["before_end"]))
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong
        if options["format"] == "table":
            self._tell(found)
            tell_late(asked, self.stdout)
            return
        rows = [(one.currency, *_meter(meter)) for one in found.currencies for meter in one.change.meters]
        print_rows(("currency", *METER, "before", "after", "change", *PARTS), rows, options["format"], self.stdout)

    def _tell(self, found: Why) -> None:
        if not found.is_known:
            self.stdout.write(found.unknown_because)
        for sentence in (*tell(found), *filter(None, [coarse(found)])):
            self.stdout.write(harmless(str(sentence)))
        self.stdout.write(f"Against {found.before}; publication {found.publication.number}.")
        if found.per_day:
            self.stdout.write("The periods differ in length: every amount is per day.")
        for one in found.currencies:
            self._tell_change(one)
        tell_rates(found.query.currency, found.query.rates_as_of, found.rates, self.stdout)

    def _tell_change(self, one: CurrencyChange) -> None:
        change = one.change
        parts = [(name, amount) for name, amount in change.parts.items() if amount]
        rows = [("before", change.before), *parts, ("after", change.after)]
        self.stdout.write(f"\nWhat the change of {change.change:f} {one.currency} is made of:")
        print_rows(("part", "amount"), rows, "table", self.stdout)
        segments = [
            (title(segment), segment.since or "", *(getattr(segment.change, name) for name in _AMOUNTS))
            for segment in one.segments
        ]
        self.stdout.write("Where it happened:")
        rest = ("everything else", "", "", "", one.elsewhere)
        print_rows(("segment", "since", *_AMOUNTS), [*segments, rest], "table", self.stdout)


_AMOUNTS = ("before", "after", "change")


def _meter(one: MeterChange) -> list[Any]:
    amounts = (one.before, one.after, one.change, *(one.parts.get(part, NOTHING) for part in PARTS))
    return [*(getattr(one.meter, name) for name in METER), *amounts]


def _before(start: str | None, end: str | None) -> Window | None:
    if start is None and end is None:
        return None
    try:
        return Window(date.fromisoformat(start or ""), date.fromisoformat(end or ""))
    except ValueError:
        raise BadQuestion(
            "--before-start and --before-end: give both as days such as 2026-10-01, the end after the start"
        ) from None
