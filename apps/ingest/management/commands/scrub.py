"""`manage.py scrub`: read landed files and files of the lake again, and say what is damaged."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from apps.ingest import scrub
from apps.warehouse.terminal import add_format, print_rows

EXAMPLES = """
Beat does the same every night, for forty minutes at most, those files first that were not read longest. The exit
status is 0 only when nothing is damaged.

examples:
  manage.py scrub                      everything
  manage.py scrub --minutes 10         as much as ten minutes allow
  manage.py scrub --format json
"""


class Command(BaseCommand):
    """The scrub at the terminal."""

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    help = "Read landed files and files of the lake again; say which are missing or no longer what they were."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, epilog=EXAMPLES, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=float, help="stop after about so long (default: read everything)")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        minutes = options["minutes"]
        with Console(stderr=True).status("reading files again") as status:
            done = scrub.scrub(
                timezone.now(),
                seconds=60 * minutes if minutes is not None else None,
                on_progress=lambda at, of: status.update(f"{at} of {of} files"),
            )
        found = scrub.problems()
        rows = [(problem.subject, problem.code.removeprefix("scrub_"), problem.message) for problem in found]
        print_rows(("file", "damage", "what to do"), rows, options["format"], self.stdout)
        told = f"{done.files} files ({done.bytes:,} bytes) were read, {done.left} are left; {len(found)} are damaged."
        if found:
            raise CommandError(told)
        if options["format"] == "table":
            self.stdout.write(told)
