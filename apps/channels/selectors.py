"""Reading channels and what was delivered, for those they belong to."""

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Prefetch, Q, QuerySet

from apps.channels.models import TEST, Channel, Entry, Message
from apps.channels.recipients import known_teams
from apps.finops.errors import CostOpsError
from apps.teams.approval import actor_of
from apps.teams.models import Team

Reader = AbstractBaseUser | AnonymousUser
STATES = tuple(str(state) for state in Message.State.values)


class NoSuchChannel(CostOpsError):
    """There is no such channel or message, or it is not for the caller to know of."""


def owned_teams(reader: Reader) -> list[Team]:
    """The active teams whose channels somebody decides about."""
    teams = actor_of(reader).teams
    found = Team.objects.filter(is_active=True).order_by("name")
    return list(found if teams is None else found.filter(name__in=teams))


def channels(reader: Reader | None) -> list[Channel]:
    """The channels of somebody: their own first, then those of their teams; without a reader all."""
    found = Channel.objects.filter(_owned(reader), is_removed=False).select_related("user", "team")
    return list(found.order_by("team__name", "pk"))


def find(number: int, reader: Reader | None) -> Channel:
    for channel in channels(reader):
        if channel.pk == number:
            return channel
    raise NoSuchChannel(f"There is no channel {number}.")


def deliveries(
    reader: Reader | None, *, state: str = "", channel: int | None = None, limit: int = 200
) -> list[Message]:
    """The newest of `found_deliveries`."""
    return list(found_deliveries(reader, state=state, channel=channel)[:limit])


def found_deliveries(reader: Reader | None, *, state: str = "", channel: int | None = None) -> QuerySet[Message]:
    """Messages, the newest first: of their own channels and those of their teams; without a reader all. `entries` are
    those that they may know of."""
    found = _messages(reader)
    if state:
        found = found.filter(state=state)
    return found if channel is None else found.filter(channel=channel)


def delivery(number: int, reader: Reader | None) -> Message:
    found = _messages(reader).filter(pk=number).first()
    if found is None:
        raise NoSuchChannel(f"There is no delivery {number}.")
    return found


def about(thread: str) -> list[Message]:
    """All that was sent about one fact, to whomever; a ticket's number is the `reference` of its message."""
    found = Message.objects.filter(entries__thread=thread).distinct()
    return list(found.select_related("channel__user", "channel__team").order_by("pk"))


def given_up(reader: Reader | None, of: Iterable[Channel]) -> dict[int, int]:
    """How many messages of each channel were given up."""
    counts: dict[int, int] = {}
    for pk in _messages(reader).filter(state=Message.State.FAILED, channel__in=of).values_list("channel", flat=True):
        counts[pk] = counts.get(pk, 0) + 1
    return counts


def _messages(reader: Reader | None) -> QuerySet[Message]:
    mine = Channel.objects.filter(_owned(reader))
    found = Message.objects.filter(channel__in=mine).select_related("channel__user", "channel__team")
    return found.prefetch_related(Prefetch("entries", _known_to(reader))).order_by("-pk")


def _known_to(reader: Reader | None) -> QuerySet[Entry]:
    """What of a message its reader may know of now: it may have been written for who they were, and dropped since."""
    teams = known_teams(reader) if isinstance(reader, User) else None
    return Entry.objects.all() if teams is None else Entry.objects.filter(Q(team__in=teams) | Q(kind=TEST))


def _owned(reader: Reader | None) -> Q:
    if reader is None:
        return Q()
    if not isinstance(reader, User):
        return Q(pk__in=())
    actor = actor_of(reader)
    of_teams = Q(team__isnull=False) if actor.teams is None else Q(team__name__in=actor.teams)
    return of_teams | Q(user=reader) if actor.is_whole else of_teams
