"""`manage.py reports`: the archive of weekly letters, sending them, and who gets which."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.finops.errors import CostOpsError
from apps.reports import archive, recipients, services
from apps.reports.archive import Wanted
from apps.reports.models import Delivery, Report
from apps.reports.recipients import Target, addressees, targets
from apps.reports.selectors import is_published, published_weeks
from apps.reports.weeks import Week
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import add_format, count, print_rows

LISTING = """
examples:
  manage.py reports list                                  every letter that is kept, the newest week first
  manage.py reports list --role finance --week 2026-W44 --format csv
"""
SHOWING = """
examples:
  manage.py reports show 7                                its text
  manage.py reports show 7 --to letters/                  every part, byte by byte as it was sent, into a folder
"""
SENDING = """
A report is sent once per team, week and recipient: running this again sends only what has not been sent.

examples:
  manage.py reports send                                  the last full week, every report to whoever gets it
  manage.py reports send --week 2026-W44 --role lead --team live-class
  manage.py reports send --dry-run                        says who would get what, sends nothing
"""
KEEPING = """
Letters are written and kept in the archive as if they had been sent. `send` mails them later, as they are kept.

examples:
  manage.py reports keep --week 2026-W43                  fills the archive with a week, mails nothing
  manage.py reports keep --role finance --last 6          the last six weeks that are wholly published
"""
TESTING = """
examples:
  manage.py reports test lilei --role lead --team live-class      mails it to lilei alone, marked as a test
"""
SUBSCRIBING = """
Nobody gets what they may not read: finance is who sees all cost, management its group besides.

examples:
  manage.py reports subscribe lilei --role lead --team data-platform
  manage.py reports subscribe wang --role management --language zh-hans
"""
UNSUBSCRIBING = """
examples:
  manage.py reports unsubscribe lilei --role lead --team live-class
