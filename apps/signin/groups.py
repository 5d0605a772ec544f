"""What groups of elsewhere mean here: given at every sign-in, and taken away with the group."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from apps.audit import services as audit
from apps.audit.models import AuditEntry
from apps.signin.models import Given
from apps.teams.keepers import LastKeeper
from apps.teams.models import Membership, Team, Unit, UnitMembership

Thing = tuple[str, str]
"""A kind of `Given`, and a name."""
MOST_GROUPS = 2000


def named_by(login: SocialLogin) -> frozenset[str]:
    """The groups that a provider says somebody is in: of the token itself first, else of what it tells of them."""
    claim, told = login.provider.app.settings["groups_claim"], login.account.extra_data
    for place in (told.get("id_token"), told.get("userinfo"), told):
        if isinstance(place, Mapping) and claim in place:
            return _names(place[claim])
    return frozenset()


def _names(value: Any) -> frozenset[str]:
    values = value if isinstance(value, list) else [value]
    return frozenset(str(one) for one in values[:MOST_GROUPS] if isinstance(one, str | int))


def meant_by(names: Iterable[str]) -> frozenset[Thing]:
    """What the mapping of COSTOPS_SSO_FILE gives for groups."""
    return frozenset(thing for name in names for thing in settings.COSTOPS_SSO_GROUPS.get(name, ()))


@transaction.atomic
def follow(user: User, names: frozenset[str], *, at: datetime, address: str) -> None:
    """Give what groups mean and is not there, take what they gave and no longer mean. What a person gave stays."""
    wanted = meant_by(names)
    given = {(one.kind, one.name): one for one in Given.objects.select_for_update().filter(user=user)}
    added = [thing for thing in sorted(wanted - given.keys()) if _give(user, thing)]
    Given.objects.bulk_create(Given(user=user, kind=kind, name=name) for kind, name in added)
    over = sorted(given.keys() - wanted)
    removed = [thing for thing in over if _take(user, thing)]
    kept = [thing for thing in over if thing not in removed]
    for thing in removed:
        given[thing].delete()
    if added or over:
        deed = audit.Deed(
            at=at,
            actor=user.get_username(),
            way=AuditEntry.Way.PAGE,
            action="groups of the sign-in",
            subject={"user": user.get_username()},
            details={"given": [" ".join(thing) for thing in added], "taken": [" ".join(thing) for thing in removed]}
            | ({"kept by the last who looks after people": [" ".join(thing) for thing in kept]} if kept else {}),
            address=address,
        )
        audit.record(deed, 200)


def _give(user: User, thing: Thing) -> bool:
    """Whether it was given just now: not where it was there already, and not where there is no such team."""
    kind, name = thing
    if kind == Given.Kind.STAFF:
        return bool(User.objects.filter(pk=user.pk, is_staff=False).update(is_staff=True))
    if kind == Given.Kind.GROUP:
        group = Group.objects.get_or_create(name=name)[0]
        is_new = not user.groups.filter(pk=group.pk).exists()
        user.groups.add(group)
        return is_new
    if kind == Given.Kind.TEAM:
        team = Team.objects.filter(name=name).first()
        return team is not None and Membership.objects.get_or_create(user=user, team=team)[1]
    unit = Unit.objects.filter(name=name).first()
    return unit is not None and UnitMembership.objects.get_or_create(user=user, unit=unit)[1]


def _take(user: User, thing: Thing) -> bool:
    """Whether it was taken: not from the last who looks after people, who keeps it until there is another."""
    try:
        with transaction.atomic():
            _take_away(user, thing)
    except LastKeeper:
        return False
    return True


def _take_away(user: User, thing: Thing) -> None:
    kind, name = thing
    if kind == Given.Kind.STAFF:
        User.objects.filter(pk=user.pk).update(is_staff=False)
    elif kind == Given.Kind.GROUP:
        user.groups.remove(*Group.objects.filter(name=name))
    elif kind == Given.Kind.TEAM:
        Membership.objects.filter(user=user, team__name=name).delete()
    else:
        UnitMembership.objects.filter(user=user, unit__name=name).delete()
