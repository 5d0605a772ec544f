"""`manage.py anomalies`: what departs from its usual, and what people say of it."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from apps.allocation.management.drafting import actor
from apps.finops.errors import CostOpsError
from apps.insights.anomalies import feedback, selectors
from apps.insights.anomalies.selectors import Seen
from apps.insights.models import AnomalyFeedback
from apps.marts.query import EVERYTHING
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, day, print_rows

LISTING = """
Every anomaly of the newest publication at the level where it belongs: what it came to beyond what was expected so far,
and what it will have come to when the month ends. `open` goes on, `over` ended, `reviewed` was answered.

examples:
  manage.py anomalies list
  manage.py anomalies list --team live-class --state open --format csv
"""
SHOWING = """
One anomaly day by day, with the bounds the expected amount lies between in 95 of 100 cases, what moved, and what
people said of it.

examples:
  manage.py anomalies show 4be0643f1d98573b
"""
SAYING = """
Say what an anomaly is: `expected` (as it should be), `false_alarm` (nothing happened), `planned` (we did this), or
`confirmed` (it is one). All but the last silence it at once while it goes on, or until a day; the detector learns from
it at the next fill.

examples:
  manage.py anomalies feedback 4be0643f1d98573b planned --until 2026-12-31 --reason "load test" --as mei
"""
EXAMPLES = LISTING + SHOWING.partition("examples:\n")[2] + SAYING.partition("examples:\n")[2]
COLUMNS = (
    "id", "state", "kind", "measure", "unit", "level", "place", "owner", "first_day", "seen_day", "last_day", "so_far",
    "month_end",
)  # fmt: skip
DAYS = ("day", "actual", "expected", "low", "high")


class Command(TerminalCommand):
    """Anomalies at the terminal."""

    help = "What departs from its usual in cost and usage: listed, shown day by day, and answered."
    examples = EXAMPLES

    def add_arguments(self, parser: ArgumentParser) -> None:
        raw = RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|feedback")
        listing = actions.add_parser("list", help="all anomalies", epilog=LISTING, formatter_class=raw)
        listing.add_argument("--team", help="only what is of this team alone")
        listing.add_argument("--level", choices=selectors.LEVEL_NAMES, help="only of this level")
        listing.add_argument("--state", choices=selectors.STATES, help="only in this state")
        listing.add_argument("--as-of", type=int, metavar="PUBLICATION", help="of an earlier publication")
        showing = actions.add_parser("show", help="one anomaly, day by day", epilog=SHOWING, formatter_class=raw)
        for each in (listing, showing):
            add_format(each)
        saying = actions.add_parser("feedback", help="say what an anomaly is", epilog=SAYING, formatter_class=raw)
        for each in (showing, saying):
            each.add_argument("id", metavar="ID", help="the id of an anomaly, as `list` shows it")
        saying.add_argument("verdict", choices=AnomalyFeedback.Verdict.values, help="what it is")
        saying.add_argument("--reason", required=True, help="why; it is kept")
        saying.add_argument("--until", type=day, metavar="DATE", help="the last day this holds for")
        saying.add_argument("--as", dest="user", metavar="USER", help="act as this user, with their rights")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            {"list": self._list, "show": self._show, "feedback": self._feedback}[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        run = selectors.newest_run(given["as_of"])
        found = selectors.anomalies(run, EVERYTHING, **{name: given[name] for name in ("team", "level", "state")})
        print_rows(COLUMNS, [_row(one) for one in found], given["format"], self.stdout)
        if given["format"] == "table":
            rules = [f"{one['measure']} ({one['unit']})" for one in run.detectors if one["is_rule"]]
            told = f" A fixed rule looks after {', '.join(rules)}." if rules else ""
            days = f"days before {run.end_day}" if run.end_day else "too few days to tell what is usual"
            self.stdout.write(f"Publication {run.publication}, {days}.{told}")

    def _show(self, given: dict[str, Any]) -> None:
        one = selectors.anomaly(selectors.newest_run(), EVERYTHING, given["id"])
        rows = [[*day, *[""] * (len(DAYS) - len(day))] for day in one.anomaly.days]
        print_rows(DAYS, rows, given["format"], self.stdout)
        if given["format"] == "table":
            self._tell(one)

    def _tell(self, one: Seen) -> None:
        found, cause = one.anomaly, one.anomaly.cause
        self.stdout.write(f"{selectors.title_of(found)}: {found.kind} since {found.first_day}, {one.state}.")
        self.stdout.write(f"{found.so_far} {found.unit} so far, {found.month_end} at the end of the month.")
        for key, amount, share in cause["parts"]:
            self.stdout.write(f"  {cause['dimension']} {key}: {amount} {found.unit} ({share:.0%})")
        for said in selectors.told_of(found):
            until = f" until {said.until}" if said.until else ""
            self.stdout.write(f"  {said.at:%Y-%m-%d %H:%M} {said.by}: {said.verdict}{until}, {said.reason}")

    def _feedback(self, given: dict[str, Any]) -> None:
        one = selectors.anomaly(selectors.newest_run(), EVERYTHING, given["id"])
        kept = feedback.say(
            one.anomaly, given["verdict"], by=feedback.speaker(actor(given), one.anomaly), now=timezone.now(),
            reason=given["reason"], until=given["until"],
        )  # fmt: skip
        self.stdout.write(f"{selectors.title_of(one.anomaly)}: {kept.verdict}, says {kept.by}.")


def _row(one: Seen) -> list[Any]:
    found = one.anomaly
    plain = ("owner", "first_day", "seen_day", "last_day", "so_far", "month_end")
    place = selectors.title_of(found)
    return [
        found.slug, one.state, found.kind, found.measure, found.unit, found.level, place,
        *(getattr(found, name) for name in plain),
    ]  # fmt: skip
