"""`manage.py token`: the keys with which programs ask the API."""

import csv
import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.api import selectors, services
from apps.api.models import ApiToken
from apps.api.scopes import READ
from apps.finops.errors import CostOpsError

COLUMNS = ("id", "user", "name", "scopes", "created", "expires", "last_used", "revoked")
EXAMPLES = """
A token speaks for its user and sees what the user sees. Its key is printed once and cannot be shown again.

examples:
  manage.py token add lilei --name "month-end export" --days 30
  manage.py token add lilei --name "budgets from the ERP" --scope read --scope budgets:write
  manage.py token list --format json
  manage.py token revoke 3f9a1c27b0de

  curl -H "Authorization: Token costops_..." http://127.0.0.1:8000/api/v1/costs/?group_by=team
"""


class Command(BaseCommand):
    """Issue, list and revoke API tokens."""

    requires_system_checks = ()  # they import every page; `check` and the tests run them
    help = "Issue, list and revoke API tokens."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, epilog=EXAMPLES, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | revoke")
        more: dict[str, Any] = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        add = actions.add_parser("add", help="issue a token; its key is printed once", **more)
        add.add_argument("user", metavar="USER", help="whom it speaks for")
        add.add_argument("--name", default="", help="what it is for")
        add.add_argument("--days", type=int, default=services.DEFAULT_DAYS, help="until it expires (%(default)s)")
        add.add_argument(
            "--scope",
            action="append",
            metavar="SCOPE",
            help="what it may do: read, write, or one area such as costs:read or budgets:write; may be repeated (read)",
        )
        listing = actions.add_parser("list", help="show all tokens, never their keys", **more)
        listing.add_argument(
            "--format", choices=["table", "csv", "json"], default="table", help="how rows are printed (default table)"
        )
        revoke = actions.add_parser("revoke", help="make a token worthless at once", **more)
        revoke.add_argument("id", metavar="ID", help="as `token list` shows it")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            actions: dict[str, Callable[..., None]] = {"add": self._add, "list": self._list, "revoke": self._revoke}
            actions[action](**options)
        except CostOpsError as refused:
            raise CommandError(str(refused)) from refused

    def _add(self, *, user: str, name: str, days: int, scope: list[str] | None, **_options: Any) -> None:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is no user {user}.")
        scopes = scope or [READ]
        self.stdout.write(services.issue_token(found, now=timezone.now(), name=name, days=days, scopes=scopes))
        self.stderr.write("Keep it now: it is not shown again.")

    def _revoke(self, *, id: str, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        services.revoke_token(id, now=timezone.now())
        self.stdout.write(f"Token {id} is revoked.")

    def _list(self, *, format: str, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        rows = [_row(token) for token in selectors.tokens()]
        if format == "json":
            self.stdout.write(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows], ensure_ascii=False))
        elif format == "csv":
            csv.writer(self.stdout).writerows([COLUMNS, *rows])
        else:
            widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
            for row in (COLUMNS, *rows):
                cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                self.stdout.write("  ".join(cells).rstrip())


def _row(token: ApiToken) -> tuple[str, ...]:
    days = (token.created_at, token.expires_at, token.last_used_day, token.revoked_at)
    told = (token.public_id, token.user.get_username(), token.name, token.scopes)
    return (*told, *(f"{day:%Y-%m-%d}" if day else "" for day in days))
