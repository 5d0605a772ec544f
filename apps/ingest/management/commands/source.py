"""`manage.py source`: add, list, check, preview and change the sources of bills and usage."""

from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from dataclasses import astuple, fields
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.ingest import checks, kinds, options, selectors, services, sources
from apps.ingest.models import Source
from apps.ingest.places.stores import HELP as PLACE_HELP
from apps.ingest.places.stores import STORES
from apps.ingest.preview import Line, preview
from apps.warehouse import sealed
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import FORMATS, Format, count, print_rows, working

ADDING = f"""
options of bills and usage files (--option KEY=VALUE):
{chr(10).join(f"  {key:<14} {text}" for key, text in (options.HELP | PLACE_HELP).items())}
  mapping        of kind csv: a mapping file (YAML), see docs/providers/csv.md; its content is kept with the source
options of alibaba_api: docs/providers/alibaba.md.
credentials of object stores (--secret KEY=VALUE, KEY=@file or KEY=env:NAME), encrypted and never shown again:
{chr(10).join(f"  {scheme + '://':<14} {', '.join(sorted(store.secrets))}" for scheme, store in STORES.items())}
options of Prometheus: docs/sources.md; `since=2026-10-01` is the first day to pull.

examples:
  manage.py source add aliyun-bill --kind focus --location /exports/aliyun
  manage.py source add aws-bill --kind focus --location /exports/aws --option files=snapshots
  manage.py source add online --kind prometheus --location https://prometheus.example.net --cluster online \\
      --option token_file=/run/secrets/prometheus
  manage.py source add batch-usage --kind usage_files --location /exports/usage --cluster batch
  manage.py source add oss-bill --kind focus --location s3://bills/focus/ --option addressing=virtual \\
      --option endpoint_url=https://oss-cn-hangzhou.aliyuncs.com --secret key=env:OSS_KEY --secret secret=@/run/oss
  manage.py source add hosting --kind csv --upload --option mapping=hosting.yaml      files come by the upload page
"""
PREVIEWING = """
examples:
  manage.py source preview hosting --rows 5        the first charges as they would be, and totals; nothing is published
  manage.py source preview aliyun-bill --format csv
"""
CHANGING = """
examples:
  manage.py source option hosting --option mapping=hosting.yaml       take the edited mapping
"""
SEALING = """
examples:
  manage.py source secret oss-bill --secret key=@key --secret secret=@secret       other credentials
  manage.py source secret --rotate        encrypt all of them by the newest of COSTOPS_SECRETS_KEYS
"""
LISTING = """
examples:
  manage.py source list
  manage.py source list --format json
"""
CHECKING = """
The exit status is 0 only when nothing is wrong.

examples:
  manage.py source check aliyun-bill      what would be read and what is wrong with it; nothing is published
  manage.py source check online --format csv
"""
DECIDING = """
examples:
  manage.py source accept aliyun-bill     what was held back counts from the next fill on
  manage.py source accept aliyun-bill --add
                                          what it tells again counts as well: late charges
  manage.py source reject aliyun-bill     it is refused; what counted before keeps counting
"""
EXAMPLES = ADDING + "".join(
    part.partition("examples:\n")[2] for part in (PREVIEWING, CHECKING, LISTING, DECIDING, CHANGING, SEALING)
)
ACTIONS = "add|list|check|preview|accept|reject|option|secret"
PREVIEW = "the first charges as they would be; nothing is published"
SHAPES = "how rows are printed (default table)"
COLUMNS = (
    "name",
    "kind",
    "location",
    "cluster",
    "state",
    "files",
    "refused",
    "waiting",
    "held",
    "rows",
    "last_day",
    "last_received",
    "arrival",
)
PREVIEWED = tuple(field.name for field in fields(Line))


