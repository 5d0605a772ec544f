"""Problems in the reader's language: a message is known by its sentence, and what was found in it stays as it is."""

import re
from collections.abc import Callable, Iterable
from functools import cache

from django.utils.translation import get_language, gettext

from apps.dashboards.told import TOLD, _
from apps.ingest.quality.checks import ROW_CHECKS, SOURCE_CHECKS, RowCheck, SourceCheck
from apps.ingest.scrub import MEANS, WAYS_OUT

_NAME = re.compile(r"%\((\w+)\)s")
_CHECKS: tuple[RowCheck | SourceCheck, ...] = (*ROW_CHECKS, *SOURCE_CHECKS.values())
_BEGINNINGS = tuple(check.means for check in _CHECKS) + tuple(MEANS.values())
_ENDS = tuple(check.way_out for check in _CHECKS) + tuple(WAYS_OUT.values())
"""A check says what it means, then what was found, then the way out."""
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


def _filled(message: str) -> str:
    """The translation of the sentence a message was made of, with what stood in it."""
    for sentence, pattern in _patterns():
        if match := pattern.fullmatch(message):
            found = match.groupdict()
            if "lost" in found:  # what a held file lost, month by month: sentences themselves
                found["lost"] = "; ".join(_filled(part) for part in found["lost"].split("; "))
            if "legs" in found:  # the rates that another was made of
                found["legs"] = _LEG.sub(lambda leg: f"[{_filled(leg[1])}]", found["legs"])
            return gettext(sentence) % found if found else gettext(sentence)
    return message


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sentence, pattern_of(sentence)) for sentence in TOLD)


def pattern_of(sentence: str) -> re.Pattern[str]:
    """A sentence with names in it as a pattern of the messages made of it."""
    plain = _NAME.split(sentence)
    parts = (f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(plain))
    return re.compile("".join(parts), re.DOTALL)
