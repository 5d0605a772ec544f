"""What parts weighed in their pools: the core-hours, GiB-hours and GPU-hours that were measured of each."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir

from apps.allocation import nodes
from apps.allocation.matching import billed_resource, kubernetes_resource, load_balancer_resource
from apps.allocation.overhead import COLUMNS as OVERHEAD_COLUMNS
from apps.allocation.overhead import OVERHEAD
from apps.finops.money import rounded
from apps.finops.tables import (
    ALLOCATED,
    NETWORK_HOURS,
    NODE_HOURS,
    OVERHEAD_HOURS,
    SERVICE_HOURS,
    VOLUME_HOURS,
    WORKLOAD_HOURS,
    LakeTable,
)
from apps.insights.behind import day_files
from apps.marts.models import Publication
from apps.marts.query import BadQuestion
from apps.teams.models import RuleSet
from apps.teams.ownership import TRAFFIC, ClusterRule, RuleBook, fits
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

if TYPE_CHECKING:
    from apps.insights.explain import Part

CORE_HOURS, GIB_HOURS, HOURS = "core-hour equivalents", "GiB-hours", "hours of Services"
COST, SENT = "of the cluster's claimed cost", "GiB sent"
UNITS = (CORE_HOURS, GIB_HOURS, HOURS, COST, SENT)
Claims = dict[str, Decimal]
"""Resource of `allocation.nodes.RESOURCES` → hours of it."""
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Measured:
    """So many hours of one resource, of those there were."""

    resource: str
    claimed: Decimal
    of: Decimal


@dataclass(frozen=True)
class Weight:
    """A part's claimant weighed `weight` of `total` in its pool, in `unit`; `measured` says it by resource.

    It is evidence, not the share: hours of different price weigh by their price, claims beyond a node's capacity
    shrink, and a rule may give a team only some percent of a claimant.
    """

    weight: Decimal
    total: Decimal
    unit: str
    measured: tuple[Measured, ...] = ()


def weights(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """The weight of each part, None where nothing is measured of its pool, or the publication does not pin it."""
    found: dict[int, Weight | None] = {}
    for pool, weigh in _WEIGHS.items():
        mine = {place: part for place, part in enumerate(parts) if part.pool == pool}
        if mine:
            try:
                found |= dict(zip(mine, weigh(list(mine.values()), pinned), strict=True))
            except BadQuestion:  # published without usage: then there is no evidence, and the shares still add up
                continue
    return [found.get(place) for place in range(len(parts))]


def _hours(table: LakeTable, parts: "Iterable[Part]", pinned: Publication) -> ir.Table:
    return lake.scan(table, only=day_files(table, pinned, {part.day for part in parts}))


def _on_nodes(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """Claims on nodes, of the capacity of their hours; idle is what is left of it, a node's overhead apart."""
    capacity, node_of = _capacity(parts, pinned)
    claimed = _claimed(parts, pinned, node_of)
    used: dict[Key, Claims] = defaultdict(lambda: defaultdict(Decimal))
    for (day, resource, *_), hours in claimed.items():
        for name, amount in hours.items():
            used[day, resource][name] += amount
    kept = _kept_by_nodes(parts, pinned, node_of)
    books = {number: _book(number) for number in {part.ruleset for part in parts}}

    def unclaimed(node: Key, name: str, of: Decimal, *, is_overhead: bool) -> Decimal:
        left = max(of - used[node][name], Decimal(0))
        overhead = min(kept[node][name], left)
        return overhead if is_overhead else left - overhead

    def weight(part: "Part") -> Weight | None:
        node = part.day, part.resource
        if node not in capacity:
            return None
        whole = capacity[node]
        if part.kind == "idle":
            is_overhead = part.workload == OVERHEAD
            mine = {name: unclaimed(node, name, of, is_overhead=is_overhead) for name, of in whole.items()}
        else:
            mine = claimed.get((*node, part.namespace, part.workload), {})
        book = books[part.ruleset]
        measured = tuple(Measured(name, mine.get(name, Decimal(0)), of) for name, of in whole.items() if of)
        return Weight(_equivalents(mine, book), _equivalents(whole, book), CORE_HOURS, measured)

    return [weight(part) for part in parts]


def _equivalents(hours: Claims, book: RuleBook) -> Decimal:
    """Hours of all resources in core-hours, by the price ratio of the policy."""
    units = sum(getattr(book.price_ratio, name) * Fraction(amount) for name, amount in hours.items())
    return rounded(units / (book.price_ratio.cpu_core or 1))


def _book(number: int) -> RuleBook:
    found = RuleSet.objects.filter(number=number).first()
    return RuleBook.from_document(found.document) if found else RuleBook()


