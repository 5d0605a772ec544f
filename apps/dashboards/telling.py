"""Problems in the reader's language: a message is known by its sentence, and what was found in it stays as it is."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from django.utils.translation import get_language, gettext

from apps.dashboards.failures import FAILURES
from apps.dashboards.refusals import REFUSED, UNSENT
from apps.dashboards.told import TOLD, _
from apps.ingest.quality.checks import ROW_CHECKS, SOURCE_CHECKS, RowCheck, SourceCheck
from apps.ingest.scrub import MEANS, WAYS_OUT

_NAME = re.compile(r"%\((\w+)\)s")
_CHECKS: tuple[RowCheck | SourceCheck, ...] = (*ROW_CHECKS, *SOURCE_CHECKS.values())
_MANY = "The mapping cannot be used:"
_BEGINNINGS = (*(check.means for check in _CHECKS), *MEANS.values(), _MANY)
_ENDS = tuple(check.way_out for check in _CHECKS) + tuple(WAYS_OUT.values())
"""A check says what it means, then what was found, then the way out."""
_WITHIN = {"problem", "mistake", "difference", "whose", "lost", "legs"}
"""What stands in a sentence and is one itself, or several."""
_LEG = re.compile(r"\[(.+?)\](?= × |$)")
_PLACES = {
    _(", line %(n)s"): re.compile(r", line (?P<n>\d+)"),
    _(", rows %(n)s"): re.compile(r", rows (?P<n>\d.*)"),
    _(", row %(n)s"): re.compile(r", row (?P<n>\d.*)"),
    _(", column %(n)s"): re.compile(r", column (?P<n>\S+)"),
    _(", last line"): re.compile(r", last line$"),
    _("draft line %(n)s"): re.compile(r"^draft line (?P<n>\d+)$"),
    _(" line %(n)s"): re.compile(r" line (?P<n>\d+)$"),
}
"""The words of a place → how it is written."""


def said(message: str) -> str:
    """A message as the reader reads it; one that is not known stays as it was told."""
    if (get_language() or "en").startswith("en"):
        return message
    beginning = _first(_BEGINNINGS, message.startswith)
    rest = message.removeprefix(beginning).strip()
    end = _first(_ENDS, rest.endswith)
    middle = rest.removesuffix(end).strip()
    return "".join(gettext(part) for part in (beginning, _filled(middle), end) if part)


def said_where(subject: str) -> str:
    """Where a problem is, as the reader reads it: the words for lines, rows and columns."""
    for word, pattern in _PLACES.items():
        subject = pattern.sub(lambda match, word=word: gettext(word) % match.groupdict(), subject)  # type: ignore[misc]
    return subject


def _first(texts: Iterable[str], holds: Callable[[str], bool]) -> str:
    return next((text for text in texts if holds(text)), "")


def is_known(message: str) -> bool:
    """Whether a message was made of a sentence that is there to be translated."""
    return message.startswith(_BEGINNINGS) or any(one.match(message) for one in _sentences())


def _filled(message: str) -> str:
    """The translation of the sentence a message was made of, with what stood in it: of those it may be made of, one
    that holds others, or else the one that leaves least to be put in."""
    matches = [(one, match) for one in _sentences() if (match := one.match(message))]
    if not matches:
        return message
    sentence, match = max(matches, key=lambda made: (bool(made[1].groupdict().keys() & _WITHIN), made[0].length))
    found = match.groupdict()
    for name in found.keys() & _WITHIN:
        found[name] = _within(name, found[name])
    return gettext(sentence.text) % found if found else gettext(sentence.text)


def _within(name: str, text: str) -> str:
    if name == "lost":  # by a held file, month by month
        return "; ".join(map(_filled, text.split("; ")))
    if name == "legs":  # the rates that another was made of
        return _LEG.sub(lambda leg: f"[{_filled(leg[1])}]", text)
    return _filled(text)


@dataclass(frozen=True)
class Known:
    """A sentence, what is made of it, and the words of it that are always there."""

    text: str
    pattern: re.Pattern[str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Known":
        return cls(text, pattern_of(text), tuple(re.split(r"%\(\w+\)s", text)))

    @property
    def length(self) -> int:
        return sum(map(len, self.words))

    def match(self, message: str) -> re.Match[str] | None:
        return self.pattern.fullmatch(message) if all(word in message for word in self.words) else None


@cache
def _sentences() -> tuple[Known, ...]:
    return tuple(map(Known.of, (*TOLD, *FAILURES, *REFUSED, *UNSENT)))


def pattern_of(sentence: str) -> re.Pattern[str]:
    """A sentence with names in it as a pattern of the messages made of it."""
    plain = _NAME.split(sentence)
    parts = (_part(part) if at % 2 else re.escape(part) for at, part in enumerate(plain))
    return re.compile("".join(parts), re.DOTALL)


def _part(name: str) -> str:
    return rf"(?P<{name}>\d+)" if name == "n" else f"(?P<{name}>.+?)"
