"""The fields OpenCost groups and filters allocations by, as columns of our rows."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from apps.api.compat.filters import Comparison, Filter
from apps.marts.query import BadQuestion
from apps.teams.models import UNALLOCATED as NO_TEAM
from apps.warehouse.engine import json_member

KINDS = ("deployment", "statefulset", "daemonset", "job")
ALIASES = {"environment": "env", "owner": "owner", "product": "app"}
"""Field → the label OpenCost reads it from by default. Team and department are ours, not labels."""

PLAIN = (
    "cluster", "node", "namespace", "controller", "controllerName", "controllerKind", "workload", "team", "department",
    "providerID", *KINDS, *ALIASES,
)  # fmt: skip
KEYED = ("label", "namespaceLabel")
MAX_LABELS = 100
MAX_FIELDS = 10
UNKNOWN = {
    "pod": "cost is published by workload, not by pod; use controller",
    "container": "cost is published by workload, not by container; use controller",
    "service": "which Kubernetes service a workload serves is not measured; use controller or a label",
    "services": "which Kubernetes service a workload serves is not measured; use controller or a label",
    "annotation": "annotations are not measured; use label",
    "nodeLabel": "labels of nodes are not published; use node or cluster",
    "provider": "shares of a cluster are not told by provider; ask cloudCost, or costs/?group_by=provider",
}
"""What OpenCost knows and our books do not say, and what to ask instead."""


@dataclass(frozen=True)
class Field:
    """One thing to group by; `key` names the label of a label."""

    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.key}" if self.key else self.name


def parse_aggregate(text: str) -> tuple[Field, ...]:
    """The fields of a comma-separated `aggregate`, each once; ValueError names what cannot be grouped by."""
    found: dict[Field, None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, key = part.partition(":")
        found.setdefault(_field(part, name.strip(), colon, key.strip()))
    if len(found) > MAX_FIELDS:
        raise ValueError(f"has more than {MAX_FIELDS} fields")
    return tuple(found)


def _field(part: str, name: str, colon: str, key: str) -> Field:
    known = {each.lower(): each for each in (*PLAIN, *KEYED, *UNKNOWN)}.get(name.lower())
    if known in UNKNOWN:
        raise ValueError(f"by {part} cannot be answered: {UNKNOWN[known]}")
    if known is None or (known in KEYED) != bool(colon and key):
        raise ValueError(f"by {part!r} is not known: {', '.join(PLAIN)}, label:NAME, namespaceLabel:NAME")
    return Field(known, key)


@dataclass(frozen=True)
class Columns:
    """The columns of one table of `facts.cells`; `names` are the labels there are, for OpenCost mangles theirs."""

    rows: ir.Table
    names: Sequence[str] = ()
    departments: Iterable[tuple[str, date, date, str]] = ()

    def of(self, field: str, key: str = "") -> ir.StringValue:
        """A field as text; empty where a row has none."""
        if field in KEYED:
            return self._label(key, own=field == "label")
        if field in ALIASES:
            return self._label(ALIASES[field], own=True)
        if field in KINDS:
            return (self.rows.controller_kind == field).ifelse(self.rows.workload, "")
        return getattr(self, f"_{field}", lambda: self.rows[_RENAMED.get(field, field)])()

    def _controller(self) -> ir.StringValue:
        kind, workload = self.rows.controller_kind, self.rows.workload
        return ((kind == "") | (workload == "")).ifelse(workload, kind + ":" + workload)

    def _team(self) -> ir.StringValue:
        return (self.rows.team == NO_TEAM).ifelse("", self.rows.team)

    def _department(self) -> ir.StringValue:
        """That of the team on the day of the row."""
        team, day = self.rows.team, self.rows.day
        branches = [
            ((team == name) & (day >= since) & (day < until), ibis.literal(department))
            for name, since, until, department in self.departments
        ]
        return ibis.cases(*branches, else_="") if branches else ibis.literal("")

    def _label(self, key: str, *, own: bool) -> ir.StringValue:
        """A label's value: the workload's before its namespace's, as attribution reads it."""
        places = (self.rows.labels, self.rows.namespace_labels) if own else (self.rows.namespace_labels,)
        spelled = self._spelled(key)
        values = [json_member(place, name) for place in places for name in spelled]
        return ibis.coalesce(*values, "")

    def _spelled(self, key: str) -> list[str]:
        """The label as asked for, then every label that Prometheus would write alike."""
        return [key, *(name for name in self.names if name != key and mangled(name) == mangled(key))]

    def matches(self, tree: Filter | None) -> ir.BooleanValue:
        """Whether a row passes a filter."""
        return matching(tree, self._compared)

    def _compared(self, comparison: Comparison) -> ir.BooleanValue:
        if comparison.field in KEYED and not comparison.key:
            found = self._has_label(comparison)
        else:
            found = compared(self.of(comparison.field, comparison.key), comparison)
        return ~found if comparison.is_negated else found

    def _has_label(self, comparison: Comparison) -> ir.BooleanValue:
        """Whether a row has a label whose name fits."""
        fitting = [each for each in self.names if any(_fits(each, name, comparison.kind) for name in comparison.values)]
        if len(fitting) > MAX_LABELS:
            raise BadQuestion(f"filter: {len(fitting)} labels have such names; say more of the name")
        own = comparison.field == "label"
        return combined([self._label(each, own=own) != "" for each in fitting], needs_all=False)


_RENAMED = {"controllerName": "workload", "controllerKind": "controller_kind", "providerID": "resource"}


def _fits(name: str, asked: str, kind: str) -> bool:
    """Whether a label's name is meant by a filter on the names of labels: `:` means contains there, as in OpenCost."""
    tests = {"starts": name.startswith, "ends": name.endswith}
    return tests[kind](asked) if kind in tests else asked in name


def matching(tree: Filter | None, test: Callable[[Comparison], ir.BooleanValue]) -> ir.BooleanValue:
    """Whether a row passes a filter, given the test of one comparison."""
    if tree is None:
        return ibis.literal(True)
    if isinstance(tree, Comparison):
        return test(tree)
    return combined([matching(part, test) for part in tree.parts], needs_all=tree.needs_all)


def compared(column: ir.StringValue, comparison: Comparison) -> ir.BooleanValue:
    """Whether a column fits one of the values of a comparison, before negation."""
    if comparison.kind == "is":
        return column.isin(comparison.values)
    test = {"contains": column.contains, "starts": column.startswith, "ends": column.endswith}[comparison.kind]
    return combined([test(value) for value in comparison.values], needs_all=False)


def combined(parts: list[ir.BooleanValue], *, needs_all: bool) -> ir.BooleanValue:
    """All or any of several conditions, as a balanced tree: a long chain would be nested too deep for the engine."""
    if not parts:
        return ibis.literal(needs_all)
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    left, right = combined(parts[:half], needs_all=needs_all), combined(parts[half:], needs_all=needs_all)
    return left & right if needs_all else left | right


def needs_labels(fields: Iterable[str]) -> bool:
    """Whether any of these fields is read from labels."""
    return any(name in KEYED or name in ALIASES for name in fields)


def mangled(label: str) -> str:
    """A label's name as Prometheus writes it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", label)
