"""Rules on trial: what a book of rules would do with days that are known, and which of its rules do anything."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from apps.allocation import facts, ownership
from apps.allocation.policies import settle
from apps.allocation.services import attribute
from apps.finops.money import add_up
from apps.finops.tables import MONEY
from apps.finops.windows import Window, contiguous
from apps.teams.ownership import CHARGE_FIELDS, IDLE_FIELDS, WORKLOAD_FIELDS, ClusterRule, Rule, RuleBook
from apps.warehouse.engine import Workspace, rows_of

DAYS_AT_ONCE = 7
_WORKLOAD = ["day", "cluster", "namespace", "workload"]
Matrix = Counter[tuple[int, int]]
"""(the rule that decided, a rule that matches) → how many subjects; rules by number, -1 when none decided."""


@dataclass(frozen=True)
class Move:
    """Effective cost of a team before and after a change of rules, in one currency."""

    team: str
    currency: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True)
class RuleUse:
    """What a rule does in a window.

    `cost` is the effective cost it decided, by currency, what was passed on by platform namespaces included. `decided`
    and `matched` count subjects a day: workloads, idle pools and charges. Where an earlier rule took subjects that this
    one matches, `hidden_by` names the one that took most. For a rule of clusters, which is `of_cluster` then, subjects
    are charges, `cost` is what it gave to the cluster, and `rule` says when it matches.
    """

    rule: Rule
    cost: dict[str, Decimal]
    decided: int
    matched: int
    hidden_by: str
    of_cluster: ClusterRule | None = None

    def verdict(self, window: Window) -> str:
        if self.decided:
            return "partly hidden" if self.matched > self.decided else ""
        if not any(self.rule.is_valid_on(day) for day in window.days()):
            return "not valid then"
        return "hidden" if self.matched else "matches nothing"


def simulate(window: Window, before: RuleBook, after: RuleBook) -> tuple[Move, ...]:
    """Who would gain and who would lose: the same days attributed by both books, nothing written.

    What fill would make of the days when `after` is imported is exactly the cost told here.
    """
    costs = [_by_team(window, book) for book in (before, after)]
    keys = sorted(costs[0].keys() | costs[1].keys())
    return tuple(
        Move(team, currency, *(cost.get((team, currency), Decimal(0)) for cost in costs)) for team, currency in keys
    )


Pair = tuple[tuple[Rule, ...], tuple[Rule, ...]]
"""The rules before and after a change of them."""


def losers(window: Window, book: RuleBook, pairs: Iterable[Pair]) -> frozenset[str]:
    """The teams to whom by any of the changes less of a workload, an idle pool or a charge of these days belongs.

    What they gain by others does not count against it, nor what is passed on to them: this asks whose something is.
    All but the rules is as `book` says.
    """
    changes = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    every = replace(book, rules=tuple(rule for pair in changes for rules in pair for rule in rules))
    found: set[str] = set()
    for part in _parts(window) if changes else ():
        with Workspace() as workspace:
            inputs = facts.read(part, book, workspace)
            pools = workspace.keep(inputs.pools())
            for subjects, fields in _subjects(inputs, pools, every):
                for pair in changes:
                    found |= _less(subjects, pair, fields, workspace)
    return frozenset(found)


def _less(subjects: ir.Table, pair: Pair, fields: tuple[str, ...], workspace: Workspace) -> set[str]:
    before, after = pair
    was = ownership.first_of(subjects, list(enumerate(before)), fields, workspace).rename(was="number")
    both = ownership.first_of(was, list(enumerate(after)), fields, workspace)
    return {
        team
        for old, new in rows_of(both.select("was", "number").distinct())
        for team, share in _shares(before, old).items()
        if _shares(after, new).get(team, 0) < share
    }


def _shares(rules: tuple[Rule, ...], number: int) -> dict[str, Fraction]:
    split = rules[number].split if number >= 0 else ()
    return {team: Fraction(weight, sum(one for _, one in split)) for team, weight in split}


def use(window: Window, book: RuleBook) -> tuple[RuleUse, ...]:
    """What each rule of a book does in a window, in the book's order; the rules of clusters come last."""
    cost = _summed(window, book, "rule")
    matrix: Matrix = Counter()
    of_clusters: Matrix = Counter()
    given: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for part in _parts(window):
        with Workspace() as workspace:
            inputs = facts.read(part, book, workspace)
            pools = workspace.keep(inputs.pools())
            for subjects, fields in _subjects(inputs, pools, book):
                matrix += _matches(subjects, book, fields, workspace)
            if book.clusters:
                of_clusters += _matches(pools, as_rules(book), CHARGE_FIELDS, workspace)
                for number, currency, amount in _given(pools):
                    given[book.clusters[number].name, currency].append(amount)
    to_clusters = {key: add_up(found) for key, found in given.items()}
    return (
        *(_use(number, book, cost, matrix) for number in range(len(book.rules))),
        *(
            replace(_use(number, as_rules(book), to_clusters, of_clusters), of_cluster=rule)
            for number, rule in enumerate(book.clusters)
        ),
    )


