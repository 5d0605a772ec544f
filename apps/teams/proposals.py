"""Drafts of rules on their way: drafted, simulated, approved by whoever pays, published; every step leaves a trail."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.finops.errors import CostOpsError
from apps.finops.money import less
from apps.teams.approval import Actor, NotYours, agreed
from apps.teams.dating import BadChange, Change, applied, parse_change, past
from apps.teams.models import UNALLOCATED, DraftTrail, RuleDraft, RuleSet
from apps.teams.ownership import RuleBook
from apps.teams.selectors import active_teams, rule_book
from apps.teams.services import identity, keep
from apps.teams.simulations import Simulation, TeamMove

State = RuleDraft.State
OPEN = (State.DRAFTED, State.SIMULATED, State.APPROVED)
MOST_CHARACTERS = 100_000
LEASE = timedelta(hours=1)
"""A worker that began so long ago is dead: a task is ended before."""
MOST_DEATHS = 3
"""Of workers, before a draft asks no more."""


class NoSuchDraft(CostOpsError):
    """There is no draft of this number."""


class NotNow(CostOpsError):
    """The draft is not in a state in which this can be done; nothing was done."""


class Outdated(NotNow):
    """The rules changed since the draft was simulated; it has to be simulated again."""


def find(number: int) -> RuleDraft:
    found = RuleDraft.objects.filter(pk=number).first()
    if found is None:
        raise NoSuchDraft(f"There is no draft {number}; `manage.py rules drafts` shows those there are.")
    return found


def simulation_of(draft: RuleDraft) -> Simulation | None:
    return Simulation.from_document(draft.simulation) if draft.simulation else None


def change_of(draft: RuleDraft) -> Change:
    """What a draft proposes, read against the teams there are now."""
    return _read(draft.text)


def _read(text: str) -> Change:
    if len(text) > MOST_CHARACTERS:
        raise BadChange(f"The draft has more than {MOST_CHARACTERS:,} characters; propose fewer rules at a time.")
    return parse_change(text, [team.name for team in active_teams()])


def propose(text: str, *, by: Actor, now: datetime, reason: str = "", subject: str = "") -> RuleDraft:
    """Keep a draft, once it can be read, fits the rules in force and changes them."""
    if not by.may_draft:
        raise NotYours("Rules are drafted by members of a team, and by finance, cost operations or superusers.")
    change = _read(text)
    base, book = rule_book()
    _laid_over(book, change)
    with transaction.atomic():
        draft = RuleDraft.objects.create(
            text=text, valid_from=change.valid_from, base=base, reason=reason.strip(), subject=subject,
            drafted_by=by.name, drafted_at=now,
        )  # fmt: skip
        note(draft, "drafted", by=by.name, now=now, why=reason.strip(), outcome=f"over rules {base}")
    return draft


def _laid_over(book: RuleBook, change: Change) -> RuleBook:
    """The book with the change; refused when nothing changes, or any day before it would."""
    after = applied(book, change.edits, change.valid_from)
    if after == book:
        raise BadChange("The draft changes nothing: the rules in force say this already.")
    if past(after, change.valid_from) != past(book, change.valid_from):
        raise BadChange(f"The draft would move days before {change.valid_from}; it was not kept.")
    return after


def books(draft: RuleDraft) -> tuple[int, RuleBook, RuleBook]:
    """The number of the rules in force, these rules, and what the draft would make of them."""
    number, book = rule_book()
    return number, book, _laid_over(book, change_of(draft))


def keep_simulation(draft: RuleDraft, base: int, found: Simulation, *, by: str, now: datetime) -> RuleDraft:
    """Store what a draft would do. Whoever had approved is asked again, unless it is what they approved."""
    with transaction.atomic():
        kept = _locked(draft.pk, *OPEN)
        approvals, state = kept.approvals, kept.state
        is_same = (kept.base, kept.simulation) == (base, found.to_document())
        kept.base, kept.simulation, kept.state = base, found.to_document(), State.SIMULATED
        kept.asked, kept.claimed, kept.approvals = None, None, {}
        if is_same and state != State.DRAFTED:
            kept.approvals = approvals
            kept.state = state if needed(kept) <= approvals.keys() else State.SIMULATED
        kept.save()
        outcome = f"{found.start} to {found.end}, over rules {base}; {told(found)}"
        note(kept, "simulated", by=by, now=now, outcome=outcome)
    return kept


def told(found: Simulation) -> str:
    """One sentence: how much leaves or joins `unallocated`, had the draft counted on all days of the window."""
    changes = {move.currency: less(move.as_if, move.before) for move in found.moves if move.team == UNALLOCATED}
    parts = [
        f"{abs(change):,.2f} {currency} {'leave' if change < 0 else 'join'} {UNALLOCATED}"
        for currency, change in sorted(changes.items())
        if change
    ]
    return " and ".join(parts) or f"nothing leaves or joins {UNALLOCATED}"


def needed(draft: RuleDraft) -> frozenset[str]:
    """Who has to agree: whoever gets cost, and the teams from whom some is taken."""
    return getting(draft) | losing(draft)


def getting(draft: RuleDraft) -> frozenset[str]:
    """Teams that the draft's rules give cost to, and all that would pay more by the simulation.

    Where only rules end, the teams of those rules too. For `unallocated` among them those alone agree who may change
    the rules of every team.
    """
    change = change_of(draft)
    owners = {team for rule in change.rules for team, _ in rule.split}
    ended = {edit.name for edit in change.edits if edit.rule is None}
    if ended and not owners:
        owners = {team for rule in rule_book()[1].rules if rule.name in ended for team, _ in rule.split}
    found = simulation_of(draft)
    return frozenset(owners | (found.payers if found else frozenset()))


def losing(draft: RuleDraft) -> frozenset[str]:
    """The teams that a draft takes something from, by its simulation; what nobody owns is free to be taken."""
    found = simulation_of(draft)
    return found.losers - {UNALLOCATED} if found else frozenset()


def concerns(draft: RuleDraft) -> frozenset[str]:
    """The teams that a draft concerns: those who have to agree; none when it fits the rules no more."""
    try:
        return needed(draft)
    except BadChange:
        return frozenset()


def visible(teams: frozenset[str] | None, by: Actor, *, number: int | None = None) -> list[RuleDraft]:
    """The drafts that somebody may see who sees these teams (None: all): their own and those that concern them."""
    found = RuleDraft.objects.select_related("ruleset").order_by("-pk")
    if number is not None:
        found = found.filter(pk=number)
    return [one for one in found if teams is None or by.is_one(one.drafted_by) or teams & concerns(one)]


def is_withheld(draft: RuleDraft, teams: frozenset[str] | None) -> bool:
    """Whether amounts of a draft are kept from somebody who sees these teams: by what their own team gains they would
    tell the cost of another from whom it is taken and who has not agreed."""
    return teams is not None and not losing(draft) <= (teams | draft.approvals.keys())


def seen_moves(draft: RuleDraft, teams: frozenset[str] | None) -> tuple[TeamMove, ...]:
    """What a draft would do to the teams that somebody sees; while amounts are withheld, to those that only lose by it:
    their part tells of nobody else."""
    found = simulation_of(draft)
    seen = tuple(move for move in found.moves if teams is None or move.team in teams) if found else ()
    if not is_withheld(draft, teams):
        return seen
    try:
        gain = getting(draft)
    except BadChange:
        return ()
    return tuple(move for move in seen if move.team in losing(draft) - gain)


def seen_outcome(step: DraftTrail, teams: frozenset[str] | None) -> str:
    """What came of a step; how much a simulation moves is for who sees all teams."""
    is_told = teams is None or step.action != "simulated"
    return step.outcome if is_told else step.outcome.partition(";")[0]


def approve(number: int, *, by: Actor, now: datetime, why: str = "") -> RuleDraft:
    """Agree for the teams one speaks for; when all who are needed agreed the draft is approved."""
    with transaction.atomic():
        draft = _locked(number, State.SIMULATED)
        _check_current(draft)
        wanted = needed(draft)
        mine = agreed(by, wanted, draft.drafted_by, giving=wanted - getting(draft))
        draft.approvals |= dict.fromkeys(sorted(mine), by.name)
        missing = sorted(wanted - set(draft.approvals))
        if not missing:
            draft.state = State.APPROVED
        draft.save()
        outcome = f"for {', '.join(sorted(mine))}" + (f"; still to agree: {', '.join(missing)}" if missing else "")
        note(draft, "approved", by=by.name, now=now, why=why, outcome=outcome)
    return draft


def publish(number: int, *, by: Actor, now: datetime) -> RuleDraft:
    """Put an approved draft in force as a new ruleset: exactly the book that was simulated."""
    try:
        with transaction.atomic():
            draft = _locked(number, State.APPROVED)
            _check_part(draft, by)
            base, _, after = books(draft)
            _check_current(draft)
            found = simulation_of(draft)
            if found is None or identity(after) != found.sha256:
                raise Outdated(f"Draft {number} would make other rules than were simulated; simulate it again.")
            if missing := sorted(needed(draft) - draft.approvals.keys()):
                raise Outdated(f"Draft {number} was not agreed to for {', '.join(missing)}; simulate it again.")
            draft.ruleset = RuleSet.objects.get(number=keep(after, now))
            draft.state = State.PUBLISHED
            draft.save()
            outcome = f"rules {draft.ruleset.number} in place of {base}"
            note(draft, "published", by=by.name, now=now, outcome=outcome)
    except IntegrityError as conflict:
        raise Outdated("Somebody else published rules at the same time; simulate the draft again.") from conflict
    return draft


def _check_current(draft: RuleDraft) -> None:
    newest = rule_book()[0]
    if draft.base != newest:
        raise Outdated(
            f"Draft {draft.pk} was simulated over rules {draft.base}, but rules {newest} are in force. Simulate it "
            "again (`manage.py rules simulate`): what it would do may be different now."
        )


def reject(number: int, *, by: Actor, now: datetime, why: str = "") -> RuleDraft:
    """Say no, with a reason."""
    return _dropped(number, State.REJECTED, by=by, now=now, why=why)


def withdraw(number: int, *, by: Actor, now: datetime, why: str = "") -> RuleDraft:
    """Take a draft of one's own back."""
    return _dropped(number, State.WITHDRAWN, by=by, now=now, why=why)


