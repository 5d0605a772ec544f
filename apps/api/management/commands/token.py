"""`manage.py token`: the keys with which programs ask the API."""

from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.api import selectors, services
from apps.api.models import ApiToken
from apps.api.scopes import READ
from apps.finops.errors import CostOpsError
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import Format, add_format, print_rows

COLUMNS = ("id", "user", "name", "scopes", "teams", "created", "expires", "last_used", "revoked")
EXAMPLES = """
A token speaks for its user and sees what the user sees. Its key is printed once and cannot be shown again.

examples:
  manage.py token add lilei --name "month-end export" --days 30
  manage.py token add lilei --name "budgets from the ERP" --scope read --scope budgets:write
  manage.py token add grafana --name dashboards --team live-class --team search
  manage.py token list --format json
  manage.py token revoke 3f9a1c27b0de

  curl -H "Authorization: Token costops_..." http://127.0.0.1:8000/api/v1/costs/?group_by=team
"""


class Command(TerminalCommand):
    """Issue, list and revoke API tokens."""

    help = "Issue, list and revoke API tokens."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | revoke")
        more: dict[str, Any] = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        add = actions.add_parser("add", help="issue a token; its key is printed once", **more)
        add.add_argument("user", metavar="USER", help="whom it speaks for")
        add.add_argument("--name", default="", help="what it is for")
        add.add_argument(
            "--days", type=int, help=f"until it expires ({services.DEFAULT_DAYS}, or the most there may be)"
        )
        add.add_argument(
            "--scope",
            action="append",
            metavar="SCOPE",
            help="what it may do: read, write, or one area such as costs:read or budgets:write; may be repeated (read)",
        )
        add.add_argument("--team", action="append", metavar="TEAM", help="only this team; may be repeated (all teams)")
        add_format(actions.add_parser("list", help="show all tokens, never their keys", **more))
        revoke = actions.add_parser("revoke", help="make a token worthless at once", **more)
        revoke.add_argument("id", metavar="ID", help="as `token list` shows it")

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            actions: dict[str, Callable[..., None]] = {"add": self._add, "list": self._list, "revoke": self._revoke}
            actions[action](**options)
        except CostOpsError as refused:
            raise CommandError(str(refused)) from refused

    def _add(
        self,
        *,
        user: str,
        name: str,
        days: int | None,
        scope: list[str] | None,
        team: list[str] | None,
        **_options: Any,
    ) -> None:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is no user {user}.")
        scopes = scope or [READ]
        key = services.issue_token(found, now=timezone.now(), name=name, days=days, scopes=scopes, teams=team)
        self.stdout.write(key)
        self.stderr.write("Keep it now: it is not shown again.")

    def _revoke(self, *, id: str, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        services.revoke_token(id, now=timezone.now())
        self.stdout.write(f"Token {id} is revoked.")

    def _list(self, *, format: Format, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        print_rows(COLUMNS, [_row(token) for token in selectors.tokens()], format, self.stdout)


def _row(token: ApiToken) -> tuple[str, ...]:
    days = (token.created_at, token.expires_at, token.last_used_day, token.revoked_at)
    told = (token.public_id, token.user.get_username(), token.name, token.scopes, " ".join(token.teams or ()))
    return (*told, *(f"{day:%Y-%m-%d}" if day else "" for day in days))
