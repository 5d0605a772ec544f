"""The kinds of channels: what each is asked for, and how a letter leaves by it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.channels import chat, markup, outbound, tickets, ways
from apps.channels.letters import Letter
from apps.channels.markup import Markup
from apps.finops.errors import CostOpsError
from apps.warehouse.sealed import Secrets

MOST_TEXT = 500


class BadChannel(CostOpsError):
    """What a channel is given cannot be used; nothing was changed."""


@dataclass(frozen=True)
class Going:
    """What leaves, and by what: `address` and `name` are whom a mail is for, `reference` is the ticket there is."""

    letter: Letter
    options: dict[str, str]
    secrets: Secrets
    address: str
    name: str
    now: datetime
    reference: str = ""


@dataclass(frozen=True)
class Field:
    """One fact of a channel. A secret one is sealed and never shown again. `check` says what is wrong with a text."""

    name: str
    title: Promise
    is_secret: bool = False
    is_needed: bool = True
    hint: str = ""
    check: Callable[[str], None] = lambda _text: None


@dataclass(frozen=True)
class Kind:
    """A kind: `send` returns what the other side calls it. Of a ticket every fact has one, which its end closes.
    `markup` is what the other side would read in names and typed words."""

    name: str
    title: Promise
    fields: tuple[Field, ...]
    send: Callable[[Going], str]
    is_ticket: bool = False
    markup: Markup = markup.PLAIN


def _url(text: str) -> None:
    outbound.check(text)


def _address(text: str) -> None:
    try:
        validate_email(text)
    except ValidationError as wrong:
        raise BadChannel("address: this is no e-mail address.") from wrong


def _fits(pattern: str, text: str) -> None:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise BadChannel("this cannot be used here.")


def _room(kind: str, text: str) -> None:
    if chat.ROOMS[kind].parts(text) is None:
        raise BadChannel(f"address: give it as the product shows it: {chat.ROOMS[kind].example}")


def _mail(going: Going) -> str:
    ways.mail(going.letter, going.address, going.name)
    return ""


def _webhook(going: Going) -> str:
    ways.webhook(going.letter, going.secrets.get("url", ""), going.secrets.get("secret", ""), going.now)
    return ""


def _ticket(tell: Callable[[Letter, Mapping[str, str], str, str], str], going: Going) -> str:
    return tell(going.letter, going.options, going.secrets.get("token", ""), going.reference)


def _said(kind: str, going: Going) -> str:
    chat.say(kind, going.secrets, going.letter, going.now)
    return ""


def _room_kind(name: str, title: Promise, read_as: Markup, *more: Field) -> Kind:
    hint = chat.ROOMS[name].example
    address = Field(
        "address", _("Address of the room's webhook"), is_secret=True, hint=hint, check=partial(_room, name)
    )
    return Kind(name, title, (address, *more), partial(_said, name), markup=read_as)


_URL = Field("url", _("Address"), hint="https://example.com/…", check=_url)
_TOKEN = Field("token", _("Token"), is_secret=True)

KINDS: tuple[Kind, ...] = (
    Kind(
        "email",
        _("E-mail"),
        (Field("address", _("E-mail address (empty: your own, or the lead's)"), is_needed=False, check=_address),),
        _mail,
    ),
    _room_kind("slack", _("Slack"), markup.SLACK),
    _room_kind("teams", _("Microsoft Teams"), markup.TEAMS),
    _room_kind(
        "dingtalk",
        _("DingTalk"),
        markup.DINGTALK,
        Field("sign", _("Signing secret (SEC…)"), is_secret=True, is_needed=False,
              check=partial(_fits, "[0-9A-Za-z]{8,120}")),
    ),
    _room_kind(
        "feishu",
        _("Feishu"),
        markup.FEISHU,
        Field("sign", _("Signing secret"), is_secret=True, is_needed=False,
              check=partial(_fits, "[0-9A-Za-z]{8,120}")),
    ),
    _room_kind("wecom", _("WeCom"), markup.WECOM),
    Kind(
        "webhook",
        _("Webhook, signed"),
        # Many products put what lets one in into the address itself.
        (replace(_URL, is_secret=True), Field("secret", _("Secret to sign with"), is_secret=True)),
        _webhook,
    ),
    Kind(
        "jira",
        _("Jira issue"),
        (
            _URL,
            Field("project", _("Key of the project"), hint="OPS", check=partial(_fits, "[A-Za-z][A-Za-z0-9_]{0,79}")),
            Field("issue_type", _("Type of issue"), is_needed=False, hint="Task"),
            Field("login", _("User (empty: the token is a personal one)"), is_needed=False),
            Field("done", _("Transition when it is over (-: none)"),
                  is_needed=False, hint="Done"),
            Field("again", _("Transition when it is back (-: none)"),
                  is_needed=False, hint="Reopen"),
            _TOKEN,
        ),
        partial(_ticket, tickets.jira),
        is_ticket=True,
        markup=markup.JIRA,
    ),
    Kind(
        "gitlab",
        _("GitLab issue"),
        (
            _URL,
            Field("project", _("Project: its path or number"), hint="platform/costs",
                  check=partial(_fits, "[A-Za-z0-9_./-]{1,255}")),
            Field("labels", _("Labels, comma-separated"), is_needed=False, hint="cost"),
            _TOKEN,
        ),
        partial(_ticket, tickets.gitlab),
        is_ticket=True,
        markup=markup.GITLAB,
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
NAMES = tuple(BY_NAME)


def read(kind: str, given: Mapping[str, str], kept: Secrets) -> tuple[dict[str, str], Secrets]:
    """The options and secrets of a channel as they are given; a secret left empty stays as it is kept."""
    if kind not in BY_NAME:
        raise BadChannel(f"kind: {kind[:20]!r} is not one of {', '.join(NAMES)}.")
    options: dict[str, str] = {}
    secrets = Secrets()
    for field in BY_NAME[kind].fields:
        text = given.get(field.name, "").strip()
        if field.is_secret and not text:
            text = kept.get(field.name, "")
        if len(text) > (2000 if field.is_secret else MOST_TEXT) or "\x00" in text:
            raise BadChannel(f"{field.name}: this is too long.")
        if not text and field.is_needed:
            raise BadChannel(f"{field.name}: this is needed.")
        if text:
            _check(field, text)
            (secrets if field.is_secret else options)[field.name] = text
    return options, secrets


def _check(field: Field, text: str) -> None:
    try:
        field.check(text)
    except CostOpsError as wrong:
        said = str(wrong) if str(wrong).startswith(f"{field.name}:") else f"{field.name}: {wrong}"
        raise BadChannel(said) from wrong
