"""Who owns what was found, and who may decide about it: whoever pays, or finance."""

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Q

from apps.operations.models import Recommendation
from apps.teams.approval import Actor, NotYours, actor_of
from apps.teams.models import Membership, Team
from apps.teams.selectors import FINANCE, visible_teams

MACHINE = ""
"""Who makes the steps of the machine."""


def lead_of(team: str) -> User | None:
    """Whose a finding of a team is at first: the user with its lead's address, else its only member."""
    found = Team.objects.filter(name=team).first()
    if found is None:
        return None
    if found.lead_email:
        users = User.objects.filter(is_active=True, email__iexact=found.lead_email).order_by("pk")
        if lead := users.first():
            return lead
    members = Membership.objects.filter(team=found, user__is_active=True).select_related("user")[:2]
    return members[0].user if len(members) == 1 else None


def assignable(teams: Iterable[str]) -> list[User]:
    """Who can be given recommendations of some teams: members, leads, and those who answer for all teams."""
    named = Team.objects.filter(name__in=set(teams))
    wanted = Q(is_superuser=True) | Q(groups__name=FINANCE) | Q(memberships__team__in=named)
    for address in named.exclude(lead_email="").values_list("lead_email", flat=True):
        wanted |= Q(email__iexact=address)
    return list(User.objects.filter(wanted, is_active=True).distinct().order_by("username"))


def may_decide(actor: Actor, one: Recommendation) -> bool:
    return bool(actor.speaks_for((one.team,)))


def must_decide(actor: Actor, one: Recommendation) -> None:
    if not may_decide(actor, one):
        raise NotYours(f"Recommendation {one.pk} is for members of {one.team}, or finance, to decide about.")


def own_teams(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The teams somebody belongs to or leads; of those who answer for all teams, their own still."""
    if not isinstance(user, User):
        return frozenset()
    members = frozenset(Membership.objects.filter(user=user).values_list("team__name", flat=True))
    if not user.email:
        return members
    return members | frozenset(Team.objects.filter(lead_email__iexact=user.email).values_list("name", flat=True))


def seen_teams(user: AbstractBaseUser | AnonymousUser) -> frozenset[str] | None:
    """The teams whose recommendations somebody sees, None for all: those whose cost they see, and those they lead."""
    seen = visible_teams(user)
    return None if seen is None else seen | (actor_of(user).teams or frozenset())
