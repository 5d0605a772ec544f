"""`manage.py mcp`: the MCP server over standard input and output, for the owner of an API token."""

import os
import sys
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandError
from django.utils import timezone
from mcp.server.stdio import stdio_server

from apps.api.selectors import valid_token
from apps.assistants.server import server_for
from apps.warehouse.commands import TerminalCommand

TOKEN = "COSTOPS_TOKEN"  # noqa: S105  # the name of a variable, not a secret
EXAMPLES = f"""
The assistant starts it, speaks to it over standard input and output, and sees what the owner of
the token in {TOKEN} may see. Nothing is ever changed. docs/mcp.md says how assistants
are told of it.

examples:
  manage.py mcp                          # with the token in {TOKEN}
  env {TOKEN}=costops_... manage.py mcp
"""


class Command(TerminalCommand):
    """Serve assistants."""

    help = "Answer assistants that speak the Model Context Protocol (MCP), read only."
    examples = EXAMPLES

    def handle(self, **_options: Any) -> None:
        key = os.environ.get(TOKEN, "")
        if not key:
            raise CommandError(f"{TOKEN} is not set; make a token with `manage.py token add USER` and put it there.")
        if valid_token(key, timezone.now()) is None:
            raise CommandError(f"{TOKEN} holds no valid token: it is unknown, revoked or expired, or its user is gone.")
        if sys.stdin.isatty():
            self.stderr.write("Waiting for an assistant on standard input; Ctrl-C ends it.")
        async_to_sync(_serve)(key)


async def _serve(key: str) -> None:
    server = server_for(key)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
