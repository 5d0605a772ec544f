"""Disputes: a team does not accept a number, finance answers, and what was wrong is settled where everybody sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.books import entries
from apps.books.models import Dispute, DisputeRemark, ManualEntry, TrailEntry
from apps.books.people import Actor
from apps.books.statement import written
from apps.finops.errors import CostOpsError
from apps.marts.cell import parameters, question
from apps.marts.models import Publication
from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import answer, publication
from apps.teams.models import Team

State = Dispute.State
MOST_TEXT = 4_000


class CannotDispute(CostOpsError):
    """This cannot be disputed, or not be done to a dispute in its state; nothing was done."""


class NoSuchDispute(CostOpsError):
    """There is no such dispute, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Move:
    """What somebody does to a dispute: from which states it can be done, to which it leads (none: it stays), and
    whether it is for finance."""

    since: tuple[State, ...]
    to: State | None
    is_for_finance: bool


MOVES: Mapping[str, Move] = {
    "comment": Move((State.OPEN, State.ACCEPTED, State.REJECTED), None, is_for_finance=False),
    "accept": Move((State.OPEN, State.REJECTED), State.ACCEPTED, is_for_finance=True),
    "reject": Move((State.OPEN, State.ACCEPTED), State.REJECTED, is_for_finance=True),
    "settle": Move((State.ACCEPTED,), State.SETTLED, is_for_finance=True),
    "withdraw": Move((State.OPEN, State.ACCEPTED, State.REJECTED), State.WITHDRAWN, is_for_finance=False),
}
"""The life of a dispute. What is settled or withdrawn stays so."""
WAITING = (State.OPEN, State.ACCEPTED)
"""In these states it waits for finance: to be answered, or to be settled."""
DONE = {
    "open": "opened", "comment": "commented", "accept": "accepted", "reject": "rejected", "settle": "settled",
    "withdraw": "withdrew",
}  # fmt: skip
"""What is done → how the trail says it."""


def disputes(scope: Scope, *, state: str = "", team: str = "") -> QuerySet[Dispute]:
    """The disputes of the teams somebody may see, the newest first."""
    found = Dispute.objects.select_related("publication").order_by("-pk")
    if scope.teams is not None:
        found = found.filter(team__in=scope.teams)
    asked = {name: value for name, value in (("state", state), ("team", team)) if value}
    return found.filter(**asked)


def dispute_of(number: int, scope: Scope) -> Dispute:
    """One dispute; that of another team is as good as none."""
    found = disputes(scope).filter(pk=number).first()
    if found is None:
        raise NoSuchDispute(f"There is no dispute {number}.")
    return found


def cell_of(dispute: Dispute) -> CostQuery:
    """The question of what is disputed."""
    return question(dispute.cell)


def open_dispute(cell: CostQuery, *, reason: str, actor: Actor, now: datetime) -> Dispute:
    """Dispute a number: the cost of one team under a question, as the publication says it."""
    pinned = publication(cell.as_of)
    team = _team_of(cell, actor)
    actor.must_speak_for(team)
    text = _said(reason)
    others = tuple((name, values) for name, values in cell.filters if name != "team")
    asked = replace(cell, as_of=pinned.number, group_by=(), filters=(*others, ("team", (team,))))
    answered = answer(replace(asked, scope=Scope(frozenset({team}))))
    if len(answered.totals) != 1:
        currencies = ", ".join(sorted(answered.totals)) or "no currency: there is no cost"
        raise CannotDispute(f"billing_currency: name one, for one number is disputed; there is {currencies}.")
    ((currency, amount),) = answered.totals.items()
    told = parameters(replace(answered.query, scope=Scope()))
    with transaction.atomic():
        _check_is_first(question(told), team, written(amount), currency)
        made = Dispute.objects.create(
            team=team,
            cell=told,
            publication=pinned,
            amount_text=written(amount),
            currency=currency,
            opened_at=now,
            opened_by=actor.name,
        )
        _remark(made, "open", text, actor, now)
    return made