def _capacity(parts: "Sequence[Part]", pinned: Publication) -> tuple[dict[Key, Claims], dict[Key, str]]:
    """(day, resource) → hours of each resource there were; (day, cluster, node) → resource."""
    rows = _hours(NODE_HOURS, parts, pinned)
    rows = rows.mutate(resource=kubernetes_resource(rows.provider_id))
    rows = rows.filter(rows.resource.isin(sorted({part.resource for part in parts})))
    sums = {name: rows[columns[0]].sum() for name, columns in nodes.RESOURCES.items()}
    capacity: dict[Key, Claims] = defaultdict(lambda: defaultdict(Decimal))
    node_of = {}
    for day, cluster, node, resource, *amounts in rows_of(
        rows.group_by("day", "cluster", "node", "resource").aggregate(**sums)
    ):
        node_of[day, cluster, node] = resource
        for name, amount in zip(sums, amounts, strict=True):
            capacity[day, resource][name] += amount
    return capacity, node_of


def _claimed(parts: "Sequence[Part]", pinned: Publication, node_of: Mapping[Key, str]) -> dict[Key, Claims]:
    """(day, resource, namespace, workload) → hours claimed on these nodes: per hour and pod the larger of requested
    and used."""
    rows = _hours(WORKLOAD_HOURS, parts, pinned)
    rows = rows.filter(rows.node.isin(sorted({node for _, _, node in node_of})))
    sums = {name: nodes.claim(rows, name).sum() for name in nodes.RESOURCES}
    claimed: dict[Key, Claims] = defaultdict(lambda: defaultdict(Decimal))
    for day, cluster, node, namespace, workload, *amounts in rows_of(
        rows.group_by("day", "cluster", "node", "namespace", "workload").aggregate(**sums)
    ):
        if (resource := node_of.get((day, cluster, node))) is not None:
            for name, amount in zip(sums, amounts, strict=True):
                claimed[day, resource, namespace, workload][name] += amount
    return claimed


def _kept_by_nodes(parts: "Sequence[Part]", pinned: Publication, node_of: Mapping[Key, str]) -> dict[Key, Claims]:
    """(day, resource) → hours of each resource that no pod may ask for; nothing where that was not measured."""
    kept: dict[Key, Claims] = defaultdict(lambda: defaultdict(Decimal))
    if OVERHEAD_HOURS.name not in pinned.versions:
        return kept
    rows = _hours(OVERHEAD_HOURS, parts, pinned)
    sums = {name: rows[column].sum() for name, column in OVERHEAD_COLUMNS.items()}
    for day, cluster, node, *amounts in rows_of(rows.group_by("day", "cluster", "node").aggregate(**sums)):
        if (resource := node_of.get((day, cluster, node))) is not None:
            for name, amount in zip(sums, amounts, strict=True):
                kept[day, resource][name] += amount
    return kept