def _dropped(number: int, state: RuleDraft.State, *, by: Actor, now: datetime, why: str) -> RuleDraft:
    with transaction.atomic():
        draft = _locked(number, *OPEN)
        if state == State.WITHDRAWN and not by.is_one(draft.drafted_by):
            raise NotYours(f"Only {draft.drafted_by} can withdraw this draft; others reject it, with a reason.")
        if state == State.REJECTED:
            if not why.strip():
                raise NotNow(f"Say why draft {number} is rejected; the reason is kept in the trail.")
            _check_part(draft, by, may_be_drafter=False)
        draft.state, draft.asked = state, None
        draft.save()
        note(draft, str(state.value), by=by.name, now=now, why=why.strip())
    return draft


def _check_part(draft: RuleDraft, by: Actor, *, may_be_drafter: bool = True) -> None:
    is_drafter = may_be_drafter and by.may_draft and by.is_one(draft.drafted_by)
    is_free = by.on_rules.teams is None or is_drafter
    if not (is_free or by.speaks_for(needed(draft))):
        raise NotYours(
            "This is for who drafted it, members of the teams that pay by it, and finance, cost operations or "
            "superusers."
        )


def _locked(number: int, *states: RuleDraft.State) -> RuleDraft:
    draft = RuleDraft.objects.select_for_update().filter(pk=number).first()
    if draft is None:
        raise NoSuchDraft(f"There is no draft {number}; `manage.py rules drafts` shows those there are.")
    if draft.state not in states:
        wanted = " or ".join(states)
        raise NotNow(f"Draft {number} is {draft.state}; this needs one that is {wanted}.")
    return draft


