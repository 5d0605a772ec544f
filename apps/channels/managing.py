"""What people do with their channels: add, change, remove, try; their own, and those of teams they speak for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from apps.channels import delivering, kinds
from apps.channels.delivering import Clock
from apps.channels.kinds import BadChannel
from apps.channels.models import TEST, Channel, Entry, Message
from apps.channels.recipients import recipient_of
from apps.channels.services import put
from apps.finops.findings import Sentence
from apps.finops.notices import SEVERITIES, Notice
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Team
from apps.warehouse.sealed import Secrets, seal, seal_again, unseal

MOST_CHANNELS = 30
MOST_TESTS = 10
"""Of one channel, and to one mail address by whatever channels, in an hour."""
MOST_TESTS_BY_ONE = 30
"""By one person in an hour, by whatever channels: of each as many as they may have, once."""
MOST_MINUTES = 24 * 60
TEST_TITLE = "This is a test: %(channel)s reaches you"
TEST_LINE = "%(user)s asked for it. Nothing happened, and nothing is to be done"


@dataclass(frozen=True)
class Wishes:
    """How somebody wants to be told; see `Channel`."""

    name: str = ""
    least: str = SEVERITIES[0]
    kinds: tuple[str, ...] = ()
    quiet_from: time | None = None
    quiet_until: time | None = None
    time_zone: str = ""
    group_minutes: int = 5
    language: str = ""
    is_on: bool = True


def read_wishes(given: Mapping[str, str], chosen: tuple[str, ...] = ()) -> Wishes:
    """Wishes as a form or a terminal gives them."""
    minutes = given.get("group_minutes", "").strip() or "5"
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        raise BadChannel("group_minutes: give whole minutes, such as 5.")
    return Wishes(
        name=given.get("name", "").strip(),
        least=given.get("least", "").strip() or SEVERITIES[0],
        kinds=chosen,
        quiet_from=_clock("quiet_from", given),
        quiet_until=_clock("quiet_until", given),
        time_zone=given.get("time_zone", "").strip(),
        group_minutes=int(minutes),
        language=given.get("language", "").strip(),
        is_on=given.get("is_on", "") not in ("", "no", "false"),
    )


def _clock(name: str, given: Mapping[str, str]) -> time | None:
    text = given.get(name, "").strip()
    try:
        return time.fromisoformat(text).replace(tzinfo=None) if text else None
    except ValueError:
        raise BadChannel(f"{name}: give an hour such as 22:00.") from None


def add(
    owner: User | Team, kind: str, given: Mapping[str, str], wishes: Wishes, *, by: Actor, now: datetime
) -> Channel:
    """A new channel of a user or a team."""
    whose: dict[str, Any] = {"user": owner} if isinstance(owner, User) else {"team": owner}
    channel = Channel(**whose, kind=kind, created_by=by.name, created_at=now)
    must_own(by, channel)
    if Channel.objects.filter(**whose, is_removed=False).count() >= MOST_CHANNELS:
        raise BadChannel(f"There are {MOST_CHANNELS} channels already; remove one first.")
    _set(channel, given, wishes, Secrets())
    channel.save()
    return channel


def change(channel: Channel, given: Mapping[str, str], wishes: Wishes, *, by: Actor) -> None:
    """Change a channel. Secrets not given again stay, unless they would go to another place than they were for."""
    must_own(by, channel)
    place = given.get("url", "").strip() or given.get("address", "").strip()
    moved = bool(place) and place != channel.options.get("url", "")
    _set(channel, given, wishes, Secrets() if moved else unseal(channel.secrets, again="change the channel"))
    channel.save()


def remove(channel: Channel, *, by: Actor) -> None:
    """Take a channel away, with its secrets; what was delivered by it stays to be seen."""
    must_own(by, channel)
    with transaction.atomic():
        Channel.objects.filter(pk=channel.pk).update(is_removed=True, is_on=False, secrets="")
        Message.objects.filter(channel=channel, state=Message.State.WAITING).update(
            state=Message.State.DROPPED, error="The channel was removed."
        )


def owns(by: Actor, channel: Channel) -> bool:
    """Whose it is: the user's alone, whom it tells of all they may know; of a team, its members and finance."""
    if channel.team is not None:
        return bool(by.speaks_for((channel.team.name,)))
    return channel.user is not None and by.is_one(channel.user.get_username())


