"""Channels as pages show them: the list, the form of one, and what was delivered. A secret is never among it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.alerts.rules import RULES
from apps.channels import kinds, selectors
from apps.channels.letters import SEVERITY_WORDS
from apps.channels.models import Channel, Message
from apps.channels.recipients import recipient_of
from apps.channels.selectors import STATES, Reader
from apps.dashboards.faults import said
from apps.finops.notices import SEVERITIES
from apps.marts.query import BadQuestion
from apps.operations.telling import KIND as RECOMMENDATIONS
from apps.teams.models import Team
from apps.warehouse.sealed import SecretUnreadable, unseal
from apps.warehouse.sentences import told_of

MESSAGE_WORDS: dict[str, Promise] = {
    "waiting": gettext_lazy("waiting"),
    "sending": gettext_lazy("being sent"),
    "sent": gettext_lazy("sent"),
    "failed": gettext_lazy("given up"),
    "dropped": gettext_lazy("not sent"),
}
MESSAGE_TONES = {"waiting": "warning", "sending": "running", "sent": "ok", "failed": "error", "dropped": ""}
MOST = 200


@dataclass(frozen=True)
class Line:
    """A channel in the list, in words."""

    channel: Channel
    kind: str
    whom: str
    where: str
    is_mine: bool
    wants: str
    quiet: str
    given_up: int


@dataclass(frozen=True)
class ChannelsPage:
    """The channels of somebody and of their teams, and what can be added."""

    lines: tuple[Line, ...]
    kinds: tuple[tuple[str, str], ...]
    teams: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """A field of the form of a channel; of a secret only whether it is kept."""

    name: str
    title: str
    hint: str
    value: str
    is_secret: bool
    is_kept: bool
    is_needed: bool


@dataclass(frozen=True)
class FormPage:
    """The form of a channel, new or not."""

    channel: Channel | None
    kind: kinds.Kind
    team: str
    whom: str
    entries: tuple[Entry, ...]
    wishes: Mapping[str, str]
    chosen: tuple[str, ...]
    severities: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str], ...]
    languages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Delivery:
    """A message in the log."""

    message: Message
    titles: tuple[str, ...]
    more: int
    whom: str
    kind: str
    state: str
    tone: str
    error: str


@dataclass(frozen=True)
class DeliveriesPage:
    """What was sent, the newest first."""

    lines: tuple[Delivery, ...]
    states: tuple[tuple[str, str], ...]
    state: str
    channel: Channel | None


def called(channel: Channel) -> tuple[str, str]:
    """Whom a channel reaches, and by what."""
    whom = str(channel.team) if channel.team else channel.user.get_username() if channel.user else ""
    kind = kinds.BY_NAME.get(channel.kind)
    return whom, str(kind.title) if kind else channel.kind


def channels(reader: Reader) -> ChannelsPage:
    """What somebody decides about."""
    found = selectors.channels(reader)
    given_up = selectors.given_up(reader, found)
    return ChannelsPage(
        lines=tuple(_line(one, reader, given_up.get(one.pk, 0)) for one in found),
        kinds=tuple((kind.name, str(kind.title)) for kind in kinds.KINDS),
        teams=tuple((team.name, str(team)) for team in selectors.owned_teams(reader)),
    )


def _line(channel: Channel, reader: Reader, given_up: int) -> Line:
    whom, kind = called(channel)
    to = recipient_of(channel) if channel.kind == "email" else None
    where = to.address if to else channel.options.get("url", "")
    return Line(channel, kind, whom, where, channel.user_id == reader.pk, _wants(channel), _quiet(channel), given_up)


def _wants(channel: Channel) -> str:
    """What it wants, in one sentence."""
    least = _("%(severity)s and graver") % {"severity": SEVERITY_WORDS[channel.least]}
    least = _("everything") if channel.least == SEVERITIES[0] else least
    titles = [title for name, title in _notices() if name in channel.kinds]
    told = _(", ").join(titles)
    return _("%(severity)s: %(kinds)s") % {"severity": least, "kinds": told} if told else least


def _notices() -> tuple[tuple[str, str], ...]:
    """What a channel can choose to be told of: each rule of alerts, and what becomes of recommendations."""
    return *((rule.name, str(rule.title)) for rule in RULES), (RECOMMENDATIONS, _("Recommendation steps"))


def _quiet(channel: Channel) -> str:
    parts = []
    if channel.quiet_from and channel.quiet_until:
        parts.append(
            _("quiet from %(begin)s to %(end)s (%(zone)s)")
            % {
                "begin": f"{channel.quiet_from:%H:%M}", "end": f"{channel.quiet_until:%H:%M}",
                "zone": channel.time_zone or settings.COSTOPS_TIME_ZONE,
            }
        )  # fmt: skip
    if channel.group_minutes:
        count = channel.group_minutes
        parts.append(ngettext("together within %(count)d minute", "together within %(count)d minutes", count)
                     % {"count": count})  # fmt: skip
    return " · ".join(parts)


def form(
    channel: Channel | None, kind: str, team: str, given: Mapping[str, str], chosen: Sequence[str], language: str
) -> FormPage:
    """The form of a channel, with what was written before; secrets are never written back."""
    if kind not in kinds.BY_NAME:
        raise BadQuestion(f"kind: {kind[:20]!r} is not one of {', '.join(kinds.NAMES)}")
    whom = called(channel)[0] if channel else str(Team.objects.filter(name=team).first() or "")
    fields = [f for f in kinds.BY_NAME[kind].fields if not (kind == "email" and f.name == "address" and not team)]
    options, kept = (channel.options, _kept(channel)) if channel else ({}, frozenset[str]())
    return FormPage(
        channel=channel,
        kind=kinds.BY_NAME[kind],
        team=team,
        whom=whom,
        entries=tuple(
            Entry(
                field.name, str(field.title), field.hint,
                "" if field.is_secret else given.get(field.name, options.get(field.name, "")),
                field.is_secret, field.name in kept, field.is_needed and field.name not in kept,
            )
            for field in fields
        ),
        wishes=_wishes(channel, language) | dict(given),
        chosen=tuple(chosen) if given else tuple(channel.kinds if channel else ()),
        severities=tuple((name, str(SEVERITY_WORDS[name])) for name in SEVERITIES),
        rules=_notices(),
        languages=tuple((code, str(name)) for code, name in settings.LANGUAGES),
    )  # fmt: skip


def labels(kind: str) -> dict[str, str]:
    """What the fields of a kind are called, by their names."""
    fields = kinds.BY_NAME[kind].fields if kind in kinds.BY_NAME else ()
    return {field.name: str(field.title) for field in fields}


def _kept(channel: Channel) -> frozenset[str]:
    """The names of the secrets that are kept; of those that cannot be opened none."""
    try:
        return frozenset(unseal(channel.secrets))
    except SecretUnreadable:
        return frozenset()


def _wishes(channel: Channel | None, language: str) -> dict[str, Any]:
    if channel is None:
        return {"least": SEVERITIES[0], "group_minutes": "5", "language": language, "is_on": "yes",
                "time_zone": settings.COSTOPS_TIME_ZONE}  # fmt: skip
    clocks = {name: getattr(channel, name) for name in ("quiet_from", "quiet_until")}
    return {
        "name": channel.name, "least": channel.least, "group_minutes": str(channel.group_minutes),
        "language": channel.language, "is_on": "yes" if channel.is_on else "no", "time_zone": channel.time_zone,
        **{name: f"{clock:%H:%M}" if clock else "" for name, clock in clocks.items()},
    }  # fmt: skip


def deliveries(reader: Reader, *, state: str, channel: Channel | None) -> DeliveriesPage:
    """What was sent by the channels of somebody."""
    if state not in ("", *STATES):
        raise BadQuestion(f"state: {state[:20]!r} is not one of {', '.join(STATES)}")
    found = selectors.deliveries(reader, state=state, channel=channel.pk if channel else None, limit=MOST)
    return DeliveriesPage(
        lines=tuple(_delivery(message) for message in found),
        states=tuple((name, str(word)) for name, word in MESSAGE_WORDS.items()),
        state=state,
        channel=channel,
    )


def _delivery(message: Message) -> Delivery:
    entries = sorted(message.entries.all(), key=lambda one: one.pk)
    whom, kind = called(message.channel)
    return Delivery(
        message=message,
        titles=tuple(told_of(entry.title) for entry in entries[:3]),
        more=max(0, len(entries) - 3),
        whom=whom,
        kind=kind,
        state=str(MESSAGE_WORDS[message.state]),
        tone=MESSAGE_TONES[message.state],
        error=said(message.error),
    )