def carry(draft: RuleDraft, *, by: Actor, now: datetime) -> RuleDraft:
    """Approve and publish what was simulated, as far as this person may."""
    if draft.state != State.SIMULATED:
        return draft
    try:
        draft = approve(draft.pk, by=by, now=now)
    except NotYours:
        return draft
    return publish(draft.pk, by=by, now=now) if draft.state == State.APPROVED else draft


def ask(draft: RuleDraft, *, now: datetime, carrier: str = "") -> RuleDraft:
    """Leave a simulation to a worker, which then carries the draft on for a user, as far as they may."""
    RuleDraft.objects.filter(pk=draft.pk, state__in=OPEN).update(asked=now, claimed=None, carrier=carrier)
    return find(draft.pk)


def claim(*, now: datetime) -> RuleDraft | None:
    """The next draft that asks to be simulated and that no other worker has begun with; claimed anew after a while."""
    asking = RuleDraft.objects.filter(asked__isnull=False).filter(Q(claimed=None) | Q(claimed__lt=now - LEASE))
    for draft in asking.order_by("asked"):
        if asking.filter(pk=draft.pk).update(claimed=now) and (draft.claimed is None or _may_go_on(draft, now)):
            return draft
    return None


def _may_go_on(draft: RuleDraft, now: datetime) -> bool:
    """Whether a draft whose worker died is tried again; each death is written down."""
    note(draft, "cut short", by="worker", now=now, outcome="The worker that simulated it died.")
    deaths = draft.trail.filter(action="cut short", at__gte=draft.asked).count()
    if deaths < MOST_DEATHS:
        return True
    unask(draft, f"{deaths} workers died while simulating it. Look for lack of memory, then ask again.", now=now)
    return False


def unask(draft: RuleDraft, why: str, *, now: datetime) -> None:
    """It cannot be simulated as it is: say so, and ask no more."""
    with transaction.atomic():
        RuleDraft.objects.filter(pk=draft.pk).update(asked=None, claimed=None, carrier="")
        note(draft, "not simulated", by="worker", now=now, outcome=why)


def note(draft: RuleDraft, action: str, *, by: str, now: datetime, why: str = "", outcome: str = "") -> None:
    """Add to a draft's trail."""
    DraftTrail.objects.create(draft=draft, at=now, by=by, action=action, why=why, outcome=outcome)
