"""Who stands behind a channel, what they may know of now, and the channels of teams and users."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.channels.models import Channel
from apps.charts.labels import plain
from apps.teams.access import holders, people_of
from apps.teams.approval import actor_of
from apps.teams.models import Team
from apps.teams.roles import Role
from apps.teams.selectors import visible_teams


@dataclass(frozen=True)
class Recipient:
    """Whom a message is for, as things are now; `teams` are those they may know of, None for all."""

    name: str
    address: str
    teams: frozenset[str] | None

    def may_know(self, team: str) -> bool:
        """What is the company's (no team) is for those who see all."""
        return self.teams is None or team in self.teams


def recipient_of(channel: Channel) -> Recipient | None:
    """Who is reached; None when the channel is off or nobody is there any more."""
    if not channel.is_on or channel.is_removed:
        return None
    if channel.team is not None:
        team = channel.team
        address = channel.options.get("address") or team.lead_email
        return Recipient(plain(team.lead_name), address, frozenset({team.name})) if team.is_active else None
    user = channel.user
    if user is None or not user.is_active:
        return None
    return Recipient(plain(user.get_full_name()), user.email, known_teams(user))


def known_teams(user: User) -> frozenset[str] | None:
    """The teams somebody may know of: those whose cost they see, and those they lead; None for all."""
    seen, acts = visible_teams(user), actor_of(user).teams
    return None if seen is None or acts is None else seen | acts


def of_team(name: str, now: datetime) -> list[Channel]:
    """The channels of a team, and those its members made for themselves. A team that never had one is given one: mail
    to its lead."""
    team = Team.objects.filter(name=name, is_active=True).first()
    if team is None:
        return []
    if team.lead_email and not Channel.objects.filter(team=team).exists():
        _first(now, team=team)
    members = User.objects.filter(_people_of(team), is_active=True)
    return _usable(Q(team=team) | Q(user__in=members))


def of_lead(name: str) -> list[Channel]:
    """The channels of whoever leads a team."""
    team = Team.objects.filter(name=name, is_active=True).exclude(lead_email="").first()
    return _usable(Q(user__is_active=True, user__email__same_address=team.lead_email)) if team else []


def of_company(now: datetime) -> list[Channel]:
    """The channels of those who answer for the cost of all: finance, or superusers where nobody is that. Who
    never had one is given one: mail to their own address."""
    active = User.objects.filter(is_active=True)
    people = holders(Role.FINANCE)
    if not people.exists():
        people = active.filter(is_superuser=True)
    for user in people.filter(channels__isnull=True).exclude(email=""):
        _first(now, user=user)
    return _usable(Q(user__in=people))


def choosing(kind: str) -> list[Channel]:
    """The channels that chose to be told of a kind by its name."""
    return [channel for channel in _usable(~Q(kinds=[])) if kind in channel.kinds]


def told_of(thread: str) -> list[Channel]:
    """The channels that were told of a thread."""
    return _usable(Q(entries__thread=thread))


def _people_of(team: Team) -> Q:
    members = Q(pk__in=people_of(team).values("pk"))
    return members | Q(email__same_address=team.lead_email) if team.lead_email else members


def _usable(whose: Q) -> list[Channel]:
    found = Channel.objects.filter(whose, is_on=True, is_removed=False).distinct()
    return list(found.select_related("user", "team").order_by("pk"))


def _first(now: datetime, *, user: User | None = None, team: Team | None = None) -> None:
    with override(settings.LANGUAGE_CODE):
        name = _("E-mail")
    facts = {"kind": "email", "name": name, "created_at": now}
    Channel.objects.get_or_create(user=user, team=team, created_by="", defaults=facts)
