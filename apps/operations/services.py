"""Findings become recommendations: found ones are kept or updated, those found no longer close themselves."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.finops.findings import Finding
from apps.finops.problems import Problem
from apps.finops.stakes import written
from apps.finops.steps import StepResult
from apps.insights.models import IdleExclusion, WorklistDecision
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.operations.deciding import move, note, today
from apps.operations.kinds import KINDS, NAMES, Kind, days_until_due
from apps.operations.models import Recommendation
from apps.operations.people import MACHINE, lead_of
from apps.operations.states import OPEN, SETTLED
from apps.warehouse import fencing
from apps.warehouse.sentences import kept

State = Recommendation.State
GROWN = Decimal("1.5")
"""What was declined is asked about again when its money reached so many times that of then."""
DONE_DAYS = 45
"""What was done is believed for so long: findings look back some weeks."""
LONGEST = 600

FOUND_AGAIN = "It is found again"
STILL_FOUND = "It was done on %(day)s and is found still"
GREW = "It was declined at %(then)s %(currency)s a month and is %(now)s %(currency)s now"
OTHER_TEAM = "It is of %(team)s now"
WOKE = "It slept until %(day)s"
LEAD = "By default the lead of %(team)s"


def recommend(*, now: datetime, kinds: Iterable[Kind] = KINDS) -> StepResult:
    """Take up the findings of the newest publication; doing so again changes nothing."""
    pinned = publication()
    due = days_until_due()
    problems: list[Problem] = []
    rows = 0
    for kind in kinds:
        try:
            found = [finding for finding in kind.findings(pinned, now) if finding.kind == kind.name]
        except CostOpsError as missing:
            problems.append(Problem("note", "not_looked", kind.name, f"{missing} What was found before stays."))
            continue
        with transaction.atomic():
            fencing.check()
            rows += _Keeping(kind, pinned, now, due.get(kind.name, kind.days)).keep(found)
    _wake(now, due)
    return StepResult(rows=rows, problems=tuple(problems), versions={"publication": pinned.number})


def identity() -> str:
    """What recommendations depend on besides what was found: the kinds, and what people decided about idle ones and
    about cost without an owner."""
    kinds = IdleExclusion, WorklistDecision
    decided = [kind._default_manager.order_by("-pk").values_list("pk", flat=True).first() for kind in kinds]
    return f"{NAMES} {decided}"


def is_anything_over(now: datetime) -> bool:
    """Whether something slept long enough."""
    return Recommendation.objects.filter(state=State.SNOOZED, snoozed_until__lte=today(now)).exists()


def _wake(now: datetime, due: dict[str, int]) -> None:
    day = today(now)
    sleepers = Recommendation.objects.select_related("assignee").select_for_update(of=("self",)).order_by("pk")
    with transaction.atomic():
        fencing.check()
        for one in sleepers.filter(state=State.SNOOZED, snoozed_until__lte=day):
            later = {"due": max(one.due, day + timedelta(days=due.get(one.kind, 0)))}
            move(one, "wake", by=MACHINE, now=now, why=WOKE, values={"day": f"{one.snoozed_until}"}, changed=later)
            _assign(one, now)


def _assign(one: Recommendation, now: datetime) -> None:
    """Give what is found to whoever had it, else to the team's lead, if there is one."""
    owner = one.assignee or lead_of(one.team)
    if owner is not None and one.state == State.FOUND:
        move(one, "assign", by=MACHINE, now=now, why=LEAD, values={"team": one.team}, changed={"assignee": owner})


