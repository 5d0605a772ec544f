"""Ownership rules and policies as the allocation reads them: plain values, already checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import re2

from apps.teams import policies
from apps.teams.policies import DATES, Policy

TELLING_FIELDS = ("namespace", "label", "annotation")
"""What only workloads have: a rule that asks for one of these is about workloads."""
WORKLOAD_FIELDS = ("cluster", "node_pool", *TELLING_FIELDS)
CHARGE_FIELDS = ("account", "sub_account", "service", "region", "resource", "charge_category", "tag")
IDLE_FIELDS = ("cluster", "node_pool", *CHARGE_FIELDS)
FIELDS = ("namespace", "cluster", "node_pool", "label", "annotation", *CHARGE_FIELDS)
KEYED_FIELDS = ("label", "annotation", "tag")
"""What a condition may be about; `label`, `annotation` and `tag` are followed by a key (`label.app`)."""
COMMITMENT_FIELDS = ("commitment", "commitment_type")
"""What a policy about unused commitments may ask for besides: CommitmentDiscountId, CommitmentDiscountType."""


EXPRESSION = "re:"
"""How a pattern begins that is an RE2 regular expression; it is compared from the beginning to the end."""
PREFIX = "prefix:"
"""How a pattern begins whose rest is a text that a value begins with, stars and all."""
EXACT = "exact:"
"""How a pattern begins whose rest is the very value, stars and all."""
MARKS = (EXPRESSION, PREFIX, EXACT)


def fits(value: str, pattern: str) -> bool:
    """Whether a pattern of a condition fits a value, as the engine decides it for whole columns."""
    if pattern.startswith(EXACT):
        return value == pattern.removeprefix(EXACT)
    if pattern.startswith(PREFIX):
        return value.startswith(pattern.removeprefix(PREFIX))
    if pattern.startswith(EXPRESSION):
        return re2.fullmatch(pattern.removeprefix(EXPRESSION), value) is not None
    return re2.fullmatch("(?s)" + ".*".join(re2.escape(part) for part in pattern.split("*")), value) is not None


@dataclass(frozen=True)
class Condition:
    """Holds when `field` matches any of `patterns`: a text in which `*` stands for any characters, or what one of MARKS
    begins.

    `key` names the label, annotation or tag and is empty for every other field. A subject without the field never
    matches.
    """

    field: str
    key: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """Who pays for what matches on the days `valid_from` <= day < `valid_to` (open where None).

    It matches when all conditions of `when` hold, one of `any` if there are such, and none of `unless`.
    `split` pairs a team with a whole-number weight: percent (weights add up to 100), or hundredths of a percent
    (they add up to 10,000) when a percentage has decimals. A single team is `((team, 100),)`. Of several rules that
    match, that of the largest `priority` decides, of equals the first.
    """

    name: str
    when: tuple[Condition, ...]
    split: tuple[tuple[str, int], ...]
    valid_from: date | None = None
    valid_to: date | None = None
    any: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    priority: int = 0

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return (*self.when, *self.any, *self.unless)

    @property
    def pool_of_workloads(self) -> frozenset[str]:
        """In which of `when`, `any` and `unless` a node pool is also that in which a workload ran.

        By itself a node pool means idle capacity. It speaks of workloads beside a condition that only workloads can
        meet: one of `when`, and for those of `when` and `unless` one of `any` will do.
        """
        if _tells(self.when):
            return frozenset({"when", "any", "unless"})
        return frozenset({"when", "unless"}) if _tells(self.any) else frozenset()

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


def _tells(conditions: tuple[Condition, ...]) -> bool:
    return any(condition.field in TELLING_FIELDS for condition in conditions)


@dataclass(frozen=True)
class SharedRule:
    """Namespaces whose cost all teams on their cluster carry."""

    name: str
    when: tuple[Condition, ...]


CLUSTER = "__cluster__"
"""Stands as the namespace of what a cluster as a whole costs, until the teams on it carry it."""
CLAIMS = "claims"
TRAFFIC = {
    "traffic": "sent_gib",
    "internet": "internet_gib",
    "cross_region": "cross_region_gib",
    "cross_zone": "cross_zone_gib",
}
"""By what a cluster's traffic is divided → its column of `network_hours`."""


@dataclass(frozen=True)
class ClusterRule:
    """Charges that belong to a whole cluster: carried by all teams on it, or divided `by` what was sent (TRAFFIC). It
    is valid on the days that a `Rule` would be."""

    name: str
    when: tuple[Condition, ...]
    cluster: str
    by: str = CLAIMS
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def as_rule(self) -> Rule:
        """What matches the same charges on the same days, and names nobody who pays."""
        return Rule(self.name, self.when, (), self.valid_from, self.valid_to)


