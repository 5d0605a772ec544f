"""Setting budgets: one or many, from a period on; what was decided before stays."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction

from apps.budgets import selectors, sheet
from apps.budgets.drafts import FIXED, BadBudget, Checked, Draft, check, draft_of
from apps.budgets.models import Budget, BudgetVersion, version_on
from apps.budgets.people import must_be_finance
from apps.calendars.periods import period_of
from apps.calendars.selectors import today
from apps.finops.sheets import Wrong, refuse
from apps.teams.approval import Actor


@dataclass(frozen=True)
class Brought:
    """How many budgets a file held, and how many of them are new, changed, or as they were."""

    new: int
    changed: int
    same: int


@transaction.atomic
def create(draft: Draft, *, by: Actor, now: datetime) -> Budget:
    """Set a budget that there is not yet. It may begin in the past: its first periods are told like any other's."""
    must_be_finance(by)
    return _create(check(draft), by, now)


@transaction.atomic
def change(number: int, changes: dict[str, Any], *, by: Actor, now: datetime) -> Budget:
    """Decide anew about a budget, from a period on that is not over: the past is not rewritten."""
    must_be_finance(by)
    budget = _held(number)
    for name in FIXED:
        if name in changes and changes[name] != getattr(budget, name):
            raise BadBudget(name, "what a budget is of, its periods, currency and basis stay; end it and set another")
    before = draft_of(budget, selectors.newest_version(budget), selectors.end_of(budget))
    start = period_of(budget.grain, today(now)).start
    anew: dict[str, Any] = {"valid_from": max(start, before.valid_from or start), "why": ""}
    checked = check(replace(before, **anew | changes))
    _change(budget, checked, by, now)
    return budget


@transaction.atomic
def end(number: int, day: date | None, *, by: Actor, now: datetime, why: str = "") -> Budget:
    """Let a budget hold no longer from the period on that begins on a day."""
    must_be_finance(by)
    budget = _held(number)
    draft = replace(draft_of(budget, selectors.newest_version(budget), None), why=why, valid_from=day)
    checked = check(draft)
    _refuse_past(budget, checked.valid_from, now)
    _end(budget, checked.valid_from, by, now, why)
    return budget


def bring(content: bytes, name: str, *, by: Actor, now: datetime) -> Brought:
    """Take a file of budgets: those of a known name are changed where they differ, others are new; all or nothing."""
    must_be_finance(by)
    rows = sheet.read(content, name)
    wrong: list[Wrong] = []
    done: list[str] = []
    with transaction.atomic():
        for line, draft in rows:
            try:
                done.append(_bring(draft, by, now))
            except BadBudget as bad:
                wrong.append(Wrong(line, f"column {bad.field}: {bad.message}"))
        refuse(name, wrong)
    return Brought(*(done.count(what) for what in ("new", "changed", "same")))


def _bring(draft: Draft, by: Actor, now: datetime) -> str:
    checked = check(draft)
    budget = Budget.objects.select_for_update().filter(name=draft.name).first()
    if budget is None:
        _create(checked, by, now)
        return "new"
    for name in FIXED:
        if getattr(draft, name) != getattr(budget, name):
            raise BadBudget(
                name, f"budget {draft.name[:40]!r} is of {getattr(budget, name) or 'all cost'!r}, which stays"
            )
    known = selectors.versions_of(budget)
    held = version_on(known, checked.valid_from)
    is_same = held is not None and all(getattr(held, name) == value for name, value in checked.decided().items())
    if is_same and selectors.end_of(budget) == draft.valid_to:
        return "same"
    _change(budget, checked, by, now, is_same=is_same)
    return "changed"


def _create(checked: Checked, by: Actor, now: datetime) -> Budget:
    if Budget.objects.filter(name=checked.draft.name).exists():
        raise BadBudget("name", f"there is a budget {checked.draft.name[:40]!r} already")
    budget = Budget.objects.create(**checked.fixed())
    _decide(budget, checked, by, now)
    if checked.draft.valid_to is not None:
        _end(budget, checked.draft.valid_to, by, now, checked.draft.why)
    return budget


def _change(budget: Budget, checked: Checked, by: Actor, now: datetime, *, is_same: bool = False) -> None:
    if not is_same:
        _refuse_past(budget, checked.valid_from, now)
        _decide(budget, checked, by, now)
    ends, ended = checked.draft.valid_to, selectors.end_of(budget)
    if ends is not None and ends != ended:
        _refuse_past(budget, ends, now)
        _end(budget, ends, by, now, checked.draft.why)
    elif ends is None and ended is not None and checked.valid_from < ended:
        _refuse_past(budget, ended, now)
        _decide(budget, replace(checked, valid_from=ended), by, now)


def _refuse_past(budget: Budget, day: date, now: datetime) -> None:
    start = period_of(budget.grain, today(now)).start
    if day < start:
        raise BadBudget("valid_from", f"{day} is over; a budget is changed from {start} on, its past stays")


def _decide(budget: Budget, checked: Checked, by: Actor, now: datetime) -> None:
    BudgetVersion.objects.create(
        budget=budget, valid_from=checked.valid_from, by=by.name[:150], at=now, why=checked.draft.why.strip(),
        **checked.decided(),
    )  # fmt: skip


def _end(budget: Budget, day: date, by: Actor, now: datetime, why: str) -> None:
    BudgetVersion.objects.create(budget=budget, valid_from=day, by=by.name[:150], at=now, why=why.strip())


def _held(number: int) -> Budget:
    """A budget that nobody else changes until the transaction ends."""
    found = Budget.objects.select_for_update().filter(pk=number).first()
    if found is None:
        raise selectors.NoSuchBudget(f"There is no budget {number}.")
    return found
