"""`manage.py channels`: ways to reach people, trying one, and what was delivered."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.channels import delivering, managing, selectors
from apps.channels.models import Channel, Message
from apps.channels.selectors import STATES
from apps.finops.errors import CostOpsError
from apps.teams.approval import Actor
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.sentences import told_of
from apps.warehouse.terminal import add_format, print_rows

LISTING = """
examples:
  manage.py channels list                                   every channel, without its secrets
"""
TESTING = """
examples:
  manage.py channels test 7                                 one notice at once, whatever the hour
"""
DELIVERIES = """
examples:
  manage.py channels deliveries                             what was sent, the newest first
  manage.py channels deliveries --state failed --channel 7 --format csv
"""
DELIVERING = """
The bell does so every minute; here for an installation without a worker.

examples:
  manage.py channels deliver                                send what is due now
"""
RETRYING = """
examples:
  manage.py channels retry 41 42                            what was given up, sent with the next bell
"""
RESEALING = """
examples:
  manage.py channels reseal                                 after a new key stands first in COSTOPS_SECRETS_KEYS
"""
PARTS = (LISTING, TESTING, DELIVERIES, DELIVERING, RETRYING, RESEALING)
EXAMPLES = "\nexamples:\n" + "".join(part.partition("examples:\n")[2] for part in PARTS)
CHANNELS = ("number", "kind", "name", "user", "team", "least", "kinds", "quiet", "group_minutes", "is_on")
MESSAGES = ("number", "channel", "kind", "state", "attempts", "created_at", "sent_at", "title", "reference", "error")


class Command(TerminalCommand):
    """Channels at the terminal."""

    help = "List channels and deliveries, try a channel, send again what was given up."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="list|test|deliveries|deliver|retry|reseal"
        )

        def add(name: str, text: str, epilog: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=epilog, formatter_class=RawDescriptionHelpFormatter)

        add_format(add("list", "channels", LISTING))
        testing = add("test", "send a test by a channel", TESTING)
        testing.add_argument("number", type=int, help="the number of the channel")
        log = add("deliveries", "what was sent, and was not", DELIVERIES)
        log.add_argument("--state", choices=STATES, default="", help="only in this state")
        log.add_argument("--channel", type=int, help="only by this channel")
        add_format(log)
        add("deliver", "send what is due now", DELIVERING)
        retrying = add("retry", "send again what was given up", RETRYING)
        retrying.add_argument("numbers", type=int, nargs="+", help="the numbers of the deliveries")
        add("reseal", "encrypt all secrets with the newest key", RESEALING)

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        rows = [_channel(one) for one in selectors.channels(None)]
        print_rows(CHANNELS, rows, given["format"], self.stdout)

    def _test(self, given: dict[str, Any]) -> None:
        channel = selectors.find(given["number"], None)
        everybody = Actor(channel.user.get_username() if channel.user else "", None)
        message = managing.test(channel, by=everybody, clock=timezone.now)
        if message.state != Message.State.SENT:
            raise CommandError(f"The test was not sent: {message.error}")
        self.stdout.write("The test was sent.")

    def _deliveries(self, given: dict[str, Any]) -> None:
        found = selectors.deliveries(None, state=given["state"], channel=given["channel"])
        print_rows(MESSAGES, [_message(one) for one in found], given["format"], self.stdout)

    def _deliver(self, _given: dict[str, Any]) -> None:
        results = delivering.deliver_due(timezone.now)
        told = ", ".join(f"{count} {Message.State(state).label}" for state, count in sorted(results.items()))
        self.stdout.write(told or "Nothing is due.")

    def _retry(self, given: dict[str, Any]) -> None:
        for message in [selectors.delivery(number, None) for number in given["numbers"]]:
            is_again = delivering.retry(message, timezone.now())
            self.stdout.write(f"Delivery {message.pk} {'is sent again' if is_again else 'was not given up'}.")

    def _reseal(self, _given: dict[str, Any]) -> None:
        self.stdout.write(f"The secrets of {managing.seal_all_again()} channels are encrypted with the newest key.")


def _channel(one: Channel) -> list[Any]:
    quiet = f"{one.quiet_from:%H:%M}-{one.quiet_until:%H:%M}" if one.quiet_from and one.quiet_until else ""
    return [
        str(one.pk), one.kind, one.name, one.user.get_username() if one.user else "",
        one.team.name if one.team else "", one.least, " ".join(one.kinds), quiet, one.group_minutes,
        "yes" if one.is_on else "no",
    ]  # fmt: skip


def _message(one: Message) -> list[Any]:
    title = "; ".join(told_of(entry.title) for entry in one.entries.all())
    return [
        str(one.pk), str(one.channel_id), one.channel.kind, one.state, one.attempts, one.created_at, one.sent_at, title,
        one.reference, one.error,
    ]  # fmt: skip