OF_CLUSTERS = Policy("cluster", "share", "proportional", (Condition("namespace", "", (CLUSTER,)),))
"""What a cluster as a whole costs is carried by all on it, unless a policy of the book says otherwise."""


@dataclass(frozen=True)
class PriceRatio:
    """The relative price of a core-hour, a GiB-hour and a GPU-hour, by which a node's cost is divided."""

    cpu_core: int = 8
    memory_gib: int = 1
    gpu: int = 320


@dataclass(frozen=True)
class RuleBook:
    """All rules and policies of one import: `rules` by priority, of equals as written, `policies` as written; the first
    that matches decides."""

    rules: tuple[Rule, ...] = ()
    shared: tuple[SharedRule, ...] = ()
    price_ratio: PriceRatio = field(default_factory=PriceRatio)
    policies: tuple[Policy, ...] = ()
    clusters: tuple[ClusterRule, ...] = ()

    @property
    def all_policies(self) -> tuple[Policy, ...]:
        """The policies, and after them what holds without dates: the shared namespaces, and that all on a cluster carry
        what it costs as a whole."""
        shared = (Policy(rule.name, "share", "proportional", rule.when) for rule in self.shared)
        return (*self.policies, *shared, OF_CLUSTERS)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(sorted(self.rules, key=lambda rule: -rule.priority)))

    @property
    def follows_pools(self) -> bool:
        """Whether any rule asks in which node pool a workload ran."""
        return any(
            condition.field == "node_pool" for rule in self.rules for part in rule.pool_of_workloads
            for condition in getattr(rule, part)
        )  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "RuleBook":
        """The book kept in `RuleSet.document`."""
        return cls(
            rules=tuple(_rule(row) for row in document["rules"]),
            shared=tuple(SharedRule(row["name"], _conditions(row["when"])) for row in document["shared"]),
            price_ratio=PriceRatio(**document["price_ratio"]),
            policies=cls.policies_of(document),
            clusters=tuple(_cluster_rule(row) for row in document.get("clusters", [])),
        )

    @staticmethod
    def policies_of(document: Mapping[str, Any]) -> tuple[Policy, ...]:
        """The policies of a kept book alone."""
        return tuple(policies.from_row(row, _conditions) for row in document.get("policies", []))

    def to_document(self) -> dict[str, Any]:
        """The book as JSON can hold it; `from_document` reads it back to an equal book. `policies` and `clusters` stand
        there only when there are any: older books keep their sha256."""
        more = {
            "policies": [policies.to_row(policy, _condition_row) for policy in self.policies],
            "clusters": [_cluster_row(rule) for rule in self.clusters],
        }
        return {
            "rules": [_rule_row(rule) for rule in self.rules],
            "shared": [{"name": rule.name, "when": [_condition_row(one) for one in rule.when]} for rule in self.shared],
            "price_ratio": asdict(self.price_ratio),
        } | {name: found for name, found in more.items() if found}


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        name=row["name"],
        when=_conditions(row["when"]),
        split=tuple((team, weight) for team, weight in row["split"]),
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        any=_conditions(row.get("any", [])),
        unless=_conditions(row.get("unless", [])),
        priority=row.get("priority", 0),
    )


def _cluster_rule(row: Mapping[str, Any]) -> ClusterRule:
    dates = {name: _day(row.get(name)) for name in DATES}
    return ClusterRule(row["name"], _conditions(row["when"]), row["cluster"], row["by"], **dates)


def _conditions(rows: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    return tuple(Condition(row["field"], row["key"], tuple(row["patterns"])) for row in rows)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _rule_row(rule: Rule) -> dict[str, Any]:
    """`any`, `unless` and `priority` stand there only when they say something: older books keep their sha256."""
    more = {"any": rule.any, "unless": rule.unless}
    priority = {"priority": rule.priority} if rule.priority else {}
    return (
        priority
        | {
            "name": rule.name,
            "when": [_condition_row(condition) for condition in rule.when],
            "split": [list(part) for part in rule.split],
            "valid_from": rule.valid_from.isoformat() if rule.valid_from else None,
            "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
        }
        | {name: [_condition_row(one) for one in conditions] for name, conditions in more.items() if conditions}
    )


def _cluster_row(rule: ClusterRule) -> dict[str, Any]:
    """Days stand there only when there are any: older books keep their sha256."""
    return {name: day.isoformat() for name in DATES if (day := getattr(rule, name))} | {
        "name": rule.name,
        "when": [_condition_row(condition) for condition in rule.when],
        "cluster": rule.cluster,
        "by": rule.by,
    }


def _condition_row(condition: Condition) -> dict[str, Any]:
    return {"field": condition.field, "key": condition.key, "patterns": list(condition.patterns)}