def as_rules(book: RuleBook) -> RuleBook:
    """The rules of clusters of a book, as rules that match the same charges."""
    return RuleBook(tuple(rule.as_rule for rule in book.clusters))


def _given(pools: ir.Table) -> list[tuple[int, str, Decimal]]:
    """(number of a rule of clusters, currency, the effective cost it gave to its cluster)."""
    mine = pools.filter(pools.cluster_rule >= 0)
    summed = mine.group_by("cluster_rule", "currency").aggregate(cost=mine.effective_cost.sum().cast(MONEY))
    return [(number, currency, cost) for number, currency, cost in rows_of(summed)]


def _use(number: int, book: RuleBook, cost: dict[tuple[str, str], Decimal], matrix: Matrix) -> RuleUse:
    rule = book.rules[number]
    taken = {decided: count for (decided, matching), count in matrix.items() if matching == number and count}
    others = {decided: count for decided, count in taken.items() if decided != number}
    return RuleUse(
        rule=rule,
        cost={currency: amount for (name, currency), amount in cost.items() if name == rule.name},
        decided=taken.get(number, 0),
        matched=sum(taken.values()),
        hidden_by=book.rules[max(others, key=lambda one: (others[one], -one))].name if others else "",
    )


def _by_team(window: Window, book: RuleBook) -> dict[tuple[str, str], Decimal]:
    return _summed(window, book, "team")


def _summed(window: Window, book: RuleBook, name: str) -> dict[tuple[str, str], Decimal]:
    """The effective cost of a window by one column of `allocated` and currency."""
    amounts: dict[tuple[str, str], list[Decimal]] = {}
    for rows in attributed(window, book):
        summed = rows.group_by(name, "currency").aggregate(cost=rows.effective_cost.sum().cast(MONEY))
        for value, currency, cost in rows_of(summed):
            amounts.setdefault((value, currency), []).append(cost)
    return {key: add_up(found) for key, found in amounts.items()}


def attributed(window: Window, book: RuleBook) -> Iterator[ir.Table]:
    """The rows of `allocated` that a book makes of a window, some days at once; nothing is written."""
    for part in _parts(window):
        with Workspace() as workspace:
            inputs = facts.read(part, book, workspace)
            pools = workspace.keep(inputs.pools())
            claimed, rest, _ = attribute(inputs, pools, book, workspace)
            yield settle(claimed, rest, inputs, pools, book=book, window=part, workspace=workspace).allocated


def _parts(window: Window) -> list[Window]:
    return contiguous(window.days(), at_most=DAYS_AT_ONCE)


def _matches(subjects: ir.Table, book: RuleBook, fields: tuple[str, ...], workspace: Workspace) -> Matrix:
    found = rows_of(ownership.matches(subjects, book, fields, workspace))
    return Counter({(decided, number): count or 0 for decided, *counts in found for number, count in enumerate(counts)})


def _subjects(inputs: facts.Facts, pools: ir.Table, book: RuleBook) -> Iterator[tuple[ir.Table, tuple[str, ...]]]:
    """Everything that has an owner: workloads that claim, idle pools of nodes, and charges of their own."""
    volumes = inputs.volume_hours
    claims = volumes.select("day", "cluster", "namespace", workload=volumes.workload.nullif("").coalesce(volumes.claim))
    services, sent = inputs.service_hours, inputs.network_hours
    services = services.select("day", "cluster", "namespace", workload=services.service)
    others = claims.union(services, sent.select(*_WORKLOAD))
    workloads = inputs.workload_hours.select(*_WORKLOAD).union(others).distinct()
    if book.follows_pools:
        workloads = _on_pools(inputs).union(others.mutate(node_pool=ibis.literal(""))).distinct()
    yield inputs.labelled(workloads), WORKLOAD_FIELDS
    nodes = inputs.node_days.select("resource_day", "cluster", "node_pool")
    yield pools.filter(pools.pool == "node").join(nodes, "resource_day"), IDLE_FIELDS
    yield pools.filter(pools.pool == "charge"), CHARGE_FIELDS


def _on_pools(inputs: facts.Facts) -> ir.Table:
    """Workloads and the node pool each ran in; on a node that nobody measured that is none."""
    place = ["day", "cluster", "node"]
    pools = inputs.node_days.group_by(place).aggregate(node_pool=inputs.node_days.node_pool.max())
    joined = inputs.workload_hours.select(*_WORKLOAD, "node").distinct().left_join(pools, place)
    return joined.select(*_WORKLOAD, node_pool=joined.node_pool.fill_null(""))