"""
ALL = (LISTING, SHOWING, SENDING, KEEPING, TESTING, SUBSCRIBING, UNSUBSCRIBING)
EXAMPLES = "\nexamples:\n" + "".join(part.partition("examples:\n")[2] for part in ALL)
COLUMNS = ("number", "week", "role", "team", "recipient", "language", "state", "sent_at", "resent", "subject")


class Command(TerminalCommand):
    """Weekly letters at the terminal."""

    help = "List and show weekly letters, send them, keep them, test them; say who gets which."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="list|show|send|keep|test|subscribe|unsubscribe"
        )

        def add(name: str, text: str, epilog: str) -> ArgumentParser:
            return actions.add_parser(name, help=text, epilog=epilog, formatter_class=RawDescriptionHelpFormatter)

        listing = add("list", "letters that are kept", LISTING)
        showing = add("show", "one letter", SHOWING)
        showing.add_argument("number", type=int, help="the number of the letter")
        showing.add_argument("--to", type=Path, metavar="DIR", help="write its parts into this folder")
        sending = add("send", "mail reports, each once", SENDING)
        sending.add_argument("--dry-run", action="store_true", help="say who would get what, and send nothing")
        keeping = add("keep", "write letters into the archive and mail nothing", KEEPING)
        keeping.add_argument(
            "--last",
            type=count,
            metavar="N",
            help="the last so many weeks that are wholly published, not --week",
        )
        testing = add("test", "mail a report to one user, marked as a test", TESTING)
        subscribing = add("subscribe", "a user wants a report", SUBSCRIBING)
        subscribing.add_argument(
            "--language", choices=[code for code, _name in settings.LANGUAGES], help="read reports in this language"
        )
        unsubscribing = add("unsubscribe", "a user does not want a report", UNSUBSCRIBING)
        for each in (testing, subscribing, unsubscribing):
            each.add_argument("user", help="the name of the user")
        for each in (listing, sending, keeping, testing, subscribing, unsubscribing):
            needed = each in (testing, subscribing, unsubscribing)
            each.add_argument("--role", choices=Report.values, required=needed, help="for whom the report is")
            each.add_argument("--team", help="of this team")
        for each in (listing, sending, keeping, testing):
            each.add_argument("--week", help="an ISO week such as 2026-W44" + _by_default(each is not listing))
        add_format(listing)

    def handle(self, *, action: str, **given: Any) -> None:
        try:
            getattr(self, f"_{action}")(given)
        except CostOpsError as wrong:
            raise CommandError(str(wrong)) from wrong

    def _list(self, given: dict[str, Any]) -> None:
        wanted = Wanted(*(given[name] or "" for name in ("role", "team", "week")))
        rows = [
            (one.pk, one.period, one.report, one.team, one.recipient, one.language, one.state, one.sent_at, one.resent,
             one.subject)
            for one in archive.of_everybody(wanted)
        ]  # fmt: skip
        print_rows(COLUMNS, rows, given["format"], self.stdout)

    def _show(self, given: dict[str, Any]) -> None:
        found = archive.letter(given["number"], None)
        folder: Path | None = given["to"]
        for piece in archive.kept(found):
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / Path(piece.name).name).write_bytes(piece.data)
                self.stdout.write(f"{folder / Path(piece.name).name}")
            elif piece.name == "letter.txt":
                self.stdout.write(piece.data.decode())

    def _send(self, given: dict[str, Any]) -> None:
        week, found = _chosen(given)
        failed = self._say(week, found) if given["dry_run"] else self._deliver(week, found)
        if failed:
            total = sum(len(addressees(one)) for one in found)
            raise CommandError(f"{failed} of {total} mails could not be sent; run this again to retry them.")

    def _keep(self, given: dict[str, Any]) -> None:
        weeks = published_weeks(given["last"]) if given["last"] else [None]
        failed = 0
        for week in weeks:
            chosen, found = _chosen(given | ({"week": str(week)} if week else {}))
            failed += self._deliver(chosen, found, mail=False)
        if failed:
            raise CommandError(f"{failed} letters could not be written; see above.")

    def _say(self, week: Week, found: list[Target]) -> int:
        done = Delivery.objects.filter(period=str(week), state=Delivery.State.SENT)
        sent = set(done.values_list("report", "team", "recipient"))
        for target in found:
            for one in addressees(target):
                state = "sent already" if (target.report, target.name, one.address) in sent else "would be sent"
                self.stdout.write(f"{week}  {target.name or target.report}  {one.address}  {state}")
        return 0

    def _deliver(self, week: Week, found: list[Target], *, mail: bool = True) -> int:
        failed = 0
        for target in found:  # one by one: whoever watches sees how far it has come
            for one in services.send_week(week, [target], clock=timezone.now, mail=mail):
                said = f"{week}  {one.team or one.report}  {one.recipient}  {one.result}  {one.message}"
                self.stdout.write(said.rstrip())
                failed += one.result == "failed"
        return failed

    def _test(self, given: dict[str, Any]) -> None:
        user = _user(given["user"])
        services.send_test(user, _target(given), _week(given["week"]), now=timezone.now())
        self.stdout.write(f"A test was sent to {user.email}.")

    def _subscribe(self, given: dict[str, Any]) -> None:
        user = _user(given["user"])
        if given["language"]:
            recipients.read_in(user, given["language"])
        self._wish(user, given, is_wanted=True)

    def _unsubscribe(self, given: dict[str, Any]) -> None:
        self._wish(_user(given["user"]), given, is_wanted=False)

    def _wish(self, user: User, given: dict[str, Any], *, is_wanted: bool) -> None:
        recipients.wish(user, _target(given), is_wanted=is_wanted, by="terminal", now=timezone.now())
        self.stdout.write(f"{user.get_username()} gets it." if is_wanted else f"{user.get_username()} gets it no more.")


def _by_default(is_last: bool) -> str:
    return "; the last full one by default" if is_last else ""


def _week(text: str | None) -> Week:
    today = timezone.localdate(timezone=ZoneInfo(settings.COSTOPS_TIME_ZONE))
    return Week.parse(text) if text else Week.last_full(today)


def _chosen(given: dict[str, Any]) -> tuple[Week, list[Target]]:
    """The published week and the reports somebody names that anybody gets."""
    week = _week(given["week"])
    found = [one for one in targets(team=given["team"], report=given["role"]) if addressees(one)]
    if not found:
        team = f" {given['team']}" if given["team"] else ""
        raise CommandError(f"No active team{team} has a lead with an e-mail address, and nobody subscribed.")
    if not is_published(week, whole=False):
        raise CommandError(f"Nothing is published of week {week}: a report would say that it cost nothing.")
    return week, found


def _user(name: str) -> User:
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(f"There is no active user {name}.")
    return found


def _target(given: dict[str, Any]) -> Target:
    if given["role"] != Report.LEAD:
        return Target(given["role"])
    found = targets(team=given["team"] or "", report=Report.LEAD)
    if not found:
        raise CommandError(f"There is no active team {given['team'] or ''}; name one with --team.".replace("  ", " "))
    return found[0]
