"""`manage.py plans`: what planners would change, their files, their settings, and what they are told."""

from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.marts.query import EVERYTHING
from apps.planning import registry, selectors, services, timetable
from apps.planning.exporting import exported, file_names
from apps.teams.approval import Actor
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, operator, print_rows

LISTING = """
Every planner's newest plans: what each saves a month, whether a second program found it sound, or why there is none.

examples:
  manage.py plans list
  manage.py plans list --format csv
"""
SHOWING = """
One plan in words; with --file as a file (`plan.json`, a CSV of each table, and what the planner writes besides), with
--set by other settings, which changes nothing.

examples:
  manage.py plans show rightsizing --subject online
  manage.py plans show rightsizing --subject online --set risk=1 --set margin=10
  manage.py plans show rightsizing --subject online --file patches.yaml
"""
CHOOSING = """
Plan a subject by other settings from the next fill on.

examples:
  manage.py plans choose pools --subject online --set fill=90
"""
BRINGING = """
The table a planner asks people for, all of it or nothing: of `timetable` the classes, as CSV, XLSX or iCal.

examples:
  manage.py plans bring timetable classes.xlsx
"""
TIMETABLES = """
The versions of the timetable that were brought: the newest holds, and what took place stays known from those before it.
One of them, by default the newest, is shown class by class; as CSV it can be brought again.

examples:
  manage.py plans timetable list
  manage.py plans timetable show 3 --format csv
"""
EXAMPLES = LISTING + "".join(part.partition("examples:\n")[2] for part in (SHOWING, CHOOSING, BRINGING, TIMETABLES))
COLUMNS = ("planner", "subject", "currency", "cost_per_month", "saving_per_month", "sound", "withheld", "outdated")
VERSION_COLUMNS = ("version", "name", "classes", "by", "at", "holds")


class Command(TerminalCommand):
    """Plans at the terminal."""

    help = "Plans: listed, shown by whatever settings, exported, chosen, and told what they ask for."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        raw = RawDescriptionHelpFormatter
        names = [planner.name for planner in registry.PLANNERS]
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|choose|bring|timetable")
        listing = actions.add_parser("list", help="all newest plans", epilog=LISTING, formatter_class=raw)
        add_format(listing)
        for name, about, epilog in (("show", "one plan", SHOWING), ("choose", "plan by other settings", CHOOSING)):
            one = actions.add_parser(name, help=about, epilog=epilog, formatter_class=raw)
            one.add_argument("planner", choices=names, help="the planner")
            one.add_argument("--subject", help="what the plan is of; by default the one that saves most")
            one.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help="a setting")
            if name == "show":
                one.add_argument("--file", help="print this file of the plan")
        bring = actions.add_parser("bring", help="a table for a planner", epilog=BRINGING, formatter_class=raw)
        takers = [planner.name for planner in registry.PLANNERS if planner.bring]
        bring.add_argument("planner", choices=takers, help="the planner")
        bring.add_argument("file", type=Path, help="the table")

        known = actions.add_parser("timetable", help="timetables brought", epilog=TIMETABLES, formatter_class=raw)
        known.add_argument("what", choices=("list", "show"), help="all versions, or the classes of one")
        known.add_argument("number", type=int, nargs="?", help="a version; by default the newest")
        add_format(known)

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            told = {"list": self._list, "show": self._show, "choose": self._choose, "bring": self._bring,
                    "timetable": self._timetable}  # fmt: skip
            told[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        found = [one for planner in registry.PLANNERS for one in selectors.plans(planner.name)]
        rows = [
            [one.plan.planner, one.plan.subject, one.draft.currency, one.draft.cost_per_month,
             one.draft.saving_per_month, "yes" if one.draft.is_verified else "no", "",
             str(one.outdated or "")]
            if one.draft else [one.plan.planner, one.plan.subject, "", None, None, "", str(one.withheld), ""]
            for one in found
        ]  # fmt: skip
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _show(self, given: dict[str, Any]) -> None:
        one = selectors.plan_of(given["planner"], given["subject"], EVERYTHING, _settings(given["set"]))
        if one.draft is None:
            raise CommandError(f"There is no plan: {one.withheld}")
        if given["file"]:
            self.stdout.write(exported(one.planner, one.draft, given["file"]).text, ending="")
            return
        draft = one.draft
        self.stdout.write(f"{draft.saving_per_month} {draft.currency} a month of {draft.cost_per_month}")
        if one.outdated:
            self.stdout.write(f"OUT OF DATE: {one.outdated}")
        for lines in (draft.says, draft.risks, draft.binds, draft.unknowns):
            self.stdout.write("\n".join(f"  {line}" for line in lines))
        for check in draft.checks:
            self.stdout.write(f"  {'holds ' if check.is_kept else 'BROKEN'} {check.title}")
        self.stdout.write(f"Files: {', '.join(file_names(one.planner))}")

    def _choose(self, given: dict[str, Any]) -> None:
        subject = given["subject"] or selectors.plan_of(given["planner"], None, EVERYTHING).plan.subject
        by = Actor(operator(), None)
        kept = services.choose(given["planner"], subject, _settings(given["set"]), by=by, now=timezone.now())
        self.stdout.write(f"{kept} is planned by {kept.settings} from the next fill on.")

    def _bring(self, given: dict[str, Any]) -> None:
        bring = registry.planner_of(given["planner"]).bring
        try:
            content = given["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{given['file']}: {error.strerror}.") from error
        if bring is not None:
            self.stdout.write(bring.take(content, given["file"].name, Actor(operator(), None), timezone.now()))

    def _timetable(self, given: dict[str, Any]) -> None:
        if given["what"] == "list":
            newest = timetable.version()
            rows = [
                [one.pk, one.name, one.classes, one.by, one.at.isoformat(), "yes" if one.pk == newest else ""]
                for one in timetable.versions()
            ]
            print_rows(VERSION_COLUMNS, rows, given["format"], self.stdout)
            return
        rows = [
            [module, one.name, _moment(one.start), _moment(one.end), one.students]
            for module, one in timetable.brought(given["number"])
        ]
        print_rows(timetable.COLUMNS, rows, given["format"], self.stdout)


def _moment(minute: int) -> str:
    return datetime.fromtimestamp(60 * minute, UTC).isoformat()


def _settings(pairs: list[str]) -> dict[str, str]:
    told = dict(pair.partition("=")[::2] for pair in pairs)
    if any(not value for value in told.values()):
        raise CommandError("A setting is written as name=number, such as risk=0.5.")
    return told
