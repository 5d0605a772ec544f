"""Who sees a budget: those who see all of what it is of, and those who answer for it. Who sets one: finance."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from apps.budgets.models import Budget, BudgetVersion
from apps.teams.approval import Actor, NotYours, actor_of
from apps.teams.organising import tree
from apps.teams.selectors import visible_teams
from apps.teams.tree import LEVELS


def seen_teams(user: AbstractBaseUser | AnonymousUser) -> frozenset[str] | None:
    """The teams whose budgets somebody sees, None for all: those whose cost they see, and those they lead."""
    seen = visible_teams(user)
    return None if seen is None else seen | (actor_of(user).teams or frozenset())


def is_seen(budget: Budget, version: BudgetVersion, teams: frozenset[str] | None) -> bool:
    """Whether whoever sees these teams sees a budget: its owners, and whoever sees every team that it is of.

    Finance makes a team the owner of what is not of one team, such as a service; that shows the team what it costs.
    """
    if teams is None or version.owner_team in teams:
        return True
    if budget.dimension == "team":
        return budget.value in teams
    within = _teams_within(budget)
    return bool(within) and within <= teams


def _teams_within(budget: Budget) -> frozenset[str]:
    """Every team that ever stood in a part of the organisation; none for what is not a part of it."""
    if budget.dimension not in LEVELS:
        return frozenset()
    known = tree()
    return frozenset(
        team for team in known.teams for spot in known.spots(team) if budget.value in spot.above(budget.dimension)
    )


def must_be_finance(by: Actor) -> None:
    if by.teams is not None:
        raise NotYours("Finance does this; nothing was changed.")


def may_own(user: User, team: str) -> bool:
    """Whether somebody sees what a team's budgets tell: they can be asked about it."""
    seen = seen_teams(user)
    return seen is None or team in seen
