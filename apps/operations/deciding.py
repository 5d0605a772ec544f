"""What people do with recommendations: each step checked against the table, and written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.operations import telling
from apps.operations.models import Recommendation, RecommendationStep
from apps.operations.people import assignable, must_decide
from apps.operations.states import ACTIONS, MOVES
from apps.teams.approval import Actor

State = Recommendation.State
MOST_TEXT = 4_000
WEEK = timedelta(days=7)


class BadStep(CostOpsError):
    """What is asked for is no step, or lacks what a step needs; nothing was done."""


class NotPossible(CostOpsError):
    """The step cannot be taken in the state something is in; nothing was done."""


@dataclass(frozen=True)
class Step:
    """What somebody wants to do: `why` in their words, `until` for what sleeps, `assignee` a user's name."""

    action: str
    why: str = ""
    until: date | None = None
    assignee: str = ""


def today(now: datetime) -> date:
    """The day it is in business time."""
    return now.astimezone(ZoneInfo(settings.COSTOPS_TIME_ZONE)).date()


def take(ones: Sequence[Recommendation], step: Step, *, by: Actor, now: datetime) -> list[Recommendation]:
    """Take a step with every one of them, or with none."""
    _check(step, today(now))
    if not ones:
        raise BadStep("numbers: choose at least one recommendation.")
    with transaction.atomic():
        for one in ones:
            must_decide(by, one)
            move(one, step.action, by=by.name, now=now, why=step.why.strip(), changed=_changed(one, step, by))
    return list(ones)


def _check(step: Step, day: date) -> None:
    if step.action not in ACTIONS:
        raise BadStep(f"action: {step.action[:20]!r} is not one of {', '.join(ACTIONS)}.")
    needs = MOVES[step.action].needs
    if needs == "why" and not step.why.strip():
        raise BadStep(f"why: to {step.action} say why; it is kept.")
    if len(step.why) > MOST_TEXT or "\x00" in step.why:
        raise BadStep(f"why: at most {MOST_TEXT} characters.")
    if needs == "until" and (step.until is None or step.until <= day):
        raise BadStep(f"until: say until which day after {day} it is to sleep, such as {day + WEEK}.")
    if needs == "assignee" and not step.assignee:
        raise BadStep("assignee: name the user it is for.")


def _changed(one: Recommendation, step: Step, by: Actor) -> dict[str, Any]:
    """What a step changes besides the state. Whoever accepts what nobody has takes it."""
    if step.action == "accept" and one.assignee is None:
        return {"assignee": _users(one).get(by.name)}
    if step.action == "decline":
        return {"declined_text": f"{one.money:f}"}
    if step.action == "snooze":
        return {"snoozed_until": step.until}
    if step.action == "assign":
        return {"assignee": _named(one, step.assignee)}
    return {}


def _users(one: Recommendation) -> dict[str, User]:
    return {user.get_username(): user for user in assignable((one.team,))}


def _named(one: Recommendation, name: str) -> User:
    found = _users(one)
    if name not in found:
        raise BadStep(
            f"assignee: {name[:150]!r} is nobody who can see recommendation {one.pk}; there is {', '.join(found)}."
        )
    return found[name]


def move(
    one: Recommendation,
    action: str,
    *,
    by: str,
    now: datetime,
    why: str = "",
    values: Mapping[str, str] | None = None,
    changed: Mapping[str, Any] | None = None,
) -> None:
    """Make one move of the table, if it is still possible, and write it down. To be called within a transaction."""
    before = State(one.state)
    after = MOVES[action].to.get(before)
    if after is None:
        raise NotPossible(f"Recommendation {one.pk} is {before.label}: nobody can {action} it now.")
    facts = dict(changed or {}) | {"state": after}
    if after != State.SNOOZED:
        facts["snoozed_until"] = None
    if not Recommendation.objects.filter(pk=one.pk, state=before).update(**facts):
        raise NotPossible(f"Recommendation {one.pk} was changed by somebody else just now; look at it again.")
    for name, value in facts.items():
        setattr(one, name, value)
    note(one, action, by=by, now=now, before=before, why=why, values=values)


def note(
    one: Recommendation, action: str, *, by: str, now: datetime, before: str = "", why: str = "",
    values: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Write down one thing done to a recommendation, and tell the channels that ask for it."""
    step = RecommendationStep.objects.create(
        recommendation=one, at=now, by=by, action=action, from_state=before, to_state=one.state, why=why,
        values=dict(values or {}),
    )  # fmt: skip
    telling.tell(one, step)
