"""The bill that is expected for days whose bill has not come: charges as the source will send them, by and large."""

from collections.abc import Iterator, Mapping
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from django.conf import settings

from apps.allocation import facts
from apps.allocation.facts import Facts
from apps.estimates.prices import BILL, MEASURED_POOLS, measured, priced, times_over
from apps.finops.tables import COSTS, MONEY
from apps.finops.windows import ONE_DAY, Window
from apps.marts.billed import RECENT_DAYS, Reach
from apps.teams.ownership import RuleBook
from apps.warehouse.engine import Workspace, start_of_day

Waits = Mapping[str, tuple[date, ...]]
"""Source → the days its bill has not reached."""

BY_WEEKDAY = "mean of the weekday"
BY_DAYS = "mean of the last days"
FEW_DAYS = 7
LONGEST = 2 * 24 * 3600
"""Charges of more than two days, in seconds, are fees of a month or a term: no day's mean tells when they come."""
COLUMNS = [
    "day", *BILL, "resource", "tags", *COSTS, "pool", "priced_by", "priced_on", "billing_month", "charge_category",
    "start", "end",
]  # fmt: skip


def trusted(reach: Reach) -> tuple[date, ...]:
    """The days prices are taken from: the newest is often not complete, and counts only where it is the only one."""
    return reach.recent[:-1] or reach.recent


def expected(
    waits: Waits, reaches: Mapping[str, Reach], book: RuleBook, workspace: Workspace
) -> tuple[ir.Table, ir.Table]:
    """The expected charges (COLUMNS, those of allocation's `billed` among them), and what has no price yet.

    Nodes, volumes and serverless pods: what was measured of them x their last known price. Everything else: the mean of
    the same weekday of the last four weeks (of the last seven days while there is none). Only usage is expected: when
    purchases, taxes, credits and fees of a month come is not known from days.
    """
    days = [day for late in waits.values() for day in late]
    inputs = facts.read(Window(min(days), max(days) + ONE_DAY), book, workspace)
    before = facts.read(_history(waits, reaches), book, workspace)
    awaited = workspace.keep(_pairs("day", ((source, day) for source, late in waits.items() for day in late)))
    history = workspace.keep(_costs(before, _pairs("day", _trusted_days(waits, reaches))))
    there = workspace.keep(measured(before, book))
    wanted = measured(inputs, book)
    wanted = workspace.keep(wanted.semi_join(awaited, "day"))
    of_usage, rest = priced(wanted, history.filter(history.pool.isin(MEASURED_POOLS)), there, awaited, workspace)
    others = history.filter(history.pool == "charge", history.seconds <= LONGEST)
    charges = of_usage.select(_TOLD).union(_means(others, wanted, waits, reaches).select(_TOLD))
    zone = settings.COSTOPS_TIME_ZONE
    charges = charges.mutate(
        billing_month=charges.day.strftime("%Y-%m"),
        charge_category=ibis.literal("Usage"),
        start=start_of_day(charges.day, zone),
        end=start_of_day(charges.day + ibis.interval(days=1), zone),
    )
    return workspace.keep(charges.select(COLUMNS)), rest


_TOLD = COLUMNS[: COLUMNS.index("billing_month")]


def _history(waits: Waits, reaches: Mapping[str, Reach]) -> Window:
    days = [day for source in waits for day in trusted(reaches[source])]
    return Window(min(days), max(days) + ONE_DAY)


def _trusted_days(waits: Waits, reaches: Mapping[str, Reach]) -> Iterator[tuple[str, date]]:
    """Every day from the first to the last trusted one: on some of them there may be no charge of a kind."""
    for source in waits:
        days = trusted(reaches[source])
        yield from ((source, day) for day in Window(days[0], days[-1] + ONE_DAY).days())


def _pairs(name: str, found: Iterator[tuple[str, date]]) -> ir.Table:
    rows = [{"source": source, name: day} for source, day in found]
    return ibis.memtable(pa.Table.from_pylist(rows, pa.schema([("source", pa.string()), (name, pa.date32())])))


def _costs(before: Facts, days: ir.Table) -> ir.Table:
    """The charges of usage on the trusted days, one row per day, pool, resource, bill and tags."""
    rows = before.charges.filter(before.charges.charge_category == "Usage").semi_join(days, ["source", "day"])
    rows = rows.mutate(seconds=(rows.end.epoch_seconds() - rows.start.epoch_seconds()).cast("int64"))
    return rows.group_by("day", "pool", "resource", *BILL, "tags").aggregate(
        seconds=rows.seconds.max(), **{basis: rows[basis].sum().cast(MONEY) for basis in COSTS}
    )


def _means(history: ir.Table, wanted: ir.Table, waits: Waits, reaches: Mapping[str, Reach]) -> ir.Table:
    """What has no measured usage: the mean of days like it. A resource that is measured now is priced by its usage."""
    rows = [
        {"source": source, "day": day, "like": like, "per": len(likes), "priced_by": name}
        for source, late in waits.items()
        for day in late
        for name, likes in (_like(day, trusted(reaches[source])),)
        for like in likes
    ]
    kinds = [("source", pa.string()), ("day", pa.date32()), ("like", pa.date32()), ("per", pa.int64())]
    days = ibis.memtable(pa.Table.from_pylist(rows, pa.schema([*kinds, ("priced_by", pa.string())])))
    past = history.rename(like="day")
    joined = past.join(days, ["source", "like"])
    sums = joined.group_by("day", "resource", *BILL, "tags", "priced_by", "per").aggregate(
        priced_on=joined.like.max(), **{basis: joined[basis].sum().cast(MONEY) for basis in COSTS}
    )
    sums = sums.anti_join(wanted, ["day", "resource"])
    return times_over(
        sums.mutate(once=ibis.literal(1).cast("int64"), pool=ibis.literal("charge")), times="once", per="per"
    )


def _like(day: date, billed: tuple[date, ...]) -> tuple[str, list[date]]:
    """The same weekdays of the trusted days, else the last seven of them."""
    span = list(Window(max(billed[0], billed[-1] - (RECENT_DAYS - 1) * ONE_DAY), billed[-1] + ONE_DAY).days())
    same = [one for one in span if one.weekday() == day.weekday()]
    return (BY_WEEKDAY, same) if same else (BY_DAYS, span[-FEW_DAYS:])
