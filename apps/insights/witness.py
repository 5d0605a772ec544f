"""Asking what has an owner about what has none: labels, names, rules and neighbours of one publication."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from apps.finops.money import add_up
from apps.insights.evidence import (
    ACCOUNT,
    CALLED,
    CLUSTER,
    DEPLOYER,
    ELSEWHERE,
    GROUP,
    LABEL,
    NAME,
    NEIGHBOUR,
    NODES,
    PATTERN,
    PERSON,
    PREFIX,
    RULE,
    SAYS,
    SURE,
    Evidence,
    ordered,
    weigh,
)
from apps.insights.naming import Meant, Teams, is_owner_key
from apps.insights.spending import ChargeCost, IdleCost, Spending, WorkloadCost
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import RuleBook, fits

_GROUP = re.compile(r"/resourcegroups/([^/]+)/", re.IGNORECASE)


class Sums:
    """Cost of teams by some key and currency."""

    def __init__(self) -> None:
        self.rows: dict[tuple[object, ...], dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))

    def add(self, key: tuple[object, ...], team: str, cost: Decimal) -> None:
        if cost > 0:
            self.rows[key][team].append(cost)

    def leading(self, key: tuple[object, ...], least: Decimal = SURE) -> tuple[str, Decimal, Decimal] | None:
        """The team with the most cost under a key, that cost and the whole; None where its share is too small."""
        if key not in self.rows:
            return None
        costs = {team: add_up(found) for team, found in self.rows[key].items()}
        whole = add_up(costs.values())
        team = max(costs, key=lambda name: (costs[name], name))
        return (team, costs[team], whole) if costs[team] >= least * whole else None


def members(text: str | None) -> dict[str, str]:
    """The members of a JSON object that are text."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return (
        {key: value for key, value in found.items() if isinstance(value, str) and value}
        if isinstance(found, dict)
        else {}
    )


