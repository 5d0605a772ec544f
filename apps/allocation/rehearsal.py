"""Drafts of rules rehearsed on the last months: at once where that is quick, else by a worker."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from apps.allocation import trial
from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, CHARGES, USAGE
from apps.finops.windows import ONE_DAY, Window
from apps.teams import proposals
from apps.teams.dating import applied
from apps.teams.models import RuleDraft
from apps.teams.proposals import Simulation, TeamMove
from apps.teams.services import identity
from apps.warehouse import lake

DRAFT_DAYS = 62
QUICK_ROWS = 300_000
"""Up to so many rows of charges and usage are looked at while somebody waits: a few seconds."""


class NothingToTryOn(CostOpsError):
    """No day is allocated yet, so there is nothing a rule could be tried on."""


def last_days(count: int) -> Window:
    """The last days that are allocated."""
    days = {file.partition["day"] for file in lake.files(ALLOCATED)}
    if not days:
        raise NothingToTryOn("No day is allocated yet: fill first (`manage.py fill`), then rules can be tried.")
    end = date.fromisoformat(max(days)) + ONE_DAY
    return Window(max(date.fromisoformat(min(days)), end - timedelta(days=count)), end)


def is_quick(window: Window) -> bool:
    """Whether a window is small enough to be attributed while somebody waits."""
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
    if window.start < begins:
        early = applied(before, change.edits, window.start)
        parts.append(_moves(trial.simulate(Window(window.start, begins), before, early), counts=False))
    if begins < window.end:
        parts.append(_moves(trial.simulate(Window(begins, window.end), before, after), counts=True))
    found = Simulation(window.start, window.end, identity(after), _summed(parts))
    return proposals.keep_simulation(draft, base, found, by=by, now=now)


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


def rehearse_or_ask(draft: RuleDraft, *, by: str, now: datetime, window: Window | None = None) -> RuleDraft:
    """Rehearse at once when that is quick; else leave it to a worker, which does so within minutes."""
    if is_quick(window or last_days(DRAFT_DAYS)):
        return rehearse(draft, by=by, now=now, window=window)
    proposals.ask(draft, now=now)
    return proposals.find(draft.pk)


def rehearse_asked(*, now: datetime) -> int:
    """What a worker does: rehearse every draft that asks for it. One that cannot be is told why in its trail."""
    done = 0
    while (draft := RuleDraft.objects.filter(asked__isnull=False).order_by("asked").first()) is not None:
        try:
            rehearse(draft, by="worker", now=now)
            done += 1
        except CostOpsError as refused:
            with transaction.atomic():
                RuleDraft.objects.filter(pk=draft.pk).update(asked=None)
                proposals.note(draft, "not simulated", by="worker", now=now, outcome=str(refused))
    return done