def _check_is_first(cell: CostQuery, team: str, amount: str, currency: str) -> None:
    """Raise CannotDispute where the team disputes the same number already, whichever publication said it. The teams
    are asked for one after the other, so that of two at once the second finds the first."""
    list(Team.objects.select_for_update().filter(name=team))
    waiting = Dispute.objects.filter(team=team, amount_text=amount, currency=currency, state__in=WAITING)
    for other in waiting.order_by("pk"):
        if _about(cell_of(other)) == _about(cell):
            raise CannotDispute(f"Dispute {other.pk} is about this number, and {other.state}: say there what is new.")


def _about(cell: CostQuery) -> tuple[Any, ...]:
    """Which cost a question is about, in whatever order it names values."""
    narrowed = ({name: frozenset(values) for name, values in told} for told in (cell.filters, cell.excludes))
    return (cell.start, cell.end, cell.metric, cell.currency, *narrowed)


def team_of(cell: CostQuery, scope: Scope) -> str:
    """The team that a number is of, for whoever sees these teams: the one the question names, else the only one they
    see. Empty where it is of several."""
    teams = dict(cell.filters).get("team") or tuple(scope.teams or ())
    return teams[0] if len(teams) == 1 else ""


def _team_of(cell: CostQuery, actor: Actor) -> str:
    team = team_of(cell, actor.scope)
    if not team:
        raise CannotDispute("team: name one team, for each disputes its own cost.")
    return team


def move(dispute: Dispute, action: str, *, text: str, actor: Actor, now: datetime, settled_by: str = "") -> Dispute:
    """Do one of MOVES. To settle, say what did: `rule` or `restatement`; an entry settles by `settle_by_entry`."""
    if action not in MOVES:
        raise CannotDispute(f"action: {action[:20]!r} is not one of {', '.join(MOVES)}.")
    if action == "settle" and settled_by not in (Dispute.Settlement.RULE, Dispute.Settlement.RESTATEMENT):
        raise CannotDispute("settled_by: say rule or restatement, or book an entry for the dispute.")
    return _moved(dispute, action, _said(text), actor, now, settled_by if action == "settle" else "")


def settle_by_entry(dispute: Dispute, draft: entries.Draft, *, actor: Actor, now: datetime) -> ManualEntry:
    """Book an entry for a dispute that was accepted, which settles it; more entries may follow."""
    actor.must_answer()
    with transaction.atomic():
        booked = entries.book(draft, actor=actor, now=now, dispute=dispute)
        if dispute.state == State.ACCEPTED:
            _moved(dispute, "settle", draft.reason.strip(), actor, now, Dispute.Settlement.ENTRY)
    return booked


def _moved(dispute: Dispute, action: str, text: str, actor: Actor, now: datetime, settled_by: str) -> Dispute:
    step = MOVES[action]
    if step.is_for_finance:
        actor.must_answer()
    else:
        actor.must_speak_for(dispute.team)
    with transaction.atomic():
        here = Dispute.objects.filter(pk=dispute.pk, state__in=step.since)
        changed = here.update(state=step.to, settled_by=settled_by) if step.to else here.select_for_update().count()
        if not changed:
            state = Dispute.objects.values_list("state", flat=True).get(pk=dispute.pk)
            raise CannotDispute(f"Dispute {dispute.pk} is {state}: nobody can {action} it any more, or not yet.")
        _remark(dispute, action, text, actor, now)
    dispute.refresh_from_db()
    return dispute


def _said(text: str) -> str:
    told = text.strip()
    if not told or len(told) > MOST_TEXT or "\x00" in told:
        raise CannotDispute(f"text: say why, in at most {MOST_TEXT} characters; the trail keeps it.")
    return told


def _remark(dispute: Dispute, action: str, text: str, actor: Actor, now: datetime) -> None:
    """Add to the conversation, and to the trail of the books."""
    DisputeRemark.objects.create(dispute=dispute, at=now, by=actor.name, action=action, text=text)
    told = f"{dispute.amount_text} {dispute.currency} of {dispute.team}, publication {_number(dispute.publication)}"
    TrailEntry.objects.create(
        at=now, by=actor.name, action=DONE[action], subject=f"dispute {dispute.pk}", why=text, outcome=told
    )


def _number(pinned: Publication) -> int:
    return pinned.number