class Command(TerminalCommand):
    """Sources at the terminal."""

    help = "Add, list, check, preview and change sources. The exit status is 0 only when all is well."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="add|list|check|preview|accept|reject|option|secret"
        )
        raw = RawDescriptionHelpFormatter
        add = actions.add_parser("add", help="register a source", epilog=ADDING, formatter_class=raw)
        add.add_argument("name", help="lower-case letters, digits, hyphens")
        add.add_argument("--kind", required=True, choices=list(kinds.titles()), help="what is there")
        where = add.add_mutually_exclusive_group(required=True)
        where.add_argument("--location", metavar="PATH_OR_URL", help="a file, a folder or an address")
        where.add_argument("--upload", action="store_true", help="its files are brought by the upload page")
        add.add_argument("--cluster", default="", help="the cluster of rows that name none")
        add.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
        add.add_argument("--secret", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
        show = actions.add_parser("list", help="every source and how it is", epilog=LISTING, formatter_class=raw)
        show.add_argument("--format", choices=FORMATS, default="table", dest="form", help=SHAPES)
        check = actions.add_parser(
            "check", help="look at a source; nothing is published", epilog=CHECKING, formatter_class=raw
        )
        check.add_argument("name", help="of a source that was added")
        check.add_argument("--format", choices=FORMATS, default="table", dest="form", help=SHAPES)
        for action, told in (("accept", "take what was held back"), ("reject", "refuse what was held back")):
            decide = actions.add_parser(action, help=told, epilog=DECIDING, formatter_class=raw)
            decide.add_argument("name", help="of a source with files that were held back")
            if action == "accept":
                what = decide.add_mutually_exclusive_group()
                for option, means in (("add", "beside what they tell again"), ("replace", "in its place")):
                    what.add_argument(
                        f"--{option}", action="store_const", const=option, dest="decision", default=action,
                        help=f"files that are asked about count {means}",
                    )  # fmt: skip

        look = actions.add_parser(
            "preview",
            help="the first charges as they would be; nothing is published",
            epilog=PREVIEWING,
            formatter_class=raw,
        )
        look.add_argument("name", help="of a source that was added")
        look.add_argument("--rows", type=count, default=10, help="how many charges (default 10)")
        look.add_argument("--format", choices=FORMATS, default="table", dest="form", help=SHAPES)
        change = actions.add_parser(
            "option", help="change options; refused files are read again", epilog=CHANGING, formatter_class=raw
        )
        change.add_argument("name", help="of a source that was added")
        change.add_argument("--option", action="append", required=True, metavar="KEY=VALUE", help="may be repeated")
        secret = actions.add_parser(
            "secret", help="put credentials in the place of the earlier ones", epilog=SEALING, formatter_class=raw
        )
        secret.add_argument("name", nargs="?", help="of a source that was added")
        secret.add_argument("--secret", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
        secret.add_argument("--rotate", action="store_true", help="encrypt all of them with the newest key")

    def handle(self, *, action: str, **given: Any) -> None:
        actions = {
            "add": self._add,
            "list": self._list,
            "check": self._check,
            "accept": self._accept,
            "reject": self._reject,
            "preview": self._preview,
            "option": self._option,
            "secret": self._secret,
        }
        try:
            actions[action](given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _add(self, given: dict[str, Any]) -> None:
        about = {
            "name": given["name"],
            "kind": given["kind"],
            "cluster": given["cluster"],
            "options": options.parse(given["option"]),
            "now": timezone.now(),
        }
        secrets = sealed.given(given["secret"])
        if not given["upload"]:
            source = sources.add_source(**about, location=given["location"], secrets=secrets)
        elif secrets:
            raise CommandError("Files that are uploaded need no --secret.")
        else:
            source = sources.add_upload_source(**about)
        self.stdout.write(f"Added {source.name} ({source.title_of_kind}, {source.location}).")

    def _list(self, given: dict[str, Any]) -> None:
        self._print(COLUMNS, (_listed(state) for state in selectors.source_states(timezone.now())), given["form"])

    def _check(self, given: dict[str, Any]) -> None:
        source = _named(given["name"])
        with working(f"looking at {source.location}"):
            facts = checks.check(source, timezone.now())
        rows = (("ok" if fact.is_good else "wrong", fact.subject, fact.found) for fact in facts)
        self._print(("result", "subject", "found"), rows, given["form"])
        if wrong := sum(not fact.is_good for fact in facts):
            raise CommandError(f"{source.name}: {wrong} of {len(facts)} facts are wrong; nothing was published.")

    def _accept(self, given: dict[str, Any]) -> None:
        self._decide(given, given["decision"])

    def _reject(self, given: dict[str, Any]) -> None:
        self._decide(given, "reject")

    def _decide(self, given: dict[str, Any], decision: str) -> None:
        source = _named(given["name"])
        count = services.decide(source, decision)
        if not count:
            raise CommandError(f"{source.name}: nothing is held back.")
        told = "refused; what counted before keeps counting" if decision == "reject" else "taken at the next fill"
        self.stdout.write(f"{source.name}: {count} files {told}.")

    def _preview(self, given: dict[str, Any]) -> None:
        source = _named(given["name"])
        with working(f"reading {source.location}"):
            found = preview(source, given["rows"])
        self._print(PREVIEWED, (astuple(line) for line in (*found.charges, *found.totals)), given["form"])
        for problem in found.problems:
            self.stderr.write(f"{problem.severity} {problem.subject}: {problem.message}")
        self.stderr.write(f"{found.files} of {found.all_files} files were read; nothing was published.")
        if any(problem.severity == "error" for problem in found.problems):
            raise CommandError(f"{source.name}: not all of it can be read; see above.")

    def _option(self, given: dict[str, Any]) -> None:
        source = _named(given["name"])
        sources.set_options(source, options.parse(given["option"]))
        self.stdout.write(
            f"{source.name}: from now on files are read by these options; what counts stays as it was read."
        )

    def _secret(self, given: dict[str, Any]) -> None:
        if given["rotate"]:
            if given["name"] or given["secret"]:
                raise CommandError("--rotate concerns all sources and takes nothing else.")
            self.stdout.write(
                f"The credentials of {sources.seal_all_again()} sources are encrypted with the newest key."
            )
            return
        if not given["name"] or not given["secret"]:
            raise CommandError("Name a source and at least one --secret KEY=VALUE, or say --rotate.")
        source = _named(given["name"])
        secrets = sealed.given(given["secret"])
        sources.set_secrets(source, secrets)
        self.stdout.write(f"{source.name} now has: {', '.join(sorted(secrets))}.")

    def _print(self, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]], form: Format) -> None:
        print_rows(columns, rows, form, cast(IO[str], self.stdout))


def _named(name: str) -> Source:
    source = Source.objects.filter(name=name).first()
    if source is None:
        known = ", ".join(Source.objects.order_by("name").values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no source {name!r}. Sources: {known}.")
    return source


def _listed(state: selectors.SourceState) -> tuple[Any, ...]:
    source = state.source
    failed = "failed" if state.has_failed else "held" if state.held else ""
    received = "ok" if state.last_received else "empty"
    health = "paused" if not source.is_active else failed or received
    counts = (state.files, state.refused, state.waiting, state.held, state.rows, state.last_day, state.last_received)
    arrival = state.arrival.sentence if state.arrival else ""
    return (source.name, source.kind, source.location, source.cluster, health, *counts, arrival)
