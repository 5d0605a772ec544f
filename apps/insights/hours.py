"""Efficiency by the hour of the day: what was used, asked for and held, hour by hour of the company's clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
from django.conf import settings

from apps.finops.money import add_up
from apps.finops.tables import COVERAGE_HOURS, NODE_HOURS, WORKLOAD_HOURS, UsageTable
from apps.insights.own_hours import own_hours
from apps.insights.usage_reading import (
    RESOURCES,
    EfficiencyQuery,
    Teams,
    by_team,
    charged,
    in_pools,
    named,
    narrowed,
    remembered,
    seen_rows,
)
from apps.marts.models import Publication
from apps.marts.query import BadQuestion
from apps.marts.selectors import publication
from apps.warehouse import lake
from apps.warehouse.engine import empty, rows_of

MOST_DAYS = 92
HIGH = 95
"""The percentile that says how much is used at the worst of usual times."""
PLACES = Decimal("0.000001")
Place = tuple[int, int]
"""Weekday (0: Monday; -1: any) and hour of the company's clock."""


@dataclass(frozen=True)
class HourOfDay:
    """Units of a resource in one hour of the day, such as cores, on average over the hours `seen`; `used_high` is the
    95th percentile of what was used in them. None is not known, never zero. `coverage` is observed ÷ expected samples.
    """

    weekday: int
    hour: int
    seen: int
    used: Decimal | None
    used_high: Decimal | None
    requested: Decimal | None
    capacity: Decimal | None
    coverage: Decimal | None


@dataclass(frozen=True)
class Hourly:
    """The 24 hours of the day, and the 168 of the week."""

    day: tuple[HourOfDay, ...]
    week: tuple[HourOfDay, ...]
    time_zone: str


@dataclass(frozen=True)
class _Hour:
    """One hour as it was; None is not known."""

    used: Decimal | None
    requested: Decimal | None
    capacity: Decimal | None
    observed: int
    expected: int


def by_hour(query: EfficiencyQuery, resource: str) -> Hourly:
    """Every hour of the day and of the week, of all that a question is narrowed to, at most MOST_DAYS days."""
    if resource not in RESOURCES:
        raise BadQuestion(f"resource: {resource!r} is not one of {', '.join(RESOURCES)}")
    if (query.end - query.start).days > MOST_DAYS:
        raise BadQuestion(f"start: hours are told of at most {MOST_DAYS} days; ask for a shorter window")
    pinned = publication(query.as_of)
    zone = settings.COSTOPS_TIME_ZONE
    asked = "hours", query.start, query.end, query.filters, resource, named(query.scope), zone
    found: Hourly = remembered(pinned, asked, lambda: _by_hour(query, resource, pinned, ZoneInfo(zone)))
    return found


def _by_hour(query: EfficiencyQuery, resource: str, pinned: Publication, zone: ZoneInfo) -> Hourly:
    together: dict[Place, list[_Hour]] = defaultdict(list)
    for moment, one in _hours(query, resource, pinned).items():
        local = moment.astimezone(zone)
        together[-1, local.hour].append(one)
        together[local.weekday(), local.hour].append(one)
    told = {(day, hour): _told((day, hour), together[day, hour]) for day in range(-1, 7) for hour in range(24)}
    return Hourly(
        tuple(told[-1, hour] for hour in range(24)),
        tuple(told[day, hour] for day in range(7) for hour in range(24)),
        zone.key,
    )


def _hours(query: EfficiencyQuery, resource: str, pinned: Publication) -> dict[datetime, _Hour]:
    """Hour by hour. Where the monitoring looked and nothing of a place ran, it used nothing; else that is not known."""
    _, end = RESOURCES[resource]
    nodes = _read(NODE_HOURS, query, pinned)

    def summed(part: EfficiencyQuery, teams: Teams) -> ir.Table:
        asked = narrowed(_usage(part, pinned, teams), part)
        sums = {what: asked[f"{resource}_{what}_{end}"].sum() for what in ("used", "request")}
        return asked.group_by([*by_team(query), "hour"]).aggregate(**sums)

    spent = {_utc(at): told for at, *told in seen_rows(query, pinned, ("hours", resource), summed, names=1)}
    held: dict[datetime, Decimal] = {}
    if query.scope.teams is None and {name for name, _ in query.filters} <= {"cluster", "node_pool"}:
        rows = narrowed(nodes, query)
        found = rows_of(rows.group_by("hour").aggregate(held=rows[f"{resource}_capacity_{end}"].sum()))
        held = {_utc(at): hours for at, hours in found}
    looked = _looked(query, pinned)
    made: dict[datetime, _Hour] = {}
    for at in {*spent, *held, *looked}:
        observed, expected = looked.get(at, (0, 0))
        used, requested = spent.get(at) or [Decimal(0) if observed else None] * 2
        made[at] = _Hour(used, requested, held.get(at), observed, expected)
    return made


def _looked(query: EfficiencyQuery, pinned: Publication) -> dict[datetime, tuple[int, int]]:
    """Observed and expected samples of every hour, of the cluster that is asked about."""
    rows = _read(COVERAGE_HOURS, query, pinned)
    for name, value in query.filters:
        rows = rows.filter(rows.cluster == value) if name == "cluster" else rows
    summed = rows.group_by("hour").aggregate(observed=rows.observed_samples.sum(), expected=rows.expected_samples.sum())
    return {_utc(at): (int(observed), int(expected)) for at, observed, expected in rows_of(summed)}


def _usage(query: EfficiencyQuery, pinned: Publication, teams: Teams) -> ir.Table:
    """Usage by the hour with the pool of its node: all of it, or what teams are charged for (`efficiency.usage_of`)."""
    nodes, hours = _read(NODE_HOURS, query, pinned), _read(WORKLOAD_HOURS, query, pinned)
    return in_pools(hours if query.scope.teams is None else own_hours(hours, charged(query, pinned), teams), nodes)


def _read(table: UsageTable, query: EfficiencyQuery, pinned: Publication) -> ir.Table:
    at = pinned.versions.get(table.name)
    return empty(table.schema) if at is None else lake.between(table, "day", query.start, query.end, at=at)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _told(place: Place, hours: list[_Hour]) -> HourOfDay:
    used = sorted(one.used for one in hours if one.used is not None)
    expected = sum(one.expected for one in hours)
    observed = sum(one.observed for one in hours)
    return HourOfDay(
        *place,
        seen=len(used),
        used=_mean(used),
        used_high=used[-(-len(used) * HIGH // 100) - 1] if used else None,
        requested=_mean(one.requested for one in hours),
        capacity=_mean(one.capacity for one in hours),
        coverage=(Decimal(observed) / expected).quantize(Decimal("0.0001")) if expected else None,
    )


def _mean(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return (add_up(known) / len(known)).quantize(PLACES) if known else None


def as_row(one: HourOfDay) -> Mapping[str, int | Decimal | None]:
    """One hour under the names of its columns; the weekday counts from 1, Monday, as ISO 8601 has it."""
    plain = {name: getattr(one, name) for name in ("hour", "seen", "used", "requested", "capacity", "coverage")}
    return {"weekday": one.weekday + 1 or None, "used_p95": one.used_high} | plain
