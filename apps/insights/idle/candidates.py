"""Candidates: what may be idle, judged and described, before its money is known."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from apps.finops.findings import Sentence
from apps.insights.idle import describing, kinds
from apps.insights.idle.judging import Judged
from apps.insights.idle.ledger import WHOLE
from apps.insights.models.idle import identity_of

Ways = dict[str, Any]
"""Kind → how its verdicts came about."""


@dataclass(frozen=True)
class Clock:
    """Until when activity is known, and the business time zone."""

    end: datetime
    zone: ZoneInfo

    @property
    def timezone(self) -> str:
        """The zone's name."""
        return self.zone.key

    @classmethod
    def at(cls, hour: int, zone: ZoneInfo) -> "Clock":
        return cls(datetime.fromtimestamp(hour * 3600, UTC), zone)


@dataclass(frozen=True)
class Candidate:
    """One thing that may be idle. `share` is the part of its cost that stopping it would save; `cost`, where the bill
    tells it apart, is that part itself, in a currency."""

    kind: str
    verdict: str
    is_known: bool
    since: date
    evidence: tuple[Sentence, ...]
    lost: Sentence
    cluster: str = ""
    namespace: str = ""
    workload: str = ""
    resource: str = ""
    name: str = ""
    service: str = ""
    judged: Judged | None = None
    share: Fraction = WHOLE
    cost: tuple[str, Decimal] | None = None
    windows: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def of(cls, kind: str, judged: Judged, clock: Clock, lost: Sentence, **named: Any) -> "Candidate":
        """A candidate as it was judged; of some kinds the strongest verdict is "review"."""
        known = judged.is_known
        verdict = judged.verdict if known and kinds.KINDS[kind].strongest == "safe" else "review"
        return cls(
            kind, verdict, known, describing.since(judged, clock.end, clock.zone).date(),
            tuple(describing.evidence(judged, clock.zone)), lost, judged=judged, **named,
        )  # fmt: skip

    @property
    def subject(self) -> str:
        """How people name it: by place, or by the name of the resource in its cluster."""
        places = [part for part in (self.cluster, self.namespace, self.workload) if part]
        if self.kind in (kinds.NAMESPACE, kinds.WORKLOAD, kinds.GPU, kinds.SCHEDULE):
            return "/".join(places)
        if self.kind == kinds.NODE:
            return f"{self.cluster}/{self.name}"
        return self.resource

    @property
    def at_stake(self) -> str:
        """What its money is of: a workload's GPUs, its schedule and the workload itself are one."""
        return self.resource or self.subject

    @property
    def identity(self) -> str:
        return identity_of(self.kind, self.cluster, self.namespace, self.workload, self.resource or self.name)

    def said(self, *more: Sentence) -> "Candidate":
        return replace(self, evidence=(*more, *self.evidence))
