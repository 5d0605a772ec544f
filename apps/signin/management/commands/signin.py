"""`manage.py signin`: what whoever looks after CostOps does for people who cannot get in, or must get out."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from apps.signin import factors, sessions
from apps.warehouse.commands import TerminalCommand

ACTIONS = {
    "reset": ("take away lost second factors, and end the sessions", "zhang.wei"),
    "end": ("end all sessions of somebody", "zhang.wei"),
    "reseal": ("encrypt the keys of all second factors with the newest key", ""),
}


class Command(TerminalCommand):
    """Sign-ins at the terminal."""

    help = "Reset second factors, end sessions, encrypt secrets of second factors anew."
    examples = "\nexamples:\n" + "".join(
        f"  manage.py {f'signin {action} {who}'.strip():<34} {text}\n" for action, (text, who) in ACTIONS.items()
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
        for action, (text, who) in ACTIONS.items():
            example = f"\nexamples:\n  manage.py signin {action} {who}".rstrip() + "\n"
            one = actions.add_parser(action, help=text, epilog=example, formatter_class=RawDescriptionHelpFormatter)
            if who:
                one.add_argument("name", help="the name they sign in with")

    def handle(self, *, action: str, name: str = "", **_given: Any) -> None:
        if action == "reseal":
            count = factors.seal_all_again()
            self.stdout.write(f"The secrets of {count} second factors are encrypted with the newest key.")
            return
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is nobody called {name!r}.")
        if action == "reset":
            self.stdout.write(f"{name} had {factors.reset(user)} second factors, and has none now.")
        self.stdout.write(f"{sessions.end_all(user)} sessions of {name} were ended.")