def must_own(by: Actor, channel: Channel) -> None:
    if not owns(by, channel):
        raise NotYours(
            "A channel is for the user it belongs to, or for members of its team and finance, to decide about."
        )


def test(channel: Channel, *, by: Actor, clock: Clock) -> Message:
    """Send a test at once, whatever the hour; the message tells what became of it."""
    must_own(by, channel)
    now = clock()
    key = f"{TEST} {uuid4().hex}"
    words = {"channel": channel.name, "user": by.name or "CostOps"}
    notice = Notice(key, "critical", Sentence(TEST_TITLE, words), (Sentence(TEST_LINE, words),), kind=TEST)
    with transaction.atomic():
        _must_not_flood(channel, by, now)
        put(notice, channel, now=now)
    message = Message.objects.get(entries__key=key)
    if claimed := delivering.claim(message.pk, now):
        delivering.deliver(claimed, clock)
    # Who waits for the answer tries again by hand; a test that arrives hours later would only puzzle.
    Message.objects.filter(pk=message.pk, state=Message.State.WAITING).update(state=Message.State.FAILED)
    message.refresh_from_db()
    return message


def _must_not_flood(channel: Channel, by: Actor, now: datetime) -> None:
    """Removed channels count too: who removes and adds one sends no more than who does not. One test is counted at a
    time, whosoever: a person and an address may have several channels."""
    list(Channel.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    recent = Entry.objects.filter(kind=TEST, created_at__gt=now - timedelta(hours=1))
    if recent.filter(channel=channel).count() >= MOST_TESTS:
        raise BadChannel(f"It was tried {MOST_TESTS} times within an hour; try again later.")
    if by.name and recent.filter(lines__0__values__user=by.name).count() >= MOST_TESTS_BY_ONE:
        raise BadChannel(f"{by.name} tried channels {MOST_TESTS_BY_ONE} times within an hour; try again later.")
    to = recipient_of(channel)
    if channel.kind != "email" or to is None:
        return
    if recent.filter(message__recipient__same_address=to.address[:254]).count() >= MOST_TESTS:
        raise BadChannel(f"{to.address} got {MOST_TESTS} tests within an hour; try again later.")


def seal_all_again() -> int:
    """Encrypt the secrets of every channel under the newest key; of how many."""
    with transaction.atomic():
        found = list(Channel.objects.select_for_update().exclude(secrets=""))
        for channel in found:
            Channel.objects.filter(pk=channel.pk).update(secrets=seal_again(channel.secrets))
    return len(found)


def _set(channel: Channel, given: Mapping[str, str], wishes: Wishes, kept: Secrets) -> None:
    if channel.user is not None and channel.kind == "email" and given.get("address", "").strip():
        raise BadChannel("address: mail to yourself goes to your own address; ask an administrator to change that.")
    options, secrets = kinds.read(channel.kind, given, kept)
    _check(wishes)
    channel.options, channel.secrets = options, seal(secrets)
    channel.name = wishes.name or str(kinds.BY_NAME[channel.kind].title)
    for name in ("least", "quiet_from", "quiet_until", "time_zone", "group_minutes", "language", "is_on"):
        setattr(channel, name, getattr(wishes, name))
    channel.kinds = list(wishes.kinds)


def _check(wishes: Wishes) -> None:
    if len(wishes.name) > 80 or "\x00" in wishes.name:
        raise BadChannel("name: at most 80 characters.")
    if wishes.least not in SEVERITIES:
        raise BadChannel(f"least: {wishes.least[:20]!r} is not one of {', '.join(SEVERITIES)}.")
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        raise BadChannel("quiet_until: give both hours, from and until, or none.")
    if wishes.time_zone and not _is_zone(wishes.time_zone):
        raise BadChannel("time_zone: give a time zone such as Asia/Shanghai.")
    if wishes.group_minutes > MOST_MINUTES:
        raise BadChannel(f"group_minutes: at most {MOST_MINUTES}.")
    if wishes.language and wishes.language not in dict(settings.LANGUAGES):
        raise BadChannel(f"language: it is not one of {', '.join(dict(settings.LANGUAGES))}.")


def _is_zone(name: str) -> bool:
    return name in available_timezones() and bool(ZoneInfo(name))
