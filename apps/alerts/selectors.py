"""Reading alerts, for those who may know of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Case, IntegerField, QuerySet, Value, When

from apps.alerts.models import Alert
from apps.channels.recipients import known_teams
from apps.finops.errors import CostOpsError
from apps.finops.notices import SEVERITIES

Reader = AbstractBaseUser | AnonymousUser
CURRENT, ANY = "current", "any"
STATES = (CURRENT, *(str(state) for state in Alert.State.values), ANY)
"""`current`: open or acknowledged."""


class NoSuchAlert(CostOpsError):
    """There is no such alert, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: `state` is one of STATES, the rest empty for any."""

    state: str = CURRENT
    rule: str = ""
    team: str = ""
    severity: str = ""


def seen_by(reader: Reader | None) -> QuerySet[Alert]:
    """All that somebody may know of; what is the company's is for those who see all. Without a reader everything."""
    if reader is None:
        return Alert.objects.all()
    teams = known_teams(reader) if isinstance(reader, User) else frozenset[str]()
    return Alert.objects.all() if teams is None else Alert.objects.filter(team__in=teams).exclude(team="")


def alerts(reader: Reader | None, wanted: Wanted) -> list[Alert]:
    return list(ordered(reader, wanted))


def ordered(reader: Reader | None, wanted: Wanted) -> QuerySet[Alert]:
    """Those somebody looks for: open ones first, the gravest, then the newest."""
    found = seen_by(reader)
    for name in ("rule", "team", "severity"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.state == CURRENT:
        found = found.exclude(state=Alert.State.RESOLVED)
    elif wanted.state != ANY:
        found = found.filter(state=wanted.state)
    places = {"state_place": _place("state", Alert.State.values), "gravity": _place("severity", SEVERITIES[::-1])}
    return found.annotate(**places).order_by(*places, "-opened_at", "-pk")


def _place(column: str, values: Iterable[str]) -> Case:
    whens = [When(**{column: value}, then=Value(place)) for place, value in enumerate(values)]
    return Case(*whens, output_field=IntegerField())


def find(number: int, reader: Reader | None) -> Alert:
    found = seen_by(reader).filter(pk=number).first()
    if found is None:
        raise NoSuchAlert(f"There is no alert {number}.")
    return found


def about_the_same(one: Alert) -> list[Alert]:
    """What else is so now about what an alert leads to, of the same team: whoever sees the one sees these."""
    if not one.link:
        return []
    same = Alert.objects.filter(link=one.link, team=one.team).exclude(pk=one.pk)
    return list(same.exclude(state=Alert.State.RESOLVED).order_by("pk"))
