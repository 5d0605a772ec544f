"""`manage.py scrub`: read landed files and files of the lake again, and say what is damaged."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.ingest import leftovers, scrub
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows, working

EXAMPLES = """
Beat does the same every night, for forty minutes at most, those files first that were not read longest. What killed
workers left, files of the lake that no version names, is taken away after two days, landed files that no row names
after thirty.
The exit status is 0 only when nothing is damaged.

examples:
  manage.py scrub                      everything
  manage.py scrub --minutes 10         as much as ten minutes allow
  manage.py scrub --format json
"""


class Command(TerminalCommand):
    """The scrub at the terminal."""

    help = "Read landed files and files of the lake again; say which are damaged, and take orphans away."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=float, help="stop after about so long (default: read everything)")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        minutes = options["minutes"]
        with working("reading files again") as status:
            done = scrub.scrub(
                timezone.now(),
                seconds=60 * minutes if minutes is not None else None,
                on_progress=lambda at, of: status.update(f"{at} of {of} files"),
            )
        swept = leftovers.sweep(timezone.now())
        found = scrub.problems()
        rows = [(problem.subject, problem.code.removeprefix("scrub_"), problem.message) for problem in found]
        print_rows(("file", "damage", "what to do"), rows, options["format"], self.stdout)
        told = f"{done.files} files ({done.bytes:,} bytes) were read, {done.left} are left; {len(found)} are damaged."
        if swept:
            told += f" {swept} files that killed workers left were taken away."
        if found:
            raise CommandError(told)
        if options["format"] == "table":
            self.stdout.write(told)
