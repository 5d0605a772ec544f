"""Who sees initiatives, and who may state and change them: the team whose cost it is, or finance."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from apps.operations.people import seen_teams
from apps.savings.models import Initiative
from apps.savings.scopes import Scope
from apps.teams.approval import Actor, NotYours
from apps.teams.selectors import visible_teams

Reader = AbstractBaseUser | AnonymousUser


def seen_by(reader: Reader) -> QuerySet[Initiative]:
    """All that somebody may know of: what is of teams whose cost they see, and of those they lead."""
    found = Initiative.objects.order_by("pk")
    teams = seen_teams(reader)
    return found if teams is None else found.filter(team__in=teams)


def sees_cost(reader: Reader | None, one: Initiative) -> bool:
    """Whether somebody sees the cost an initiative is about: all of it is of teams whose cost they see. What it saved
    is told to everybody of its team, as its recommendation told what it would."""
    teams = None if reader is None else visible_teams(reader)
    return teams is None or (bool(one.scope.get("team")) and teams.issuperset(one.scope["team"]))


def may_change(actor: Actor, team: str) -> bool:
    return bool(actor.speaks_for((team,)))


def must_change(actor: Actor, team: str) -> None:
    if not may_change(actor, team):
        raise NotYours(f"Initiatives of {team} are for its members, or finance, to change; nothing was done.")


def owns(actor: Actor, scope: Scope) -> bool:
    """Whether all the cost of a scope is of teams somebody answers for."""
    return actor.teams is None or bool(set(scope.get("team", ())) and actor.teams.issuperset(scope["team"]))


def must_own(actor: Actor, scope: Scope, *, field: str = "scope") -> None:
    """Those who answer for some teams measure the cost of these teams only, and name no other to compare it with: a
    scope could tell others' cost."""
    if actor.teams is not None and not owns(actor, scope):
        raise NotYours(
            f"{field}: name a team of yours ({', '.join(sorted(actor.teams)) or 'you have none'}); cost of other teams "
            "is for finance to measure."
        )
