"""`manage.py access`: who holds which role, over what."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from apps.teams import granting
from apps.teams.granting import Wish
from apps.teams.models import Grant, ServiceAccount
from apps.teams.roles import MEANS, ROLES, Reach, Role
from apps.warehouse.commands import TerminalCommand
from apps.warehouse.terminal import Format, add_format, day, operator, print_rows

GRANTS = ("number", "who", "role", "reach", "value", "valid_from", "valid_to", "given_by", "given_at")
ROWS = ("role", "may", "means")
SERVICES = ("name", "purpose", "is_active", "made_by", "made_at")
EXAMPLES = """
A role is held over everything, a part of the organisation, a team, a cost centre or an account, by a user or by
everybody of a group. Members of teams, the group `finance` and staff hold theirs besides (docs/roles.md).

examples:
  manage.py access grant lilei viewer --unit teaching
  manage.py access grant lilei lead --team live-class --until 2027-01-01
  manage.py access grant group:controllers finance --everything
  manage.py access grant auditor viewer --account 1234567890
  manage.py access list --format json
  manage.py access revoke 7
  manage.py access service grafana --purpose "dashboards of the platform team"
  manage.py access roles
"""
REACHES = {"--unit": Reach.UNIT, "--team": Reach.TEAM, "--cost-center": Reach.COST_CENTER, "--account": Reach.ACCOUNT}


class Command(TerminalCommand):
    """Give roles, take them back, and make users for programs."""

    help = "Give roles, take them back, and make users for programs."
    examples = EXAMPLES

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="list | grant | revoke | service | services | roles"
        )
        more: dict[str, Any] = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        add_format(actions.add_parser("list", help="show every grant", **more))
        add_format(actions.add_parser("roles", help="show what each role may do", **more))
        add_format(actions.add_parser("services", help="show the users of programs", **more))
        grant = actions.add_parser("grant", help="give a role", **more)
        grant.add_argument("who", metavar="WHO", help="a user, or group:NAME")
        grant.add_argument("role", metavar="ROLE", help=f"one of {', '.join(Role.values)}")
        over = grant.add_mutually_exclusive_group(required=True)
        over.add_argument("--everything", action="store_true", help="over everything")
        for option, reach in REACHES.items():
            over.add_argument(option, dest=reach.value, metavar="NAME", help=f"over this {reach.label}")
        grant.add_argument("--from", dest="valid_from", type=day, metavar="DATE", help="from this day on")
        grant.add_argument("--until", dest="valid_to", type=day, metavar="DATE", help="before this day")
        revoke = actions.add_parser("revoke", help="take a role back at once", **more)
        revoke.add_argument("number", type=int, metavar="NUMBER", help="as `access list` shows it")
        service = actions.add_parser("service", help="make a user for a program, which only tokens speak for", **more)
        service.add_argument("name", metavar="NAME", help="what it is called")
        service.add_argument("--purpose", required=True, help="what it is for")

    def handle(self, *, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(**options)

    def _list(self, *, format: Format, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        print_rows(GRANTS, [_grant(one) for one in granting.grants()], format, self.stdout)

    def _roles(self, *, format: Format, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        rows = [(role.value, can.value, MEANS[can]) for role, held in ROLES.items() for can in MEANS if can in held]
        print_rows(ROWS, rows, format, self.stdout)

    def _services(self, *, format: Format, **_options: Any) -> None:  # noqa: A002  # named as the command line shows it
        print_rows(SERVICES, [_service(one) for one in granting.service_accounts()], format, self.stdout)

    def _grant(self, *, who: str, role: str, valid_from: Any, valid_to: Any, **options: Any) -> None:
        reach = next((one for one in REACHES.values() if options[one.value] is not None), Reach.EVERYTHING)
        value = "" if reach == Reach.EVERYTHING else options[reach.value]
        given = granting.give(Wish(who, role, reach, value, valid_from, valid_to), by=operator(), now=timezone.now())
        self.stdout.write(f"Grant {given.pk}: {given}.")

    def _revoke(self, *, number: int, **_options: Any) -> None:
        granting.take(number)
        self.stdout.write(f"Grant {number} is taken back.")

    def _service(self, *, name: str, purpose: str, **_options: Any) -> None:
        made = granting.make_service_account(name, purpose=purpose, by=operator(), now=timezone.now())
        self.stdout.write(f"{made.user} is there. Give it a role (`access grant`) and a token (`token add`).")


def _grant(one: Grant) -> tuple[Any, ...]:
    return (
        one.pk, granting.who_of(one), one.role, one.reach, one.value, one.valid_from, one.valid_to, one.given_by,
        one.given_at,
    )  # fmt: skip


def _service(one: ServiceAccount) -> tuple[Any, ...]:
    return one.user.get_username(), one.purpose, one.user.is_active, one.made_by, one.made_at
