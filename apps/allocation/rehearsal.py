"""Drafts of rules rehearsed on the last months: at once where that is quick, else by a worker."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import User

from apps.allocation import trial
from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, CHARGES, USAGE
from apps.finops.windows import ONE_DAY, Window
from apps.teams import proposals
from apps.teams.approval import Actor, NotYours, actor_of
from apps.teams.dating import applied
from apps.teams.models import RuleDraft
from apps.teams.ownership import Rule, RuleBook
from apps.teams.selectors import rule_book
from apps.teams.services import identity
from apps.teams.simulations import Simulation, TeamMove
from apps.warehouse import lake
from apps.warehouse.database import is_away

logger = logging.getLogger(__name__)

DRAFT_DAYS = 62
QUICK_ROWS, QUICK_RULES = 50_000, 100
"""So many rows of charges and usage, and so many rules times weeks, are looked at while somebody waits."""


class NothingToTryOn(CostOpsError):
    """No day is allocated yet, so there is nothing a rule could be tried on."""


def last_days(count: int) -> Window:
    """The last days that are allocated."""
    days = {file.partition["day"] for file in lake.files(ALLOCATED)}
    if not days:
        raise NothingToTryOn("No day is allocated yet: fill first (`manage.py fill`), then rules can be tried.")
    end = date.fromisoformat(max(days)) + ONE_DAY
    return Window(max(date.fromisoformat(min(days)), end - timedelta(days=count)), end)


def is_quick(window: Window, book: RuleBook) -> bool:
    """Whether a window can be attributed by a book while somebody waits: most of the time each week goes into rules."""
    weeks = -(-(window.end - window.start).days // trial.DAYS_AT_ONCE)
    if weeks * len(book.rules) > QUICK_RULES:
        return False
    first, last = str(window.start), str(window.end)
    months = {f"{day:%Y-%m}" for day in window.days()}
    usage = (
        file.rows for table in USAGE.values() for file in lake.files(table) if first <= file.partition["day"] < last
    )
    bills = (file.rows for file in lake.files(CHARGES) if file.partition["x_BillingMonth"] in months)
    return sum(usage) + sum(bills) <= QUICK_ROWS


def rehearse(draft: RuleDraft, *, by: str, now: datetime, window: Window | None = None) -> RuleDraft:
    """Find out what a draft would do, and keep it with the draft.

    `after` is what a fill makes of these days once the draft is published; `as_if` what it would have made of them
    had the draft counted from the first of them on.
    """
    window = window or last_days(DRAFT_DAYS)
    base, before, after = proposals.books(draft)
    change = proposals.change_of(draft)
    parts: list[tuple[Move, ...]] = []
    begins = min(max(change.valid_from, window.start), window.end)
    early = applied(before, change.edits, window.start) if window.start < begins else after
    if window.start < begins:
        parts.append(_moves(trial.simulate(Window(window.start, begins), before, early), counts=False))
    if begins < window.end:
        parts.append(_moves(trial.simulate(Window(begins, window.end), before, after), counts=True))
    pairs = [(before.rules, early.rules), *_states(before, after, change.valid_from)]
    taken = tuple(sorted(trial.losers(window, before, pairs)))
    found = Simulation(window.start, window.end, identity(after), _summed(parts), taken)
    return proposals.keep_simulation(draft, base, found, by=by, now=now)


def _states(before: RuleBook, after: RuleBook, since: date) -> Iterator[trial.Pair]:
    """The rules that hold without and with a draft from its day on, and from each day on which any begins or ends:
    what a draft takes later, it takes too."""
    rules = (*before.rules, *after.rules)
    days = {day for rule in rules for day in (rule.valid_from, rule.valid_to) if day and day > since}
    for day in sorted({since, *days}):
        yield _on(before, day), _on(after, day)


def _on(book: RuleBook, day: date) -> tuple[Rule, ...]:
    """The rules that decide on a day, as if they did on every day."""
    return tuple(replace(rule, valid_from=None, valid_to=None) for rule in book.rules if rule.is_valid_on(day))


Move = tuple[str, str, Decimal, Decimal, Decimal]
"""Team, currency, before, after, as if the draft had counted."""


def _moves(moves: Iterable[trial.Move], *, counts: bool) -> tuple[Move, ...]:
    return tuple(
        (move.team, move.currency, move.before, move.after if counts else move.before, move.after) for move in moves
    )


def _summed(parts: Iterable[Iterable[Move]]) -> tuple[TeamMove, ...]:
    found: dict[tuple[str, str], list[tuple[Decimal, ...]]] = {}
    for team, currency, *amounts in (move for part in parts for move in part):
        found.setdefault((team, currency), []).append(tuple(amounts))
    return tuple(
        TeamMove(*key, *(add_up(column) for column in zip(*rows, strict=True))) for key, rows in sorted(found.items())
    )


def rehearse_or_ask(draft: RuleDraft, *, by: str, now: datetime, carrier: str = "") -> RuleDraft:
    """Rehearse at once when that is quick; else leave it to a worker, which does so within minutes."""
    if is_quick(last_days(DRAFT_DAYS), rule_book()[1]):
        return rehearse(draft, by=by, now=now)
    return proposals.ask(draft, now=now, carrier=carrier)


def act(draft: RuleDraft, action: str, *, by: Actor, now: datetime, why: str = "") -> RuleDraft:
    """What pages and programs do to a draft, by the name of the action."""
    if action == "simulate":
        if not by.may_draft:
            raise NotYours("Rules are tried by members of a team, and by finance, cost operations or superusers.")
        return rehearse_or_ask(draft, by=by.name, now=now)
    if action == "publish":
        return proposals.publish(draft.pk, by=by, now=now)
    decide = {"approve": proposals.approve, "reject": proposals.reject, "withdraw": proposals.withdraw}.get(action)
    if decide is None:
        raise proposals.NotNow(f"There is no action {action[:30]!r}; a draft can be simulated, approved and so on.")
    return decide(draft.pk, by=by, now=now, why=why)


def rehearse_asked(*, now: datetime) -> int:
    """What a worker does: rehearse every draft that asks for it, and carry it on for whoever accepted it. A draft that
    cannot be rehearsed is told why in its trail, and asks no more: neither does one that fails for a fault of ours."""
    done = 0
    while (draft := proposals.claim(now=now)) is not None:
        try:
            kept = rehearse(draft, by="worker", now=now)
            done += 1
            if user := User.objects.filter(username=draft.carrier).first():
                proposals.carry(kept, by=actor_of(user), now=now)
        except CostOpsError as refused:
            proposals.unask(draft, str(refused), now=now)
        except SoftTimeLimitExceeded:  # the draft is followed as that of a dead worker
            raise
        except Exception as fault:  # a fault with one draft is told, and keeps no other waiting
            if is_away(fault):  # waiting mends it: the draft is claimed again
                raise
            logger.exception("draft %d: not simulated", draft.pk)
            why = f"It failed for a fault of CostOps ({type(fault).__name__}); see the log of the worker."
            proposals.unask(draft, why, now=now)
    return done
