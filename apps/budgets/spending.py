"""What budgets' days cost, asked together for those that are of the same dimension, in each budget's own currency."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.core.cache import cache

from apps.budgets.models import Budget
from apps.estimates.selectors import estimates
from apps.finops.money import add_up
from apps.finops.tables import DIMENSIONS
from apps.finops.tags import NOT_RECORDED, key_of
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import Answer, CostQuery
from apps.marts.selectors import CACHE_SECONDS, answer, identity
from apps.marts.tagging import tag_dimensions
from apps.rates.selectors import MissingRate, newest_version, version_identity
from apps.teams.organising import newest_tree_number, tree_identity

MOST_ROWS = 60_000
"""Of one question: those of several currencies are still within what an answer may hold."""
Costs = Mapping[date, Decimal]


@dataclass(frozen=True)
class Spent:
    """The cost of each day in a budget's currency. `is_converted`: some of it was charged in another one. Where a rate
    (from, to, day) is `missing`, or cost is not told by the dimension `untold`, nothing is known."""

    days: Costs = field(default_factory=dict)
    is_converted: bool = False
    missing: tuple[str, str, date] | None = None
    untold: str = ""

    @property
    def is_known(self) -> bool:
        return self.missing is None and not self.untold

    def between(self, start: date, end: date) -> Decimal:
        return add_up(cost for day, cost in self.days.items() if start <= day < end)

    def until(self, end: date) -> "Spent":
        return replace(self, days={day: cost for day, cost in self.days.items() if day < end})


def spending(budgets: Iterable[Budget], window: Window, pinned: Publication) -> dict[int, Spent]:
    """What each budget's days within a window cost, by the number of the budget."""
    return _spent(budgets, window, pinned, answer)


def estimated(budgets: Iterable[Budget], window: Window, pinned: Publication) -> dict[int, Spent]:
    """The same of what is estimated: days that wait for their bill. Estimates are not cached where they are read, and a
    page of many budgets asks many."""
    chosen = list(budgets)
    asked = sorted((one.pk, one.dimension, one.value, one.metric, one.currency) for one in chosen)
    versions = version_identity(newest_version()), tree_identity(newest_tree_number())
    told = hashlib.sha256(repr((asked, window, versions)).encode()).hexdigest()
    key = f"estimated:{identity(pinned)}:{told}"
    found: dict[int, Spent] | None = cache.get(key)
    if found is None:
        found = _spent(chosen, window, pinned, lambda query: estimates(query).answer)
        cache.set(key, found, CACHE_SECONDS)
    return found


Ask = Callable[[CostQuery], Answer]


def _spent(budgets: Iterable[Budget], window: Window, pinned: Publication, ask: Ask) -> dict[int, Spent]:
    chosen, kept = list(budgets), tag_dimensions()
    untold = [one for one in chosen if key_of(one.dimension) and one.dimension not in kept]
    found = {one.pk: Spent(untold=one.dimension) for one in untold}
    for query, alike in _questions([one for one in chosen if one.pk not in found], window, pinned):
        by_value: dict[str, dict[str, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
        for day, *value, currency, cost in ask(query).rows:
            by_value[value[0] if value else ""][currency][day] = cost
        for budget in alike:
            if _may_be_untold(budget.dimension) and NOT_RECORDED in by_value:
                found[budget.pk] = Spent(untold=budget.dimension)
                continue
            costs = by_value.get(budget.value if len(query.group_by) > 1 else "", {})
            found[budget.pk] = _in_its_currency(budget, costs, query, ask)
    return found


def _questions(
    budgets: Iterable[Budget], window: Window, pinned: Publication
) -> Iterator[tuple[CostQuery, Sequence[Budget]]]:
    """The fewest questions that answer for every budget: values of one dimension together, levels one by one, whose
    filters look higher up than their groups."""
    alike: dict[tuple[str, str, str], list[Budget]] = defaultdict(list)
    for budget in budgets:
        own = "" if _is_grouped(budget.dimension) else budget.value
        alike[budget.dimension, budget.metric, own].append(budget)
    most = max(1, MOST_ROWS // (window.end - window.start).days)
    for (dimension, metric, _), many in sorted(alike.items()):
        for first in range(0, len(many), most):
            part = many[first : first + most]
            asked = {one.value for one in part} | ({NOT_RECORDED} if _may_be_untold(dimension) else set())
            yield CostQuery(
                window.start, window.end, metric=metric, as_of=pinned.number,
                group_by=("day", dimension) if _is_grouped(dimension) else ("day",),
                filters=((dimension, tuple(sorted(asked))),) if dimension else (),
            ), part  # fmt: skip


def _may_be_untold(dimension: str) -> bool:
    """Whether cost that was attributed earlier may not say what it has of it."""
    return dimension == "provider" or bool(key_of(dimension))


def _is_grouped(dimension: str) -> bool:
    """Whether one question tells many values of it apart."""
    return dimension in DIMENSIONS or bool(key_of(dimension))


def _in_its_currency(budget: Budget, costs: Mapping[str, Costs], query: CostQuery, ask: Ask) -> Spent:
    """Costs of no other currency as they are; others only by the rates of their days, all of them or nothing."""
    if set(costs) <= {budget.currency}:
        return Spent(costs.get(budget.currency, {}))
    converted = CostQuery(
        query.start, query.end, metric=query.metric, group_by=("day",), as_of=query.as_of, currency=budget.currency,
        filters=((budget.dimension, (budget.value,)),) if budget.dimension else (),
    )  # fmt: skip
    try:
        return Spent({day: cost for day, _, cost in ask(converted).rows}, is_converted=True)
    except MissingRate as missing:
        return Spent(is_converted=True, missing=(missing.source, missing.target, missing.day))