@dataclass(frozen=True)
class Witness:
    """What is known of the cost that has an owner, and of the teams: asked about each subject without one."""

    spending: Spending
    teams: Teams
    book: RuleBook

    # --- Namespaces ---------------------------------------------------------------------------------------------------
    def of_namespace(self, rows: list[WorkloadCost]) -> tuple[Evidence, ...]:
        """About the workloads of one namespace in one currency."""
        cluster, namespace, currency = rows[0].cluster, rows[0].namespace, rows[0].currency
        told = [(self.labels_of(row), row.cost) for row in rows]
        found = [
            *self._written("Label", told, currency, self._owned_labels),
            *self._called(namespace, rows, currency),
            *self._by_rules(namespace, rows, currency),
            *self._prefixed(namespace, currency),
            *self._next_door(NODES, self._node_sums, (cluster, "", namespace, currency), ""),
            *self._next_door(CLUSTER, self._cluster_sums, (cluster, currency), cluster),
        ]
        return ordered(found)

    def labels_of(self, row: WorkloadCost) -> dict[str, str]:
        """The labels of a workload, its own before its namespace's."""
        known = self.spending.labels
        return members(known.get((row.cluster, row.namespace, ""))) | members(
            known.get((row.cluster, row.namespace, row.workload))
        )

    @cached_property
    def _owned_labels(self) -> Sums:
        sums = Sums()
        for row in self.spending.workloads:
            if row.team != UNALLOCATED:
                for key, value in self.labels_of(row).items():
                    if is_owner_key(key):
                        sums.add((key, value, row.currency), row.team, row.cost)
        return sums

    def _written(
        self, what: str, told: list[tuple[dict[str, str], Decimal]], currency: str, elsewhere: Sums
    ) -> list[Evidence]:
        """What labels or tags say: one piece of evidence per kind and team, told by what most money carries."""
        whole = add_up(cost for _, cost in told)
        votes: dict[tuple[str, str, str], list[tuple[Decimal, str, str, Meant]]] = defaultdict(list)
        known: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for labels, cost in told:
            if said := self._said(labels):
                kind, key, value, meant = said
                votes[kind, meant.team, SAYS if kind == LABEL else PERSON].append((cost, key, value, meant))
            for key, value in labels.items():
                if is_owner_key(key):
                    known[key, value] += cost
        found = []
        for (kind, team, text), cast in votes.items():
            _, key, value, meant = max(cast, key=lambda vote: (vote[0], vote[1], vote[2]))
            agreeing = add_up(cost for cost, *_ in cast)
            told_by = {"what": what, "key": key, "value": value, "by": meant.by, "how": _how(meant)}
            found.append(weigh(kind, team, text, agreeing, whole, currency, **told_by))
        return found + self._known_elsewhere(what, known, currency, elsewhere)

    def _said(self, labels: dict[str, str]) -> tuple[str, str, str, Meant] | None:
        """The label that names a team, those that say whose it is first, or one of its people."""
        for key in sorted(labels, key=lambda name: (not is_owner_key(name), name)):
            if meant := self.teams.meant(labels[key]):
                return LABEL, key, labels[key], meant
        for key in sorted(filter(is_owner_key, labels)):
            if meant := self.teams.person(labels[key]):
                return DEPLOYER, key, labels[key], meant
        return None

    def _known_elsewhere(
        self, what: str, known: Mapping[tuple[str, str], Decimal], currency: str, elsewhere: Sums
    ) -> list[Evidence]:
        """The same deployer of cost that has an owner; of the values here, the one most money carries."""
        for key, value in sorted(known, key=lambda one: (-known[one], one)):
            if leading := elsewhere.leading((key, value, currency)):
                return [weigh(DEPLOYER, leading[0], ELSEWHERE, *leading[1:], currency, what=what, key=key, value=value)]
        return []

    def _called(self, name: str, rows: Iterable[WorkloadCost | ChargeCost | IdleCost], currency: str) -> list[Evidence]:
        meant = self.teams.meant(name)
        if meant is None:
            return []
        cost = add_up(row.cost for row in rows)
        return [weigh(NAME, meant.team, CALLED, cost, cost, currency, value=name, by=meant.by, how=_how(meant))]

    def _by_rules(self, namespace: str, rows: list[WorkloadCost], currency: str) -> list[Evidence]:
        cost = add_up(row.cost for row in rows)
        for rule in self.book.rules:
            patterns = [p for one in rule.when if one.field == "namespace" for p in one.patterns]
            pattern = next((pattern for pattern in patterns if fits(namespace, pattern)), None)
            if pattern and len(rule.split) == 1:
                team = rule.split[0][0]
                return [weigh(PATTERN, team, RULE, cost, cost, currency, key=pattern, value=rule.name)]
        return []

    def _prefixed(self, namespace: str, currency: str) -> list[Evidence]:
        prefix = namespace.partition("-")[0]
        leading = self._prefix_sums.leading((prefix, currency)) if len(prefix) > 2 else None
        return [weigh(PATTERN, leading[0], PREFIX, *leading[1:], currency, value=prefix)] if leading else []

    @cached_property
    def _prefix_sums(self) -> Sums:
        sums = Sums()
        for row in self.spending.workloads:
            if row.team != UNALLOCATED:
                sums.add((row.namespace.partition("-")[0], row.currency), row.team, row.cost)
        return sums

    @cached_property
    def _node_sums(self) -> Sums:
        sums = Sums()
        for row in self.spending.nodes:
            sums.add((row.cluster, row.node_pool, row.namespace, row.currency), row.team, row.cost)
        return sums

    @cached_property
    def _cluster_sums(self) -> Sums:
        sums = Sums()
        for row in self.spending.workloads:
            if row.team != UNALLOCATED:
                sums.add((row.cluster, row.currency), row.team, row.cost)
        return sums

    def _next_door(self, text: str, sums: Sums, key: tuple[object, ...], value: str) -> list[Evidence]:
        leading = sums.leading(key)
        return [weigh(NEIGHBOUR, leading[0], text, *leading[1:], str(key[-1]), value=value)] if leading else []

    # --- Node pools ---------------------------------------------------------------------------------------------------
    def of_idle(self, rows: list[IdleCost]) -> tuple[Evidence, ...]:
        """About what nobody claimed of one node pool in one currency."""
        first = rows[0]
        found = [
            *(self._called(first.node_pool, rows, first.currency) if first.node_pool else []),
            *self._next_door(NODES, self._node_sums, (first.cluster, first.node_pool, "", first.currency), ""),
            *self._next_door(CLUSTER, self._cluster_sums, (first.cluster, first.currency), first.cluster),
        ]
        return ordered(found)

    # --- Charges ------------------------------------------------------------------------------------------------------
    def of_charges(self, rows: list[ChargeCost]) -> tuple[Evidence, ...]:
        """About charges of one subject in one currency."""
        first = rows[0]
        account = first.sub_account or first.account
        told = [(members(row.tags), row.cost) for row in rows]
        names = {row.resource for row in rows}
        found = [
            *self._written("Tag", told, first.currency, self._owned_tags),
            *(self._called(last_part(first.resource), rows, first.currency) if len(names) == 1 else []),
            *self._called(account, rows, first.currency),
            *self._groups(rows, first.currency),
            *self._next_door(ACCOUNT, self._account_sums, (first.account, first.sub_account, first.currency), account),
        ]
        return ordered(found)

    @cached_property
    def _owned_tags(self) -> Sums:
        sums = Sums()
        for row in self.spending.charges:
            if row.team != UNALLOCATED and row.tags:
                for key, value in members(row.tags).items():
                    sums.add((key, value, row.currency), row.team, row.cost)
        return sums

    @cached_property
    def _account_sums(self) -> Sums:
        sums = Sums()
        for row in self.spending.accounts:
            sums.add((row.account, row.sub_account, row.currency), row.team, row.cost)
        return sums

    @cached_property
    def _group_sums(self) -> Sums:
        sums = Sums()
        for row in self.spending.charges:
            if row.team != UNALLOCATED and (group := _GROUP.search(row.resource)):
                sums.add((group.group(1).casefold(), row.currency), row.team, row.cost)
        return sums

    def _groups(self, rows: list[ChargeCost], currency: str) -> list[Evidence]:
        groups = {found.group(1).casefold() for row in rows if (found := _GROUP.search(row.resource))}
        if len(groups) != 1:
            return []
        group = groups.pop()
        return self._next_door(GROUP, self._group_sums, (group, currency), group)


def last_part(resource: str) -> str:
    """The name at the end of a resource id."""
    return re.split(r"[/:]", resource.rstrip("/"))[-1]


def _how(meant: Meant) -> str:
    return "equals" if meant.is_equal else "contains"
