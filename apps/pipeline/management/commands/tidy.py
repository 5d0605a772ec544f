"""`manage.py tidy`: let go what is old, so that neither lake nor database grows for ever."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from apps.pipeline.tidying import tidy
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, print_rows, working

EXAMPLES = """
Beat does the same every night. Publications older than COSTOPS_KEEP_ALL_DAYS are let go, but for the last of each day,
those older than COSTOPS_KEEP_DAYS but for the last of each month, and for those that a closed month, a dispute, a
saving, a letter or a kept view rests on; their files in the lake go two days later. Bills as they were received, what
counts today and the audit log are never touched.

examples:
  manage.py tidy --dry-run             what would be let go
  manage.py tidy                       let it go
  COSTOPS_KEEP_DAYS=100 manage.py tidy --dry-run
"""


class Command(TerminalCommand):
    """Tidying at the terminal."""

    help = "Let old publications, their files, runs, messages and alerts go; forget sessions that are over."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would be let go")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        with working("looking for what is old"):
            done = tidy(timezone.now(), dry_run=options["dry_run"])
        files = done.publications.reclaimed
        rows = [
            ("publications that stay", done.publications.staying),
            ("publications let go", done.publications.let_go),
            ("files of the lake taken away", files.files),
            ("bytes of these", files.size),
            ("runs forgotten", done.runs),
            ("messages forgotten", done.messages),
            ("alerts forgotten", done.alerts),
            ("entries of the read log forgotten", done.reads),
            ("sessions forgotten", done.sessions),
        ]
        print_rows(("what", "how_many"), rows, options["format"], self.stdout)
        if options["dry_run"] and options["format"] == "table":
            self.stdout.write("Nothing was changed.")
