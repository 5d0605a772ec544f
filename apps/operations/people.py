"""Who owns what was found, and who may decide about it: whoever pays, or finance."""

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Q

from apps.operations.models import Recommendation
from apps.teams.access import access_of, holders, people_of
from apps.teams.approval import Actor, NotYours, actor_of
from apps.teams.models import Team
from apps.teams.roles import Can, Role
from apps.teams.selectors import visible_teams

MACHINE = ""
"""Who makes the steps of the machine."""


def lead_of(team: str) -> User | None:
    """Whose a finding of a team is at first: the user with its lead's address, else its only member."""
    found = Team.objects.filter(name=team).first()
    if found is None:
        return None
    if found.lead_email:
        users = User.objects.filter(is_active=True, email__same_address=found.lead_email).order_by("pk")
        if lead := users.first():
            return lead
    members = people_of(found)[:2]
    return members[0] if len(members) == 1 else None


def assignable(teams: Iterable[str]) -> list[User]:
    """Who can be given recommendations of some teams: members, leads, and those who answer for all teams."""
    named = list(Team.objects.filter(name__in=set(teams)))
    wanted = Q(is_superuser=True) | Q(pk__in=holders(Role.FINANCE).values("pk"))
    wanted |= Q(pk__in=people_of(*named).values("pk"))
    for address in {team.lead_email for team in named if team.lead_email}:
        wanted |= Q(email__same_address=address)
    return list(User.objects.filter(wanted, is_active=True).distinct().order_by("username"))


def may_decide(actor: Actor, one: Recommendation) -> bool:
    return bool(actor.speaks_for((one.team,)))


def must_decide(actor: Actor, one: Recommendation) -> None:
    if not may_decide(actor, one):
        raise NotYours(f"Recommendation {one.pk} is for members of {one.team}, or finance, to decide about.")


def own_teams(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The teams somebody belongs to or leads; of those who answer for all teams, their own still."""
    return access_of(user).own_of(Can.DECIDE)


def seen_teams(user: AbstractBaseUser | AnonymousUser) -> frozenset[str] | None:
    """The teams whose recommendations somebody sees, None for all: those whose cost they see, and those they lead."""
    seen = visible_teams(user)
    return None if seen is None else seen | (actor_of(user).teams or frozenset())
