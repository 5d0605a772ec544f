"""Reading recommendations, for those who may know of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet

from apps.finops.errors import CostOpsError
from apps.operations.models import Recommendation
from apps.operations.overlaps import Promise, is_about_the_same, promise
from apps.operations.people import own_teams, seen_teams
from apps.operations.states import OPEN

WHOSE = ("mine", "teams", "all")
ANY, UNDECIDED = "any", "open"
STATES = (UNDECIDED, *Recommendation.State.values, ANY)
Reader = AbstractBaseUser | AnonymousUser


class NoSuchRecommendation(CostOpsError):
    """There is no such recommendation, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: `whose` is one of WHOSE, `state` one of STATES, the rest empty for any."""

    whose: str = "all"
    kind: str = ""
    team: str = ""
    state: str = UNDECIDED
    currency: str = ""


def seen_by(reader: Reader) -> QuerySet[Recommendation]:
    """All that somebody may know of: what is of teams whose cost they see, and of those they lead."""
    found = Recommendation.objects.select_related("assignee").order_by("pk")
    teams = seen_teams(reader)
    return found if teams is None else found.filter(team__in=teams)


def recommendations(reader: Reader, wanted: Wanted) -> list[Recommendation]:
    """Those somebody looks for, in each currency the most money first."""
    return in_order(_narrowed(seen_by(reader), reader, wanted))


def of_everybody(wanted: Wanted) -> list[Recommendation]:
    """The same for whoever sits at the terminal, and for letters."""
    return in_order(_narrowed(Recommendation.objects.select_related("assignee"), AnonymousUser(), wanted))


def find(number: int, reader: Reader | None) -> Recommendation:
    """One recommendation; without a reader, whoever's it is."""
    found = Recommendation.objects.select_related("assignee") if reader is None else seen_by(reader)
    one = found.filter(pk=number).first()
    if one is None:
        raise NoSuchRecommendation(f"There is no recommendation {number}.")
    return one


def find_all(numbers: Iterable[int], reader: Reader | None) -> list[Recommendation]:
    """Each of them, or none: what is not there is told by its number."""
    return [find(number, reader) for number in dict.fromkeys(numbers)]


def beside(one: Recommendation, reader: Reader | None) -> tuple[list[Recommendation], Promise]:
    """What else is open and would save some of the same, or asks about it, as far as somebody may know of it; and what
    all that is open promises together."""
    found = Recommendation.objects.all() if reader is None else seen_by(reader)
    rows = list(found.filter(currency=one.currency, state__in=OPEN))
    same = [other for other in rows if other.pk != one.pk and is_about_the_same(one, other)]
    return in_order(same), promise(rows)


def in_order(rows: Iterable[Recommendation]) -> list[Recommendation]:
    """By currency, then the most money first; a saving before what merely asks."""
    return sorted(rows, key=place_of)


def place_of(one: Recommendation) -> tuple[str, Decimal, Decimal, date, int]:
    return one.currency, -one.saving, -one.amount, one.due, one.pk


def promised(found: Iterable[Recommendation], wanted: Wanted) -> Promise:
    """What those found promise together; among those in any state only the open ones promise something."""
    return promise(one for one in found if wanted.state != ANY or one.state in OPEN)


def _narrowed(found: QuerySet[Recommendation], reader: Reader, wanted: Wanted) -> QuerySet[Recommendation]:
    for name in ("kind", "team", "currency"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.state != ANY:
        found = found.filter(state__in=OPEN if wanted.state == UNDECIDED else (wanted.state,))
    if wanted.whose == "mine":
        found = found.filter(assignee=reader if isinstance(reader, User) else None)
    elif wanted.whose == "teams":
        found = found.filter(team__in=own_teams(reader))
    return found
