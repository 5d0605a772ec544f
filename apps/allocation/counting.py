"""What every rule in force did in the last days: counted once, by who asks first where that is quick, else a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.allocation import trial
from apps.allocation.rehearsal import NothingToTryOn, is_quick, last_days
from apps.finops.windows import Window
from apps.teams.models import RuleCount, RuleSet
from apps.teams.ownership import ClusterRule, Rule, RuleBook
from apps.teams.proposals import LEASE

COUNT_DAYS = 28
AGE = timedelta(days=1)
"""Older counts of the same days are counted again: their charges may have been restated."""


@dataclass(frozen=True)
class CountedRule:
    """A rule, or one of clusters, and what it did, as `trial.RuleUse` says it; None where it was not counted yet."""

    order: int
    rule: Rule
    cost: Mapping[str, Decimal]
    decided: int | None = None
    matched: int | None = None
    hidden_by: str = ""
    verdict: str = ""
    of_cluster: ClusterRule | None = None


@dataclass(frozen=True)
class CountedBook:
    """The rules in force, in order, those of clusters last; `window` None: not counted yet."""

    ruleset: int
    rules: tuple[CountedRule, ...]
    window: Window | None
    counted_at: datetime | None


def counted(*, now: datetime) -> CountedBook:
    """The rules in force and what they did in the last days: counted now when nobody did and it is quick, else as a
    worker counted them last."""
    newest = RuleSet.objects.order_by("-number").first()
    if newest is None:
        return CountedBook(0, (), None, None)
    book = RuleBook.from_document(newest.document)
    kept = _kept(newest, book, now)
    if kept is None:
        return CountedBook(newest.number, _uncounted(book), None, None)
    rows = zip_longest(_uncounted(book), kept.rows or ())  # rules of clusters have none where an older version counted
    told = tuple(_counted(one, row) if row else one for one, row in rows)
    return CountedBook(newest.number, told, Window(kept.start, kept.end), kept.counted_at)


def _kept(ruleset: RuleSet, book: RuleBook, now: datetime) -> RuleCount | None:
    try:
        window = last_days(COUNT_DAYS)
    except NothingToTryOn:
        return None
    counts = RuleCount.objects.filter(ruleset=ruleset, rows__isnull=False)
    kept = counts.filter(start=window.start, end=window.end).first()
    if kept is None and is_quick(window, book):
        return _count(ruleset, book, window, now)
    return kept or counts.order_by("-end", "-pk").first()


def count_due(*, now: datetime) -> bool:
    """What a worker does: count the rules in force where nobody has, or not for a while; whether it did."""
    newest = RuleSet.objects.order_by("-number").first()
    try:
        window = last_days(COUNT_DAYS)
    except NothingToTryOn:
        return False
    if newest is None:
        return False
    row, _ = RuleCount.objects.get_or_create(ruleset=newest, start=window.start, end=window.end)
    due = RuleCount.objects.filter(pk=row.pk).filter(Q(rows__isnull=True) | Q(counted_at__lt=now - AGE))
    if not due.filter(Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)).update(claimed_at=now):
        return False
    _count(newest, RuleBook.from_document(newest.document), window, now)
    return True


def seen_by(book: CountedBook, teams: frozenset[str] | None) -> CountedBook:
    """Of a counted book what somebody may see who sees these teams (None: all): the rules that give cost to one of
    them, and what they decided where nobody else has a part in it. Rules of clusters name no team."""
    if teams is None:
        return book
    mine = [one for one in book.rules if teams & _payers(one.rule)]
    names = {one.rule.name for one in mine}
    seen = [
        replace(
            one,
            cost=one.cost if _payers(one.rule) <= teams else {},
            hidden_by=one.hidden_by if one.hidden_by in names else "",
        )
        for one in mine
    ]
    return replace(book, rules=tuple(seen))


def payers(rule: Rule) -> str:
    """Who pays by a rule, in words."""
    whole = sum(weight for _, weight in rule.split)
    return ", ".join(team if weight == whole else f"{team} {weight * 100 / whole:g} %" for team, weight in rule.split)


def _payers(rule: Rule) -> frozenset[str]:
    return frozenset(team for team, _ in rule.split)


def _uncounted(book: RuleBook) -> tuple[CountedRule, ...]:
    rules = enumerate([*book.rules, *(rule.as_rule for rule in book.clusters)], 1)
    of_clusters = (*(None for _ in book.rules), *book.clusters)
    return tuple(CountedRule(*one, {}, of_cluster=rule) for one, rule in zip(rules, of_clusters, strict=True))


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
            ruleset=ruleset,
            start=window.start,
            end=window.end,
            defaults={"rows": rows, "counted_at": now, "claimed_at": None},
        )
        RuleCount.objects.exclude(pk=kept.pk).delete()
    return kept


def _counted(one: CountedRule, row: dict[str, Any]) -> CountedRule:
    cost = {currency: Decimal(amount) for currency, amount in sorted(row["cost"].items())}
    return replace(one, cost=cost, **{name: row[name] for name in ("decided", "matched", "hidden_by", "verdict")})
