"""Deciding about what is idle: exclude it, keep it, undo what was decided. Nothing is changed, rows are added."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.insights.idle.selectors import KINDS
from apps.insights.models import IdleExclusion, IdleFinding
from apps.teams.approval import Actor, NotYours
from apps.teams.models import UNALLOCATED, Team

MOST_REASON = 500
MOST_PATTERN = 1500
Decision = IdleExclusion.Decision


class CannotDecide(CostOpsError):
    """This decision cannot be made as it was asked; nothing was kept."""


class NoSuchExclusion(CostOpsError):
    """There is no such decision in force, or it is not for the caller to know of."""


def decide(
    findings: Iterable[IdleFinding], decision: str, *, reason: str, until: date | None, by: Actor, now: datetime
) -> list[IdleExclusion]:
    """Exclude or keep each of some findings, for its team; all or none."""
    chosen = list(findings)
    if not chosen:
        raise CannotDecide("Choose at least one row.")
    for one in chosen:
        _must_speak_for(one.team, by)
    with transaction.atomic():
        return [
            _keep(decision, one.kind, one.subject, one.team, reason=reason, until=until, by=by, now=now)
            for one in chosen
        ]


def exclude(
    pattern: str, *, kind: str = "", team: str = "", decision: str = Decision.EXCLUDE, reason: str, until: date | None,
    by: Actor, now: datetime,
) -> IdleExclusion:  # fmt: skip
    """Exclude or keep what a pattern names, such as `online/dev-*`; for one team, or for all by those who decide for
    all."""
    if not team and by.teams is not None:
        raise NotYours("team: name one of yours; patterns for all teams are for finance and administrators.")
    _must_speak_for(team, by)
    if team not in ("", UNALLOCATED) and not Team.objects.filter(name=team).exists():
        raise CannotDecide(f"team: there is no team {team[:60]!r}.")
    return _keep(decision, kind, pattern, team, reason=reason, until=until, by=by, now=now)


def undo(number: int, *, by: Actor, now: datetime) -> IdleExclusion:
    """End a decision; the row that was kept stays, and one is added that says so."""
    made = IdleExclusion.objects.filter(pk=number).exclude(decision=Decision.UNDO).first()
    if made is None or not (by.teams is None or made.team in by.teams):
        raise NoSuchExclusion(f"There is no decision {number} about idle resources.")
    newest = IdleExclusion.objects.filter(kind=made.kind, pattern=made.pattern, team=made.team).order_by("-pk").first()
    if newest is None or newest.decision == Decision.UNDO:
        raise NoSuchExclusion(f"Decision {number} was undone already.")
    return IdleExclusion.objects.create(
        decision=Decision.UNDO, kind=made.kind, pattern=made.pattern, team=made.team, reason="", by=by.name, at=now
    )


def _must_speak_for(team: str, by: Actor) -> None:
    if by.teams is not None and team not in by.teams:
        raise NotYours(f"What is idle of {team or 'all teams'} is for its members and finance to decide about.")


def _keep(
    decision: str, kind: str, pattern: str, team: str, *, reason: str, until: date | None, by: Actor, now: datetime
) -> IdleExclusion:
    told = reason.strip()
    if decision not in (Decision.EXCLUDE, Decision.KEEP):
        raise CannotDecide(f"decision: {decision[:20]!r} is not one of exclude, keep.")
    if not told or len(told) > MOST_REASON or "\x00" in told:
        raise CannotDecide(f"reason: say why, in at most {MOST_REASON} characters.")
    if kind and kind not in KINDS:
        raise CannotDecide(f"kind: {kind[:20]!r} is not one of {', '.join(KINDS)}.")
    if not pattern.strip() or len(pattern) > MOST_PATTERN or "\x00" in pattern:
        raise CannotDecide("pattern: name a subject, or a pattern of subjects such as online/dev-*.")
    if until is not None and until <= now.date():
        raise CannotDecide(f"until: {until} is past; name a later day, or none for always.")
    return IdleExclusion.objects.create(
        decision=decision, kind=kind, pattern=pattern.strip(), team=team, reason=told, until=until, by=by.name, at=now
    )
