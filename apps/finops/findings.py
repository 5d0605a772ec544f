"""Findings: what was seen in the published cost and asks for somebody's decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from apps.finops.stakes import Stake

WeekHours = tuple[int, int, int]
"""Hours of the week on end, by the business time zone: weekday (0 is Monday), first hour, how many."""


@dataclass(frozen=True)
class Sentence:
    """A sentence in whatever language it is read: `text` is English and translated as it stands, then `values` filled
    in, which are names and numbers and stay as they are."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


@dataclass(frozen=True)
class Finding:
    """One thing found; `kind` and `subject` say which, so that the same thing found again is the same finding.

    `team` is whose cost it is ('unallocated' where nobody owns it), `title` what should be done, `evidence` what was
    seen, strongest first. `saving_per_month` is what doing so is expected to save at effective cost, in `currency`,
    and zero where a finding is a question and no saving. `link` is the path of the page that tells everything.
    `at_stake` names the resource, where it is one. `stakes` say where the saving is spent now, and add up to it: what
    several findings would save of the same is saved once. `hours` are those of the week in which it is to be off, where
    it is not to be off for good.
    `amount_per_month` is what a question is about that saves nothing by itself: the cost nobody owns, a rise. `scope`
    names the cost that would fall, by which the saving is verified later: a value by dimension of a question about
    cost, or `resource` as it is billed.
    """

    kind: str
    subject: str
    team: str
    title: Sentence
    evidence: tuple[Sentence, ...]
    currency: str
    saving_per_month: Decimal
    since: date
    link: str
    at_stake: str = ""
    amount_per_month: Decimal = Decimal(0)
    scope: Mapping[str, str] = field(default_factory=dict)
    stakes: tuple[Stake, ...] = ()
    hours: tuple[WeekHours, ...] = ()
