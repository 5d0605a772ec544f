"""Closing a month, and verifying everything that was closed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.books import manual, selectors, statement
from apps.books.changes import month_window
from apps.books.models import GENESIS, Close, ManualEntry, TrailEntry
from apps.books.readiness import objections
from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import COSTS
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.rates.selectors import first_gap, rates
from apps.rates.services import lock_month


class CannotClose(CostOpsError):
    """The month cannot be closed as asked; nothing was."""


class NotReady(CannotClose):
    """Something speaks against closing the month, and nobody said why it should be closed nevertheless."""


@dataclass(frozen=True)
class Verdict:
    """What verifying one closed month found; empty `problem`: its statement and its chain are as they were."""

    month: str
    sha256: str
    problem: str = ""


def close(month: str, *, by: str, now: datetime, reason: str = "") -> Close:
    """Close a month: pin the newest publication for it, book what changed of earlier months, chain its statement.

    Months are closed in order. What speaks against it refuses, unless `reason` says why to close nevertheless.
    """
    window, pinned, last = month_window(month), publication(), selectors.last_close()
    _check_order(month, pinned, last)
    against = [str(one) for one in objections(month, window, pinned, now)]
    if against and not reason.strip():
        refused = NotReady(
            f"{month} is not closed. {' '.join(against)} To close it nevertheless, give a reason (--force)."
        )
        refused.stays = partial(note, "refused to close", month, by=by, now=now, outcome=" ".join(against))
        refused.stays()
        raise refused
    changed = selectors.adjustments(month, last.publication, pinned) if last else []
    booked = list(manual.waiting().filter(original_month__lte=month))
    closed = Close(
        number=last.number + 1 if last else 1,
        month=month,
        publication=pinned,
        entries=[*changed, *manual.rows(booked, month)],
        manual=manual.document(booked),
        closed_at=now,
        closed_by=by,
        reason=reason.strip() if against else "",
        objections=against,
        previous_sha256=last.sha256 if last else GENESIS,
    )
    told = statement.rows(closed)
    closed.csv_sha256 = statement.digest(statement.as_csv(told))
    closed.sha256 = statement.digest(statement.as_json(closed, told))
    try:
        with transaction.atomic():
            closed.save(force_insert=True)
            _hold(closed, booked)
            outcome = f"publication {pinned.number}, {len(told)} rows, sha256 {closed.sha256}"
            note("forced to close" if against else "closed", month, by=by, now=now, why=reason.strip(), outcome=outcome)
            _lock_rates(closed, window)
    except IntegrityError as conflict:
        raise CannotClose(f"{month}: somebody else closed a month at the same time; look again.") from conflict
    return closed


def _hold(closed: Close, booked: list[ManualEntry]) -> None:
    """The statement holds these entries from now on, and no other will."""
    mine = ManualEntry.objects.filter(pk__in=[one.pk for one in booked], close=None)
    if mine.update(close=closed) != len(booked):
        raise CannotClose(f"{closed.month}: somebody else closed a month at the same time; look again.")


def _lock_rates(closed: Close, window: Window) -> None:
    """What the month was reported with in other currencies stays.

    Left open are the rates of a month that has none (nothing was converted, and locked it could never be), and of one
    that was forced to close before it was over or with gaps in its rates.
    """
    is_over = window.is_over(closed.closed_at, ZoneInfo(settings.COSTOPS_TIME_ZONE))
    if is_over and rates(start=window.start, end=window.end) and not first_gap(window):
        reason = f"closed from publication {closed.publication.number}"
        lock_month(closed.month, by=closed.closed_by, now=closed.closed_at, reason=reason)


def _check_order(month: str, pinned: Publication, last: Close | None) -> None:
    if last and month <= last.month:
        raise CannotClose(
            f"{month} is closed, with all months up to {last.month}. A closed month is never opened again: what "
            "changes it becomes an adjusting entry of the open month (`manage.py close pending`)."
        )
    due = selectors.next_month(pinned)
    if due is None or month > max(selectors.months_of(pinned)):
        raise CannotClose(f"Publication {pinned.number} holds no cost of {month}: there is nothing to close.")
    if month not in selectors.months_of(pinned):
        raise CannotClose(f"Publication {pinned.number} holds no cost of {month}; the next month to close is {due}.")
    if month != due:
        raise CannotClose(f"Months are closed in their order: {due} comes before {month}.")
    if last and pinned.number < last.publication.number:
        raise CannotClose(f"Publication {pinned.number} is older than what {last.month} was closed from.")


def note(action: str, subject: str, *, by: str, now: datetime, why: str = "", outcome: str = "") -> TrailEntry:
    """Add to the trail."""
    return TrailEntry.objects.create(at=now, by=by, action=action, subject=subject, why=why, outcome=outcome)


def verify(*, by: str, now: datetime) -> list[Verdict]:
    """Rebuild every statement from what it pins, and check its bytes, its entries and the chain."""
    verdicts, before = [], None
    for closed in selectors.closes():
        verdicts.append(Verdict(closed.month, closed.sha256, _problem(closed, before)))
        before = closed
    broken = [verdict.month for verdict in verdicts if verdict.problem]
    outcome = f"broken: {', '.join(broken)}" if broken else f"{len(verdicts)} statements are as they were"
    note("verified", "all closed months", by=by, now=now, outcome=outcome)
    return verdicts


def _problem(closed: Close, before: Close | None) -> str:
    if closed.number != (before.number + 1 if before else 1):
        return f"Statement number {closed.number - 1} before it is gone."
    if closed.previous_sha256 != (before.sha256 if before else GENESIS):
        return "The chain is broken: it does not follow from the statement before."
    try:
        told = statement.rows(closed)
        if statement.digest(statement.as_csv(told)) != closed.csv_sha256:
            return "The CSV statement is not the one that was closed."
        if statement.digest(statement.as_json(closed, told)) != closed.sha256:
            return "The JSON statement is not the one that was closed."
        if wrong := manual.problem(closed):
            return wrong
        until = month_window(closed.month).start
        if before and _added(closed.entries) != selectors.moved(before.publication, closed.publication, until):
            return "The adjusting entries are not what changed of earlier months."
    except Exception as error:  # noqa: BLE001  # whatever hinders rebuilding a statement is the finding
        return f"It cannot be rebuilt: {type(error).__name__}: {error}"
    return ""


def _added(entries: Iterable[statement.Entry]) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """Adjusting entries added up over their classes, but for those that people booked."""
    sums: dict[tuple[str, ...], list[tuple[Decimal, ...]]] = defaultdict(list)
    for row in (one for one in entries if one["class"] not in manual.CLASSES):
        key = (row["original_month"], *(row[name] for name in statement.KEY))
        sums[key].append(tuple(Decimal(row[basis]) for basis in COSTS))
    added = {key: tuple(add_up(column) for column in zip(*rows, strict=True)) for key, rows in sums.items()}
    return {key: costs for key, costs in added.items() if any(costs)}
