"""Who may do what on the books: asked in one place, whichever door somebody comes through."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from apps.finops.errors import CostOpsError
from apps.marts.query import Scope
from apps.teams.access import access_of, may
from apps.teams.roles import Can
from apps.teams.selectors import visible_teams


class NotAllowed(CostOpsError):
    """Somebody may not do this; nothing was done."""


@dataclass(frozen=True)
class Actor:
    """Somebody by name; `scope` are the teams whose cost they may see, `teams` those they belong to."""

    name: str
    scope: Scope
    teams: frozenset[str] = frozenset()
    may_answer: bool = False
    may_book: bool = False

    def must_speak_for(self, team: str) -> None:
        """A dispute is opened, continued and withdrawn by the team, or by finance for it."""
        if team not in self.teams and not self.may_answer:
            raise NotAllowed(f"Only members of {team}, or finance, may do this.")

    def must_answer(self) -> None:
        if not self.may_answer:
            raise NotAllowed("Only finance answers and settles disputes.")

    def must_book(self) -> None:
        if not self.may_book:
            raise NotAllowed("Booking an entry needs the permission books.book_entry.")


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Somebody who is signed in; answering and booking is finance's, or of who sees all cost and was permitted to."""
    seen = visible_teams(user)
    if not isinstance(user, User) or not user.is_active:
        return Actor("", Scope(frozenset()))
    return Actor(
        name=user.get_username(),
        scope=Scope(seen),
        teams=access_of(user).own_of(Can.DISPUTE),
        may_answer=may(user, Can.ANSWER_DISPUTES),
        may_book=may(user, Can.BOOK_ENTRIES),
    )


def at_the_terminal(name: str) -> Actor:
    """Whoever sits at the terminal may do everything: they could as well write into the database."""
    return Actor(name, Scope(), may_answer=True, may_book=True)