def _serverless(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """Claims on pods with bill rows of their own."""
    rows = _hours(WORKLOAD_HOURS, parts, pinned)
    rows = rows.mutate(resource=billed_resource(rows.resource_id))
    rows = rows.filter(rows.resource.isin(sorted({part.resource for part in parts})))
    sums = {name: nodes.claim(rows, name).sum() for name in nodes.RESOURCES}
    width = len(_CLAIMANT)
    claimed: dict[Key, Claims] = {
        row[:width]: dict(zip(sums, row[width:], strict=True))
        for row in rows_of(rows.group_by(*_CLAIMANT).aggregate(**sums))
    }

    def weight(part: "Part") -> Weight | None:
        pool = {key: hours for key, hours in claimed.items() if key[:2] == (part.day, part.resource)}
        mine = pool.get((part.day, part.resource, part.cluster, part.namespace, part.workload))
        if mine is None:
            return None
        whole = {name: sum((hours[name] for hours in pool.values()), Decimal(0)) for name in mine}
        book = _book(part.ruleset)
        measured = tuple(Measured(name, mine[name], of) for name, of in whole.items() if of)
        return Weight(_equivalents(mine, book), _equivalents(whole, book), CORE_HOURS, measured)

    return [weight(part) for part in parts]


_CLAIMANT = ("day", "resource", "cluster", "namespace", "workload")


def _volumes(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """Claims on volumes, by the GiB-hours they asked for."""
    rows = _hours(VOLUME_HOURS, parts, pinned)
    rows = rows.mutate(
        resource=kubernetes_resource(rows.volume), workload=rows.workload.nullif("").coalesce(rows.claim)
    )
    rows = rows.filter(rows.resource.isin(sorted({part.resource for part in parts})))
    found = rows_of(rows.group_by(*_CLAIMANT).aggregate(hours=rows.capacity_gib_hours.sum()))
    claimed = {tuple(key): hours for *key, hours in found}
    return [_of_all(part, claimed, (part.cluster, part.namespace, part.workload), GIB_HOURS) for part in parts]


def _load_balancers(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """Services behind load balancers, by the hours they stood there."""
    rows = _hours(SERVICE_HOURS, parts, pinned)
    rows = rows.mutate(resource=load_balancer_resource(rows.load_balancer), workload=rows.service)
    rows = rows.filter(rows.resource.isin(sorted({part.resource for part in parts})))
    found = rows_of(rows.group_by(*_CLAIMANT).aggregate(hours=rows.attached_hours.sum()))
    claimed = {tuple(key): hours for *key, hours in found}
    return [_of_all(part, claimed, (part.cluster, part.namespace, part.workload), HOURS) for part in parts]


def _traffic(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """What was sent of the kind that the cluster's rule divides by: from the node whose charge it is, where anything
    was, else from the whole cluster."""
    rows = _hours(NETWORK_HOURS, parts, pinned)
    rows = rows.filter(rows.cluster.isin(sorted({part.cluster for part in parts})))
    sums = {by: rows[column].sum() for by, column in TRAFFIC.items()}
    sent: dict[Key, dict[Key, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for day, cluster, node, namespace, workload, *amounts in rows_of(
        rows.group_by("day", "cluster", "node", "namespace", "workload").aggregate(**sums)
    ):
        for by, amount in zip(sums, amounts, strict=True):
            for place in dict.fromkeys((node, "")):
                sent[day, cluster, place, by][namespace, workload] += amount
    nodes_of = {(day, resource): node for (day, _, node), resource in _capacity(parts, pinned)[1].items()}
    books = {number: _book(number) for number in {part.ruleset for part in parts}}

    def weight(part: "Part") -> Weight | None:
        kinds = {rule.by for rule in books[part.ruleset].clusters if _may_be_by(rule, part)}
        if len(kinds) != 1:
            return None  # several rules may have placed it, and the part does not say which did
        (by,) = kinds
        places = (nodes_of.get((part.day, part.resource), ""), "")
        pools = (sent[part.day, part.cluster, place, by] for place in places)
        pool = next((found for found in pools if any(found.values())), None)
        if pool is None:
            return None
        return Weight(pool[part.namespace, part.workload], sum(pool.values(), Decimal(0)), SENT)

    return [weight(part) for part in parts]


def _may_be_by(rule: ClusterRule, part: "Part") -> bool:
    """Whether a rule of clusters may have placed a part's charge, as far as a part tells of it."""
    told = {"service": part.service, "resource": part.resource, "charge_category": part.charge_category}
    return (
        rule.by in TRAFFIC
        and rule.cluster == part.cluster
        and rule.as_rule.is_valid_on(part.day)
        and all(
            any(fits(told[condition.field], pattern) for pattern in condition.patterns)
            for condition in rule.when
            if condition.field in told
        )
    )


def _of_all(part: "Part", claimed: Mapping[Key, Decimal], claimant: Key, unit: str) -> Weight | None:
    """The weight of a claimant among all claims on the part's resource of that day."""
    mine = claimed.get((part.day, part.resource, *claimant))
    if mine is None:
        return None
    pool = (hours for key, hours in claimed.items() if key[:2] == (part.day, part.resource))
    return Weight(mine, sum(pool, Decimal(0)), unit)


def _shared(parts: "Sequence[Part]", pinned: Publication) -> list[Weight | None]:
    """Platform cost goes by what teams claimed of nodes and serverless pods of the cluster that day, unless a policy
    divides it otherwise: then nothing is measured that its share could be held against."""
    rows = _hours(ALLOCATED, parts, pinned)
    rows = rows.filter(
        rows.pool.isin(["node", "serverless"]), rows.kind != "idle",
        rows.cluster.isin(sorted({part.cluster for part in parts})),
    )  # fmt: skip
    key = ("day", "cluster", "currency", "team")
    by_bill = rows.group_by(*key, "source", "billing_month").aggregate(cost=rows.effective_cost.sum())
    costs: dict[Key, list[tuple[Key, Decimal]]] = defaultdict(list)
    for day, cluster, currency, team, source, month, cost in rows_of(by_bill):
        if cost > 0:
            costs[day, cluster, currency].append(((team, source, month), cost))

    others = _divided_otherwise({part.ruleset for part in parts})

    def weight(part: "Part") -> Weight | None:
        if not part.cluster or (part.ruleset, part.rule.partition(" (")[0]) in others:
            return None
        pool = costs[part.day, part.cluster, part.currency]
        if len({(source, month) for (_, source, month), _ in pool}) != 1:
            return None  # several bills: each is shared by itself, and the part does not say which is its own
        mine = sum((cost for (team, *_), cost in pool if team == part.team), Decimal(0))
        return Weight(mine, sum((cost for _, cost in pool), Decimal(0)), COST)

    return [weight(part) for part in parts]


def _divided_otherwise(numbers: Iterable[int]) -> set[tuple[int, str]]:
    """The policies that pass cost on by anything but what others claimed: (ruleset, label)."""
    return {
        (number, policy.label)
        for number in numbers
        for policy in _book(number).all_policies
        if (policy.subject, policy.how) != ("share", "proportional")
    }


_WEIGHS: dict[str, "Callable[[Sequence[Part], Publication], list[Weight | None]]"] = {
    "node": _on_nodes,
    "serverless": _serverless,
    "volume": _volumes,
    "load_balancer": _load_balancers,
    "network": _traffic,
    "shared": _shared,
}
