"""Channels of a small company, and notices to send by them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User

from apps.channels import services
from apps.channels.delivering import deliver_due
from apps.channels.kinds import read
from apps.channels.models import Channel, Entry, Message
from apps.finops.findings import Sentence
from apps.finops.notices import Notice
from apps.teams.models import Membership, Team
from apps.teams.roles import FINANCE
from apps.warehouse.sealed import Secrets, seal

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)


def hire() -> dict[str, User]:
    """Li Lei leads `live`, Mei works in `data`, Han is finance."""
    found = {name: User.objects.create_user(name, f"{name}@example.com") for name in ("lilei", "mei", "han")}
    live = Team.objects.create(name="live", title="直播", lead_name="李雷", lead_email="lilei@example.com")
    for name, team in (("lilei", live), ("mei", Team.objects.create(name="data"))):
        Membership.objects.create(user=found[name], team=team)
    found["han"].groups.add(Group.objects.get_or_create(name=FINANCE)[0])
    return found


def a_channel(kind: str = "email", *, team: str = "live", user: User | None = None, **given: Any) -> Channel:
    """A channel that waits for no others; `given` are its fields, options and secrets."""
    if user is None and not Team.objects.filter(name=team).exists():
        hire()
    fields = {name: given.pop(name) for name in list(given) if not hasattr(Channel, name)}
    options, secrets = read(kind, fields, Secrets())
    facts = {"name": "ours", "group_minutes": 0, "created_by": "lilei", "created_at": NOW} | given
    whose: dict[str, Any] = {"user": user} if user else {"team": Team.objects.get(name=team)}
    return Channel.objects.create(**whose, kind=kind, options=options, secrets=seal(secrets), **facts)


def a_notice(key: str = "alert 1 1 warning", **given: Any) -> Notice:
    facts = {
        "key": key, "severity": "warning", "title": Sentence("The budget %(name)s is spent", {"name": "live 2026"}),
        "lines": (Sentence("%(share)s %% of it", {"share": "101"}),), "link": "/alerts/", "team": "live",
        "kind": "budget", "thread": "alert 1 1",
    }  # fmt: skip
    return Notice(**(facts | given))


def send(*notices: Notice, to: Channel, at: datetime = NOW) -> int:
    return sum(services.send(notice, to=[to], now=at) for notice in notices)


def deliver(at: datetime = NOW, **after: float) -> dict[str, int]:
    return deliver_due(lambda: at + timedelta(**after))


def told(channel: Channel) -> list[str]:
    return list(Entry.objects.filter(channel=channel).order_by("pk").values_list("key", flat=True))


def the_message() -> Message:
    return Message.objects.get()
