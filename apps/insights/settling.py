"""Settling unallocated cost: accept who is proposed as its owner, or set it aside with a reason."""

from datetime import date, datetime

from apps.allocation.rehearsal import rehearse, rehearse_or_ask
from apps.finops import yamls
from apps.finops.errors import CostOpsError
from apps.insights.models import WorklistDecision
from apps.insights.worklist import WorkItem
from apps.teams import proposals
from apps.teams.approval import EVIDENCE, Actor, NotYours
from apps.teams.models import RuleDraft
from apps.teams.selectors import rule_book


class CannotSettle(CostOpsError):
    """The item cannot be accepted or set aside as asked; nothing was done."""


def accept(
    item: WorkItem,
    *,
    by: Actor,
    now: datetime,
    team: str = "",
    valid_from: date | None = None,
    reason: str = "",
    is_waited_for: bool = False,
) -> RuleDraft:
    """Draft the rule that gives the item to a team, and carry it as far as this person may.

    As proposed, it is the evidence that drafts and the person who approves: where they may, the rule is published at
    once, or by the worker that simulates it when that takes long. With another team, or another day, it is a draft of
    their own, and others approve it. `is_waited_for`: however long it takes.
    """
    if not item.subject.is_ruled:
        raise CannotSettle(f"No rule can give {item.subject.title} to a team: it follows what it belongs to.")
    if item.draft and item.draft.state in proposals.OPEN:
        raise CannotSettle(f"Draft {item.draft.pk} settles {item.subject.title} already; decide about that one.")
    owner, since = team or item.team, valid_from or item.first_day
    if not owner:
        raise CannotSettle(f"Nothing speaks for a team as the owner of {item.subject.title}; name one.")
    is_proposed = owner == item.team and since == item.first_day
    drafter = Actor(EVIDENCE, None) if is_proposed and by.may_draft else by
    told = reason or (item.best.sentence if item.best and is_proposed else "")
    draft = proposals.propose(_rule(item, owner, since), by=drafter, now=now, reason=told, subject=item.subject.id)
    proposals.note(draft, "accepted", by=by.name, now=now, outcome=item.subject.title)
    if is_waited_for:
        draft = rehearse(draft, by=by.name, now=now)
    else:
        draft = rehearse_or_ask(draft, by=by.name, now=now, carrier=by.name)
    return proposals.carry(draft, by=by, now=now)


def _rule(item: WorkItem, team: str, since: date) -> str:
    """The draft as YAML. Its rule stands last: it takes only what no other rule does."""
    name, taken = item.subject.rule_name(team), {rule.name for rule in rule_book()[1].rules}
    names = (name, *(f"{name[:110]} ({number})" for number in range(2, len(taken) + 3)))
    free = next(one for one in names if one not in taken)
    change = {
        "valid_from": since.isoformat(), "add": [{"name": free, "when": item.subject.when, "team": team}],
    }  # fmt: skip
    return yamls.written(change)


def dismiss(item: WorkItem, *, by: Actor, now: datetime, reason: str) -> WorklistDecision:
    """Set an item aside, and remember who said so and why."""
    if not reason.strip():
        raise CannotSettle(f"Say why {item.subject.title} is set aside; the reason is kept.")
    return _decided(item, by, now, reason.strip(), is_dismissed=True)


def restore(item: WorkItem, *, by: Actor, now: datetime, reason: str = "") -> WorklistDecision:
    """Take an item up again."""
    if item.dismissed is None:
        raise CannotSettle(f"{item.subject.title} was not set aside.")
    return _decided(item, by, now, reason.strip(), is_dismissed=False)


def _decided(item: WorkItem, by: Actor, now: datetime, reason: str, *, is_dismissed: bool) -> WorklistDecision:
    if by.on_rules.teams is not None:
        raise NotYours("The worklist is for finance and cost operations to decide about.")
    return WorklistDecision.objects.create(
        subject=item.subject.id, title=item.subject.title[:600], is_dismissed=is_dismissed, reason=reason, by=by.name,
        at=now,
    )  # fmt: skip
