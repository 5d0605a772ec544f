"""Facts that ask for attention, and the limits from which they do."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.utils.functional import Promise

from apps.finops.errors import CostOpsError
from apps.finops.findings import Sentence
from apps.finops.notices import SEVERITIES


@dataclass(frozen=True)
class Fact:
    """Something that is so now: a rule says each `subject` and `period` at most once. `team` is whose (empty: the
    company's)."""

    subject: str
    severity: str
    title: Sentence
    lines: tuple[Sentence, ...] = ()
    link: str = ""
    team: str = ""
    period: str = ""


@dataclass(frozen=True)
class Limits:
    """From which number on a rule speaks, by severity; `falls`: the lower the graver."""

    by_severity: Mapping[str, Decimal]
    falls: bool = False
    is_on: bool = True

    def severity(self, value: Decimal | Fraction) -> str | None:
        """The gravest severity a value reaches, if any."""
        reached = [name for name, limit in self.by_severity.items() if self._is_reached(value, limit)]
        return max(reached, key=SEVERITIES.index, default=None) if self.is_on else None

    @property
    def gravest(self) -> str | None:
        """What is spoken with beyond every limit."""
        return max(self.by_severity, key=SEVERITIES.index, default=None) if self.is_on else None

    def _is_reached(self, value: Decimal | Fraction, limit: Decimal) -> bool:
        exact = Fraction(value)  # a share as a decimal would round a whisker below a limit up to it
        return exact < Fraction(limit) if self.falls else exact >= Fraction(limit)


@dataclass(frozen=True)
class Ask:
    """What a rule is asked with: the moment, and its limits for all and for single teams."""

    now: datetime
    limits: Limits
    by_team: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, team: str) -> Limits:
        return self.by_team.get(team, self.limits)


Facts = Callable[[Ask], Iterable[Fact]]


@dataclass(frozen=True)
class Rule:
    """What is looked at: `facts` are all that is so now, `limits` the defaults in `unit`. `by_team`: teams may have
    limits of their own. It is looked at again after `every`, besides after each publication."""

    name: str
    title: Promise
    about: Promise
    facts: Facts
    unit: str = ""
    limits: Mapping[str, Decimal] = field(default_factory=dict)
    falls: bool = False
    by_team: bool = False
    every: timedelta = timedelta(hours=1)


class NobodyTells(CostOpsError):
    """What a rule is about is known by nobody here."""


_told_by: dict[str, Facts] = {}


def tell_of(rule: str, facts: Facts) -> None:
    """A floor above knows the facts of a rule: it says so once, when it starts."""
    _told_by[rule] = facts


def told_of(rule: str, ask: Ask) -> Iterable[Fact]:
    """What a floor above tells of a rule."""
    if rule not in _told_by:
        raise NobodyTells("Nobody tells of runs.")
    return _told_by[rule](ask)