class _Keeping:
    """The findings of one kind in one publication, kept one by one."""

    def __init__(self, kind: Kind, pinned: Publication, now: datetime, days: int) -> None:
        self.kind, self.pinned, self.now = kind, pinned, now
        self.due = today(now) + timedelta(days=days)
        known = Recommendation.objects.select_related("assignee").select_for_update(of=("self",)).filter(kind=kind.name)
        self.known = {(one.subject, one.currency): one for one in known}

    def keep(self, found: Iterable[Finding]) -> int:
        """Keep what is found, close what is found no longer; how many were found."""
        seen = set()
        for finding in found:
            key = _subject(finding), finding.currency
            if key in seen:
                continue
            seen.add(key)
            one = self.known.get(key)
            if one is None:
                self._begin(finding)
            else:
                self._update(one, finding)
        self._close([one for key, one in self.known.items() if key not in seen and one.state in OPEN])
        return len(seen)

    def _close(self, gone: list[Recommendation]) -> None:
        """Close these. What is in progress would be done, and its saving stated: only where it could be looked for."""
        begun = [one for one in gone if one.state == State.IN_PROGRESS]
        is_answered = self.kind.answered(self.pinned, self.now) if begun and self.kind.answered else None
        for one in gone:
            if one not in begun or is_answered is None or is_answered(one):
                move(one, "close", by=MACHINE, now=self.now, why=self.kind.gone)

    def _begin(self, finding: Finding) -> None:
        one = Recommendation.objects.create(
            kind=self.kind.name, subject=_subject(finding), currency=finding.currency, due=self.due,
            found_at=self.now, found_in=self.pinned.number, **_facts(finding), **self._seen(),
        )  # fmt: skip
        note(one, "find", by=MACHINE, now=self.now)
        _assign(one, self.now)

    def _seen(self) -> dict[str, Any]:
        return {"seen_at": self.now, "seen_in": self.pinned.number}

    def _update(self, one: Recommendation, finding: Finding) -> None:
        before = one.team
        facts = _facts(finding) | self._seen()
        Recommendation.objects.filter(pk=one.pk).update(**facts)
        for name, value in facts.items():
            setattr(one, name, value)
        if one.team != before:
            self._hand_over(one)
        if why := self._why_again(one):
            move(one, "return", by=MACHINE, now=self.now, why=why[0], values=why[1], changed={"due": self.due})
            _assign(one, self.now)

    def _hand_over(self, one: Recommendation) -> None:
        """The cost is another team's: so is what to do about it."""
        owner, told = lead_of(one.team), {"team": one.team}
        if one.state in OPEN:
            move(one, "hand over", by=MACHINE, now=self.now, why=OTHER_TEAM, values=told, changed={"assignee": owner})
        else:
            Recommendation.objects.filter(pk=one.pk).update(assignee=owner)
            one.assignee = owner

    def _why_again(self, one: Recommendation) -> tuple[str, dict[str, str]] | None:
        """Why what was decided is asked about again, if it is."""
        if one.state in (State.CLOSED, State.REVERTED):
            return FOUND_AGAIN, {}
        if one.state == State.DECLINED:
            then = Decimal(one.declined_text)
            if one.money > then and one.money >= GROWN * then:
                return GREW, {"then": f"{then:,.2f}", "now": f"{one.money:,.2f}", "currency": one.currency}
        if one.state in SETTLED:
            done_at = one.steps.filter(to_state=State.DONE).exclude(from_state=State.DONE).latest("pk").at
            if done_at + timedelta(days=DONE_DAYS) <= self.now:
                return STILL_FOUND, {"day": f"{today(done_at)}"}
        return None


def _facts(finding: Finding) -> dict[str, Any]:
    """What a finding says, as it is kept."""
    return {
        "team": finding.team, "title": kept(finding.title), "evidence": [kept(one) for one in finding.evidence],
        "saving_text": f"{finding.saving_per_month:f}", "amount_text": f"{finding.amount_per_month:f}",
        "at_stake": _short(finding.at_stake), "scope": dict(finding.scope), "link": finding.link,
        "since": finding.since,
        "stakes": [written(stake) for stake in finding.stakes], "hours": [list(span) for span in finding.hours],
    }  # fmt: skip


def _subject(finding: Finding) -> str:
    return _short(finding.subject)


def _short(name: str) -> str:
    """A name that fits its column; a longer one ends in its fingerprint."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 65]} {sha256(name.encode()).hexdigest()}"
