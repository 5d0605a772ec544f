"""Telling channels that ask for it what becomes of recommendations: a ticket for each, its steps to rooms."""

from apps.channels import recipients, services
from apps.channels.models import Channel
from apps.finops.findings import Sentence
from apps.finops.notices import Notice
from apps.operations.models import Recommendation, RecommendationStep
from apps.operations.states import OPEN

State = Recommendation.State

KIND = "recommendation"
"""What a channel chooses to be told of them: nobody is who did not choose it, for there are many."""

WORTH = "It would save %(amount)s %(currency)s a month"
ABOUT = "It is about %(amount)s %(currency)s a month"
DUE = "It is to be decided until %(day)s"
STEPS = {
    "find": "It was found",
    "assign": "It was given to %(assignee)s",
    "accept": "%(by)s took it on",
    "decline": "%(by)s declined it",
    "snooze": "%(by)s snoozed it until %(day)s",
    "start": "%(by)s began",
    "finish": "%(by)s finished it",
    "reopen": "%(by)s opened it again",
    "revert": "It was undone by %(by)s",
    "comment": "%(by)s said something about it",
    "hand over": "It is of another team now",
    "close": "It is found no longer",
    "return": "It was found again",
    "wake": "It woke up",
    "verify": "Its saving was verified",
    "refute": "Its saving could not be verified",
    "lapse": "Its saving ended",
}


def tell(one: Recommendation, step: RecommendationStep) -> None:
    """Write a step into the outbox of the channels that chose recommendations. To be called in its transaction."""
    wanted = [channel for channel in recipients.choosing(KIND) if _is_for(channel, one)]
    if wanted:
        services.send(_notice(one, step), to=wanted, now=step.at)


def _is_for(channel: Channel, one: Recommendation) -> bool:
    """Whoever is behind it is told of what they may know of; that is asked again when it is sent."""
    to = recipients.recipient_of(channel)
    return to is not None and to.may_know(one.team)


def _notice(one: Recommendation, step: RecommendationStep) -> Notice:
    is_over = one.state not in OPEN
    return Notice(
        key=f"recommendation {one.pk} {step.pk}",
        severity="info",
        title=Sentence(one.title["text"], one.title["values"]),
        lines=_lines(one, step),
        link=f"/recommendations/{one.pk}/",
        team=one.team,
        kind=KIND,
        thread=_thread(one.pk),
        is_over=is_over,
    )


def _lines(one: Recommendation, step: RecommendationStep) -> tuple[Sentence, ...]:
    money = {"amount": f"{one.money:,.2f}", "currency": one.currency}
    names = {
        "by": step.by or "CostOps",
        "assignee": one.assignee.get_username() if one.assignee else "–",
        "day": f"{one.snoozed_until}",
    }
    lines = [Sentence(STEPS[step.action], names), Sentence(WORTH if one.saving else ABOUT, money)]
    if step.why and not step.by:
        lines.append(Sentence(step.why, step.values))
    elif step.why:
        lines.append(Sentence("%(words)s", {"words": step.why[:1000]}))
    if one.state in OPEN:
        lines.append(Sentence(DUE, {"day": f"{one.due}"}))
    return tuple(lines)


def _thread(number: int) -> str:
    """What all notices of one recommendation have in common."""
    return f"recommendation {number}"


def threads() -> list[str]:
    """Those of recommendations of which there is still something to tell."""
    over = (State.CLOSED, State.DECLINED, State.REVERTED)
    return [_thread(pk) for pk in Recommendation.objects.exclude(state__in=over).values_list("pk", flat=True)]
