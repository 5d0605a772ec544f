"""`manage.py source`: add, list and check the sources of bills and usage."""

from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.markup import escape

from apps.finops.errors import CostOpsError
from apps.ingest import checks, kinds, options, selectors, services
from apps.ingest.models import Source
from apps.warehouse.terminal import FORMATS, Format, print_rows

EXAMPLES = f"""
options of bills and usage files (--option KEY=VALUE):
{chr(10).join(f"  {key:<14} {text}" for key, text in options.HELP.items())}
options of alibaba_api: docs/providers/alibaba.md.
options of Prometheus: docs/sources.md; `since=2026-10-01` is the first day to pull.

examples:
  manage.py source add aliyun-bill --kind focus --location /exports/aliyun
  manage.py source add aws-bill --kind focus --location /exports/aws --option files=snapshots
  manage.py source add online --kind prometheus --location https://prometheus.example.net --cluster online \\
      --option token_file=/run/secrets/prometheus
  manage.py source add batch-usage --kind usage_files --location /exports/usage --cluster batch
  manage.py source check aliyun-bill      what would be read and what is wrong with it; nothing is published
  manage.py source list --format json
"""
COLUMNS = (
    "name",
    "kind",
    "location",
    "cluster",
    "state",
    "files",
    "refused",
    "waiting",
    "rows",
    "last_day",
    "last_received",
)


class Command(BaseCommand):
    """Sources at the terminal."""

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    help = "Add, list and check the sources of bills and usage. The exit status is 0 only when all is well."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, epilog=EXAMPLES, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add|list|check")
        add = actions.add_parser("add", help="register a source")
        add.add_argument("name", help="lower-case letters, digits, hyphens")
        add.add_argument("--kind", required=True, choices=list(kinds.titles()))
        add.add_argument("--location", required=True, metavar="PATH_OR_URL")
        add.add_argument("--cluster", default="", help="the cluster of rows that name none")
        add.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
        show = actions.add_parser("list", help="every source and how it is")
        show.add_argument("--format", choices=FORMATS, default="table", dest="form")
        check = actions.add_parser("check", help="look at a source; nothing is published")
        check.add_argument("name")
        check.add_argument("--format", choices=FORMATS, default="table", dest="form")

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            {"add": self._add, "list": self._list, "check": self._check}[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _add(self, given: dict[str, Any]) -> None:
        source = services.add_source(
            name=given["name"],
            kind=given["kind"],
            location=given["location"],
            cluster=given["cluster"],
            options=options.parse(given["option"]),
            now=timezone.now(),
        )
        self.stdout.write(f"Added {source.name} ({source.title_of_kind}, {source.location}).")

    def _list(self, given: dict[str, Any]) -> None:
        self._print(COLUMNS, (_listed(state) for state in selectors.source_states()), given["form"])

    def _check(self, given: dict[str, Any]) -> None:
        source = Source.objects.filter(name=given["name"]).first()
        if source is None:
            known = ", ".join(Source.objects.order_by("name").values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no source {given['name']!r}. Sources: {known}.")
        with Console(stderr=True).status(f"looking at {escape(source.location)}"):
            facts = checks.check(source, timezone.now())
        rows = (("ok" if fact.is_good else "wrong", fact.subject, fact.found) for fact in facts)
        self._print(("result", "subject", "found"), rows, given["form"])
        if wrong := sum(not fact.is_good for fact in facts):
            raise CommandError(f"{source.name}: {wrong} of {len(facts)} facts are wrong; nothing was published.")

    def _print(self, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]], form: Format) -> None:
        print_rows(columns, rows, form, cast(IO[str], self.stdout))


def _listed(state: selectors.SourceState) -> tuple[Any, ...]:
    source = state.source
    health = (
        "paused" if not source.is_active else "failed" if state.has_failed else "ok" if state.last_received else "empty"
    )
    counts = (state.files, state.refused, state.waiting, state.rows, state.last_day, state.last_received)
    return (source.name, source.kind, source.location, source.cluster, health, *counts)
