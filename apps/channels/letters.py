"""A message in the words of whoever reads it: for mail, for a room, and as JSON for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.channels.markup import PLAIN, Markup
from apps.channels.models import Entry, Message
from apps.charts.labels import plain
from apps.finops.notices import SEVERITIES
from apps.warehouse.sentences import told_of

VERSION = 1
"""Of the JSON; a field is added without a new number, none is taken away or changes its meaning."""
MOST_SUBJECT = 140
MOST_LINE = 600
MOST_CHAT = 2800
"""What the narrowest room takes in one piece."""
MOST_TOLD = 50
SEVERITY_WORDS: dict[str, Promise] = {
    "info": gettext_lazy("information"),
    "warning": gettext_lazy("warning"),
    "critical": gettext_lazy("critical"),
}


@dataclass(frozen=True)
class Told:
    """A notice in the reader's language."""

    entry: Entry
    title: str
    lines: tuple[str, ...]
    link: str


@dataclass(frozen=True)
class Letter:
    """What is sent: `text` for mail, `chat` for a room, `payload` for programs."""

    message_id: str
    severity: str
    subject: str
    text: str
    chat: str
    notices: tuple[Told, ...]
    payload: dict[str, Any]


def write(message: Message, entries: Sequence[Entry], language: str, markup: Markup = PLAIN) -> Letter:
    """A message in a language, its words made harmless for whoever shows them; the same message is the same letter,
    whenever it is written. The JSON holds the words as they are."""
    with translation.override(language or settings.LANGUAGE_CODE):
        notices = tuple(_told(entry) for entry in entries)
        gravest = max((entry.severity for entry in entries), key=SEVERITIES.index)
        text = _text(notices, markup)
        return Letter(
            message_id=message.message_id,
            severity=gravest,
            subject=markup.title(_subject(notices, gravest)),
            text=text,
            chat=_shortened(text),
            notices=notices,
            payload=_payload(message, notices),
        )


def site() -> str:
    return str(settings.COSTOPS_SITE_URL).rstrip("/")


def _told(entry: Entry) -> Told:
    return Told(
        entry,
        plain(told_of(entry.title), limit=MOST_LINE),
        tuple(plain(told_of(line), limit=MOST_LINE) for line in entry.lines),
        f"{site()}{entry.link}" if entry.link else "",
    )


def _subject(notices: Sequence[Told], gravest: str) -> str:
    if len(notices) == 1:
        title = notices[0].title
    else:
        first, others = notices[0].title, len(notices) - 1
        more = ngettext("and %(count)d more", "and %(count)d more", others) % {"count": others}
        title = f"{plain(first, limit=100)} · {more}"
    mark = _("over") if all(one.entry.is_over for one in notices) else SEVERITY_WORDS[gravest]
    return plain(f"{settings.COSTOPS_COMPANY}: {mark}: {title}", limit=MOST_SUBJECT)


def _text(notices: Sequence[Told], markup: Markup) -> str:
    parts = []
    for one in notices[:MOST_TOLD]:
        mark = _("over") if one.entry.is_over else SEVERITY_WORDS[one.entry.severity]
        lines = (f"[{mark}] {markup.line(one.title)}", *map(markup.line, one.lines), one.link)
        parts.append("\n".join(filter(None, lines)))
    if len(notices) > MOST_TOLD:
        parts.append(f"{_('All of them:')} {site()}/alerts/")
    return "\n\n".join(parts)


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_CHAT else f"{text[: MOST_CHAT - 1]}…"


def _payload(message: Message, notices: Sequence[Told]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "id": message.message_id,
        "created_at": message.created_at.isoformat(),
        "channel": message.channel.name,
        "notices": [
            {
                "key": one.entry.key, "thread": one.entry.thread, "kind": one.entry.kind,
                "severity": one.entry.severity, "is_over": one.entry.is_over, "team": one.entry.team,
                "title": one.title, "lines": list(one.lines), "link": one.link,
            }
            for one in notices
        ],
    }  # fmt: skip
