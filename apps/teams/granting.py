"""Giving roles and taking them back, and the users of programs."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet

from apps.finops.errors import CostOpsError
from apps.teams.models import Grant, ServiceAccount, Team, Unit
from apps.teams.organising import tree
from apps.teams.roles import REACHES, Reach, Role

GROUP = "group:"
"""What begins the name of a group where a user could be meant."""
MOST_ACCOUNT = 255
MOST_PURPOSE = 200
_SERVICE = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


class CannotGrant(CostOpsError):
    """A role that cannot be given so; nothing was changed."""


class NoSuchGrant(CostOpsError):
    """There is no grant of this number."""


@dataclass(frozen=True)
class Wish:
    """A grant as somebody asks for it; `who` is a user, or a group as `group:NAME`."""

    who: str
    role: str
    reach: str = Reach.EVERYTHING
    value: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


def give(wish: Wish, *, by: str, now: datetime) -> Grant:
    """Give a role; the very same one again changes nothing."""
    check(wish)
    user, group = _who(wish.who)
    facts = {name: getattr(wish, name) for name in ("role", "reach", "value", "valid_from", "valid_to")}
    found = Grant.objects.filter(user=user, group=group, **facts).first()
    return found or Grant.objects.create(user=user, group=group, **facts, given_by=by, given_at=now)


def take(number: int) -> None:
    """Take a role back: it holds for the next request no more. The last that looks after people stays (`keepers`)."""
    with transaction.atomic():
        deleted, _ = Grant.objects.filter(pk=number).delete()
    if not deleted:
        raise NoSuchGrant(f"There is no grant {number}; `manage.py access list` shows those there are.")


def grants() -> "QuerySet[Grant]":
    """Every grant, the newest last."""
    return Grant.objects.select_related("user", "group").order_by("pk")


def check(wish: Wish) -> None:
    """Raise CannotGrant where a role cannot be given over that."""
    if wish.role not in Role.values:
        raise CannotGrant(f"role: {wish.role[:40]!r} is not one of {', '.join(Role.values)}.")
    if wish.reach not in Reach.values:
        raise CannotGrant(f"reach: {wish.reach[:40]!r} is not one of {', '.join(Reach.values)}.")
    possible = REACHES[Role(wish.role)]
    if Reach(wish.reach) not in possible:
        told = ", ".join(reach for reach in Reach.values if reach in possible)
        raise CannotGrant(f"reach: the role {wish.role} is given over {told}.")
    if wish.valid_from and wish.valid_to and wish.valid_from >= wish.valid_to:
        raise CannotGrant("valid_to: it must come after valid_from; the day itself is not included.")
    _check_value(wish)


def _check_value(wish: Wish) -> None:
    reach, value = Reach(wish.reach), wish.value
    if reach == Reach.EVERYTHING:
        if value:
            raise CannotGrant("value: of everything there is nothing to name; name a reach, such as team.")
        return
    if reach == Reach.ACCOUNT:  # it may have no charge yet
        is_known = 0 < len(value) <= MOST_ACCOUNT and value.isprintable()
    else:
        is_known = value in _names(reach)
    if not is_known:
        raise CannotGrant(f"value: there is no {reach.label} {value[:60]!r}.")


def _names(reach: Reach) -> frozenset[str]:
    if reach == Reach.TEAM:
        return frozenset(Team.objects.values_list("name", flat=True))
    if reach == Reach.UNIT:
        return frozenset(Unit.objects.filter(is_active=True).values_list("name", flat=True)) | set(tree().by_name)
    known = tree()
    return frozenset(spot.cost_center for team in known.teams for spot in known.spots(team) if spot.cost_center)


def _who(name: str) -> tuple[User | None, Group | None]:
    """The user of a name, or the group behind `group:`."""
    if name.startswith(GROUP):
        group = Group.objects.filter(name=name.removeprefix(GROUP)).first()
        if group is None:
            raise CannotGrant(f"who: there is no group {name.removeprefix(GROUP)[:60]!r}.")
        return None, group
    user = User.objects.filter(username=name).first() if "\x00" not in name else None
    if user is None:
        raise CannotGrant(f"who: there is no user {name[:60]!r}; a group is named {GROUP}NAME.")
    return user, None


def who_of(grant: Grant) -> str:
    """To whom it was given, as `give` reads it."""
    return grant.user.get_username() if grant.user else f"{GROUP}{grant.group}"


def make_service_account(name: str, *, purpose: str, by: str, now: datetime) -> ServiceAccount:
    """A user for a program: without password and address, so that nobody signs in as it."""
    check_service_account(name, purpose)
    with transaction.atomic():
        return ServiceAccount.objects.create(user=service_user(name), purpose=purpose.strip(), made_by=by, made_at=now)


def check_service_account(name: str, purpose: str) -> None:
    """Raise CannotGrant where a service account cannot be called so."""
    if not _SERVICE.fullmatch(name):
        raise CannotGrant("name: 2 to 64 small letters, digits, dots and dashes, such as grafana or erp-budgets.")
    if not purpose.strip() or len(purpose) > MOST_PURPOSE:
        raise CannotGrant(f"purpose: say in up to {MOST_PURPOSE} characters what the program is for.")
    if User.objects.filter(username__iexact=name).exists():
        raise CannotGrant(f"name: there is a user {name} already.")


def service_user(name: str) -> User:
    """A user that no password and no address opens."""
    user = User(username=name)
    user.set_unusable_password()
    user.save()
    return user


def service_accounts() -> "QuerySet[ServiceAccount]":
    """Every service account, by name."""
    return ServiceAccount.objects.select_related("user").order_by("user__username")
