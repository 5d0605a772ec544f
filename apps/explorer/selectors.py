"""Reading views and annotations: what somebody may know of."""

from collections.abc import Collection
from datetime import date

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.explorer.models import Annotation, SavedView
from apps.finops.errors import CostOpsError
from apps.teams.access import speaks_whole
from apps.teams.selectors import visible_teams

Reader = AbstractBaseUser | AnonymousUser
MOST_MARKS = 40
"""On one figure; more would hide it."""


class NoSuchView(CostOpsError):
    """There is no such view, or its owner shares it with others."""


class NoSuchAnnotation(CostOpsError):
    """There is no such annotation for this person."""


def views_of(reader: Reader) -> QuerySet[SavedView]:
    """The views somebody may open, by name: their own, and what is shared with them; by a token for some teams what is
    shared alone, for one's own may name any team."""
    found = SavedView.objects.select_related("owner", "team").order_by("name", "pk")
    if not isinstance(reader, User):
        return found.none()
    seen = visible_teams(reader)
    shared = Q(shared="team") if seen is None else Q(shared="team", team__name__in=seen)
    told = Q(shared="everyone") | shared
    return found.filter(told | Q(owner=reader) if speaks_whole(reader) else told)


def view(number: int, reader: Reader) -> SavedView:
    found = views_of(reader).filter(pk=number).first()
    if found is None:
        raise NoSuchView(f"There is no view {number} that is yours or shared with you.")
    return found


def default_view(reader: Reader) -> SavedView | None:
    """What the explorer opens with, where somebody chose so."""
    return views_of(reader).filter(owner=reader, is_default=True).first() if isinstance(reader, User) else None


def pinned_by_views() -> set[int]:
    """The publications that views name, whoever keeps them."""
    named = (QueryDict(query).get("publication", "") for query in SavedView.objects.values_list("query", flat=True))
    return {int(number) for number in named if number.isascii() and number.isdecimal()}


def annotations(
    teams: frozenset[str] | None,
    *,
    first: date | None = None,
    last: date | None = None,
    team: str = "",
    but: Collection[str] = (),
) -> QuerySet[Annotation]:
    """What was written about days that touch these, in order: of the company, and of the teams somebody sees (None: of
    all) but some; only of the company and one team where a team is named."""
    found = Annotation.objects.select_related("team").order_by("first", "last", "pk")
    if teams is not None:
        found = found.filter(Q(team=None) | Q(team__name__in=teams))
    if team:
        found = found.filter(Q(team=None) | Q(team__name=team))
    if but:
        found = found.exclude(team__name__in=but)
    if first is not None:
        found = found.filter(last__gte=first)
    return found if last is None else found.filter(first__lte=last)


def annotation(number: int, teams: frozenset[str] | None) -> Annotation:
    found = annotations(teams).filter(pk=number).first()
    if found is None:
        raise NoSuchAnnotation(f"There is no annotation {number} of the company or of a team of yours.")
    return found
