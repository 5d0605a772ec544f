"""What every rule in force did in the last days: counted once, by who asks first where that is quick, else a worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.allocation import trial
from apps.allocation.rehearsal import NothingToTryOn, is_quick, last_days
from apps.finops.windows import Window
from apps.teams.models import RuleCount, RuleSet
from apps.teams.ownership import Rule, RuleBook

COUNT_DAYS = 28
AGE = timedelta(days=1)
"""Older counts of the same days are counted again: their charges may have been restated."""


@dataclass(frozen=True)
class CountedRule:
    """A rule and what it did, as `trial.RuleUse` says it; None where it was not counted yet."""

    order: int
    rule: Rule
    cost: Mapping[str, Decimal]
    decided: int | None = None
    matched: int | None = None
    hidden_by: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class CountedBook:
    """The rules in force, in order; `window` None: not counted yet."""

    ruleset: int
    rules: tuple[CountedRule, ...]
    window: Window | None
    counted_at: datetime | None


def counted(*, now: datetime, is_waited_for: bool = True) -> CountedBook:
    """The rules in force and what they did in the last days; counted now when nobody did and it is quick."""
    newest = RuleSet.objects.order_by("-number").first()
    if newest is None:
        return CountedBook(0, (), None, None)
    book = RuleBook.from_document(newest.document)
    try:
        window = last_days(COUNT_DAYS)
    except NothingToTryOn:
        return _uncounted(newest, book)
    kept = RuleCount.objects.filter(ruleset=newest, start=window.start, end=window.end).first()
    if kept and not is_waited_for and kept.counted_at < now - AGE:
        kept = None
    if kept is None and is_waited_for and not is_quick(window):
        kept = RuleCount.objects.filter(ruleset=newest).order_by("-end", "-pk").first()
        if kept is None:
            return _uncounted(newest, book)
    kept = kept or _count(newest, book, window, now)
    rules = tuple(
        _counted(order, rule, row) for order, (rule, row) in enumerate(zip(book.rules, kept.rows, strict=True), 1)
    )
    return CountedBook(newest.number, rules, Window(kept.start, kept.end), kept.counted_at)


def _uncounted(ruleset: RuleSet, book: RuleBook) -> CountedBook:
    return CountedBook(
        ruleset.number, tuple(CountedRule(order, rule, {}) for order, rule in enumerate(book.rules, 1)), None, None
    )


def _count(ruleset: RuleSet, book: RuleBook, window: Window, now: datetime) -> RuleCount:
    rows = [
        {
            "cost": {currency: str(amount) for currency, amount in use.cost.items()},
            "decided": use.decided,
            "matched": use.matched,
            "hidden_by": use.hidden_by,
            "verdict": use.verdict(window),
        }
        for use in trial.use(window, book)
    ]
    with transaction.atomic():
        kept, _ = RuleCount.objects.update_or_create(
            ruleset=ruleset, start=window.start, end=window.end, defaults={"rows": rows, "counted_at": now}
        )
        RuleCount.objects.exclude(pk=kept.pk).delete()
    return kept


def _counted(order: int, rule: Rule, row: dict[str, Any]) -> CountedRule:
    cost = {currency: Decimal(amount) for currency, amount in sorted(row["cost"].items())}
    return CountedRule(order, rule, cost, *(row[name] for name in ("decided", "matched", "hidden_by", "verdict")))
