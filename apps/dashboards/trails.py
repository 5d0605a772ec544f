"""Trails as pages show them: who did what to what, when and why, and what came of it, in the reader's language."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext

from apps.dashboards import faults
from apps.dashboards.telling import pattern_of
from apps.dashboards.told import _

OUTCOMES = (
    # drafts of rules
    _("over rules %(base)s"),
    _("%(start)s to %(end)s, over rules %(base)s; %(moves)s"),
    _("%(start)s to %(end)s, over rules %(base)s"),
    _("for %(teams)s; still to agree: %(missing)s"),
    _("for %(teams)s"),
    _("rules %(number)s in place of %(base)s"),
    _("The worker that simulated it died."),
    _("%(count)s workers died while simulating it. Look for lack of memory, then ask again."),
    _("It failed for a fault of CostOps (%(fault)s); see the log of the worker."),
    # the books
    _("publication %(number)s, %(rows)s rows, sha256 %(digest)s"),
    _("%(amount)s %(currency)s of %(team)s, publication %(number)s"),
    _("%(amount)s %(currency)s of %(month)s from %(from_team)s to %(to_team)s, for dispute %(number)s"),
    _("%(amount)s %(currency)s of %(month)s from %(from_team)s to %(to_team)s"),
    _("%(new)s new, %(changed)s changed"),
    _("broken: %(months)s"),
    _("%(count)s statements are as they were"),
)
"""The more specific before the more general."""
MOVES = (
    _("nothing leaves or joins unallocated"),
    _("%(amount)s leave unallocated"),
    _("%(amount)s join unallocated"),
)
"""What a simulation moves, by currency; joined by "and"."""
SUBJECTS = (_("dispute %(number)s"), _("entry %(number)s"), _("all closed months"))


@dataclass(frozen=True)
class Step:
    """One thing that was done; `why` is in the words of who did it."""

    at: datetime
    by: str
    done: str
    subject: str
    why: str
    outcome: str


def steps(entries: Iterable[Any], actions: Mapping[str, Promise]) -> tuple[Step, ...]:
    """The entries of a trail, of drafts or of the books; `actions` are what they did, in words."""
    return tuple(
        Step(
            at=one.at,
            by=one.by,
            done=str(actions.get(one.action, one.action)),
            subject=subject(getattr(one, "subject", "")),
            why=one.why,
            outcome=outcome(one.outcome),
        )
        for one in entries
    )


def outcome(text: str) -> str:
    """What came of a step; what is not known stays as it was written."""
    if (get_language() or "en").startswith("en"):
        return text
    return _filled(OUTCOMES, text) or faults.said_each(text)


def subject(text: str) -> str:
    """What a step was done to."""
    return _filled(SUBJECTS, text) or text


def _filled(sentences: tuple[str, ...], text: str) -> str:
    """The translation of the first sentence that a text was made of; '' where it was made of none."""
    for sentence, pattern in _patterns(sentences):
        if match := pattern.fullmatch(text):
            found = match.groupdict()
            if "moves" in found:
                found["moves"] = gettext("; ").join(_filled(MOVES, one) or one for one in found["moves"].split(" and "))
            return gettext(sentence) % found if found else gettext(sentence)
    return ""


@cache
def _patterns(sentences: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sentence, pattern_of(sentence)) for sentence in sentences)
