"""The parts an allocation answer is put together from: cost summed by set, key and what is done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from apps.api.compat import facts
from apps.api.compat.books import Books
from apps.api.compat.columns import KINDS, Columns, Field, needs_labels
from apps.api.compat.facts import COMPONENTS
from apps.api.compat.filters import UNALLOCATED, Filter, comparisons
from apps.api.compat.usage import RESOURCES, USE
from apps.finops.money import add_up
from apps.finops.tables import MONEY
from apps.finops.windows import ONE_DAY, Window
from apps.marts.query import MAX_ROWS, BadQuestion
from apps.warehouse.engine import Workspace, rows_of

UNMOUNTED = "__unmounted__"
IDLE = "__idle__"
RUNS = ("node", "controller", "controllerName", "controllerKind", "workload", *KINDS)
"""Fields of what runs."""

COMPUTE = tuple(RESOURCES)
HOURS = (*USE, "pv_claimed")
PROPERTIES = {
    "cluster": "cluster",
    "node": "node",
    "namespace": "namespace",
    "controller": "workload",
    "controllerKind": "controller_kind",
    "providerID": "resource",
}
"""Property of an allocation → our column; told where all rows of it agree."""


@dataclass(frozen=True)
class Asked:
    """What is asked of the books: the sets and keys of the answer, what is left out, and what is shared.

    The `place` of idle cost is its cluster or its node; `splits_idle` keeps one idle allocation per place.
    `departments` pairs teams with theirs, when they are asked for.
    """

    sets: tuple[Window, ...]
    aggregate: tuple[Field, ...]
    filter: Filter | None = None
    shared: Filter | None = None
    includes_idle: bool = False
    shares_idle: bool = False
    splits_idle: bool = False
    idle_by_node: bool = False
    shares_evenly: bool = False
    includes_external: bool = True
    departments: tuple[tuple[str, date, date, str], ...] = ()

    @property
    def is_shared_out(self) -> bool:
        """Whether some cost is shared out between other allocations, which is done day by day."""
        return self.shares_idle or self.shared is not None


@dataclass
class Part:
    """Cost and use of one key in one set (on one day, when something is shared out); `idle` is what it took of idle
    cost, which is in its `cost` too."""

    start: date
    day: date
    place: tuple[str, ...]
    name: str
    is_idle: bool
    is_shared: bool
    is_kept: bool
    first: date
    last: date
    cost: dict[str, Decimal]
    hours: dict[str, Decimal]
    properties: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)
    idle: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(COMPUTE, Decimal(0)))

    @property
    def total(self) -> Decimal:
        return add_up(self.cost.values())


def read(books: Books, asked: Asked) -> list[Part]:
    """The parts of the answer, of the teams the viewer may see."""
    with Workspace() as workspace:
        rows = facts.cells(books, workspace)
        fields = [each.name for each in asked.aggregate]
        fields += [each.field for tree in (asked.filter, asked.shared) for each in comparisons(tree)]
        names: list[str] = []
        if needs_labels(fields):
            rows, names = facts.labelled(books, rows, workspace), facts.label_names(books)
        columns = Columns(rows, names, asked.departments)
        return [_part(row, asked) for row in few_rows(_summed(columns, asked))]


def few_rows(rows: ir.Table) -> list[tuple[Any, ...]]:
    """The rows of an answer, unless they are more than anybody reads."""
    found = rows_of(rows.limit(MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise BadQuestion(
            f"aggregate: the answer has more than {MAX_ROWS} parts; ask for fewer keys or a shorter window"
        )
    return found


def _summed(columns: Columns, asked: Asked) -> ir.Table:
    rows = columns.rows
    is_idle = rows.kind == "idle"
    keys = {f"key{at}": columns.of(each.name, each.key) for at, each in enumerate(asked.aggregate)}
    flagged = rows.mutate(
        set_start=set_of(rows.day, asked.sets),
        on=rows.day if asked.is_shared_out else set_of(rows.day, asked.sets),
        place_cluster=rows.cluster if asked.shares_idle else is_idle.ifelse(rows.cluster, ""),
        place_node=_place_node(rows, asked),
        is_idle=is_idle,
        is_shared=ibis.literal(False) if asked.shared is None else ~is_idle & columns.matches(asked.shared),
        is_kept=columns.matches(asked.filter),
        **keys,
    )
    if not asked.includes_external:
        flagged = flagged.filter(flagged.cluster != "")
    if not (asked.includes_idle or asked.shares_idle):
        flagged = flagged.filter(~flagged.is_idle)
    if not asked.is_shared_out:
        flagged = flagged.filter(flagged.is_kept)
    group = ["set_start", "on", "place_cluster", "place_node", "is_idle", "is_shared", "is_kept", "is_unmounted", *keys]
    grouped = flagged.group_by(group)
    properties = [edge for column in PROPERTIES.values() for edge in (flagged[column].min(), flagged[column].max())]
    return grouped.aggregate(
        first=flagged.day.min(),
        last=flagged.day.max(),
        **{name: flagged[f"{name}_cost"].sum().cast(MONEY) for name in COMPONENTS},
        **{name: flagged[name].sum() for name in HOURS},
        **{f"property{at}": edge for at, edge in enumerate(properties)},
    ).order_by(group)


def _place_node(rows: ir.Table, asked: Asked) -> ir.StringValue:
    if not asked.idle_by_node:
        return ibis.literal("")
    return rows.node if asked.shares_idle else (rows.kind == "idle").ifelse(rows.node, "")


def set_of(day: ir.DateValue, sets: Sequence[Window]) -> ir.DateValue:
    """The first day of the set a day belongs to."""
    if len(sets) == 1:
        return ibis.literal(sets[0].start)
    if all(each.end == each.start + ONE_DAY for each in sets):
        return day
    return ibis.cases(*((day < each.end, ibis.literal(each.start)) for each in sets), else_=day)


_GROUP = 8


def _part(row: tuple[Any, ...], asked: Asked) -> Part:
    """A row of `_summed`, named as OpenCost names it."""
    start, on, cluster, node, is_idle, is_shared, is_kept, is_unmounted = row[:_GROUP]
    keys, rest = row[_GROUP : _GROUP + len(asked.aggregate)], list(row[_GROUP + len(asked.aggregate) :])
    first, last = rest[:2]
    cost, rest = dict(zip(COMPONENTS, rest[2:], strict=False)), rest[2 + len(COMPONENTS) :]
    hours, edges = dict(zip(HOURS, rest, strict=False)), rest[len(HOURS) :]
    place = (cluster, node) if asked.idle_by_node else (cluster,)
    pairs = zip(PROPERTIES, edges[::2], edges[1::2], strict=True)
    known = {name: least for name, least, most in pairs if least == most and least}
    labels = {}
    if not is_idle:
        labels = {
            each.key or each.name: key for each, key in zip(asked.aggregate, keys, strict=True) if _is_label(each)
        }
    told_keys = (key or _nothing(each, is_unmounted) for each, key in zip(asked.aggregate, keys, strict=True))
    name = _idle_name(place, asked) if is_idle else "/".join(told_keys)
    return Part(
        start, on, place, name, is_idle, is_shared, is_kept, first, last, cost, hours, known,
        {label: value for label, value in labels.items() if value},
    )  # fmt: skip


def _nothing(field: Field, is_unmounted: bool) -> str:
    """The name of a key a row has not: what ran nowhere was not mounted there."""
    return UNMOUNTED if is_unmounted and field.name in RUNS else UNALLOCATED


def _is_label(field: Field) -> bool:
    """Whether OpenCost would tell a key as a label: team and department are labels there."""
    return field.name in ("team", "department") or needs_labels([field.name])


def _idle_name(place: tuple[str, ...], asked: Asked) -> str:
    return "/".join((*(part or UNALLOCATED for part in place), IDLE)) if asked.splits_idle else IDLE


def merged(parts: Sequence[Part]) -> Part:
    """Several parts of one name as one: sums, and the properties on which all agree."""
    first = parts[0]
    return Part(
        start=first.start, day=first.day, place=first.place, name=first.name, is_idle=first.is_idle,
        is_shared=first.is_shared, is_kept=first.is_kept,
        first=min(part.first for part in parts), last=max(part.last for part in parts),
        cost={name: add_up(part.cost[name] for part in parts) for name in first.cost},
        hours={name: reduce(add, (part.hours[name] for part in parts)) for name in HOURS},
        properties=_agreed([part.properties for part in parts]), labels=_agreed([part.labels for part in parts]),
        idle={name: add_up(part.idle[name] for part in parts) for name in COMPUTE},
    )  # fmt: skip


def _agreed(told: Sequence[dict[str, str]]) -> dict[str, str]:
    return {name: value for name, value in told[0].items() if all(each.get(name) == value for each in told)}
