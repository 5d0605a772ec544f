"""Publishing: rebuild the marts of the months that changed, check that every charge is accounted for, pin the
versions."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.finops.late import ENDED_DAYS, USUAL_DAYS, late_bills
from apps.finops.steps import StepResult
from apps.finops.tables import (
    ALLOCATED,
    CHARGES,
    COST_MART,
    COSTS,
    COVERAGE_HOURS,
    COVERAGE_MART,
    DIMENSIONS,
    ESTIMATES,
    KEPT_TAGS,
    MONEY,
    PASSED_ON,
    RECONCILED,
    RECONCILIATION_MART,
    USAGE,
    LakeTable,
)
from apps.finops.windows import ONE_DAY, Window
from apps.marts import usage_days
from apps.marts.models import Publication, day_after
from apps.teams.selectors import rule_book
from apps.warehouse import fencing, lake
from apps.warehouse.engine import rows_of
from apps.warehouse.failpoints import failpoint

DAYS_UNTIL_FINAL = 5
"""A billing period counts as final this many days after its end: AWS and Alibaba Cloud close on the third or fourth."""


class DoesNotReconcile(CostOpsError):
    """Charged and allocated cost differ; nothing was published."""


class PublishedMeanwhile(CostOpsError):
    """Another publication became the newest while this one was made."""


Versions = dict[str, int]
"""Table name -> version."""


def publish(window: Window | None, *, now: datetime, retired: Collection[str] = ()) -> StepResult:
    """Rebuild the marts of the months that changed and pin a new publication.

    Those are the months a window touches (all months by default), and those of which anything, or the marts themselves,
    differ from the newest publication: what it pins must be true of every month. Nothing is missing of sources that are
    `retired`. Refuses when any (source, billing month, currency, day) of these months differs between charges and
    allocated, in any of the four costs. Publishing the same table versions under the same rules again changes nothing.
    """
    inputs = {table.name: lake.version(table) for table in (CHARGES, ALLOCATED, PASSED_ON, ESTIMATES, *USAGE.values())}
    newest = Publication.objects.order_by("-number").first()
    number, _ = rule_book()
    if newest and newest.ruleset == number and inputs.items() <= newest.versions.items():
        return StepResult(versions={"publication": newest.number})
    months = _months(window, inputs, newest)
    failpoint("publish.rebuild")
    marts = {
        COST_MART.name: _rebuild(COST_MART, months, _costs(months, inputs)),
        RECONCILIATION_MART.name: _rebuild(RECONCILIATION_MART, months, _reconciliation(months, inputs)),
        COVERAGE_MART.name: _rebuild(COVERAGE_MART, months, _coverage(months, inputs)),
    }
    failpoint("publish.check")
    reconciled = _check(months, marts)
    marts |= usage_days.refresh(inputs, newest.versions if newest and window else {})
    failpoint("publish.pin")
    published = _pin(_described(inputs | marts, number, now, retired), newest)
    totals = dict(_sums(lake.scan(COST_MART, at=marts[COST_MART.name]), "currency"))
    return StepResult(rows=reconciled, cost_in=totals, cost_out=totals, versions={"publication": published.number})


def _months(window: Window | None, inputs: Versions, newest: Publication | None) -> frozenset[str]:
    """The months to rebuild: those of the window, and those whose inputs are not those of the newest publication."""
    pinned = newest.versions if newest and window else {}
    months = {f"{day:%Y-%m}" for day in window.days()} if window else set()
    if window is None:
        months |= {file.partition["month"] for file in lake.files(COST_MART)}
    for table in (ALLOCATED, COVERAGE_HOURS):
        changed = lake.changed(table, pinned.get(table.name), inputs[table.name])
        months |= {file.partition["day"][:7] for file in changed}
    for table in (COST_MART, RECONCILIATION_MART, COVERAGE_MART):  # of a publication that a restored database lost
        months |= {file.partition["month"] for file in lake.changed(table, pinned.get(table.name), lake.version(table))}
    if changed := lake.changed(CHARGES, pinned.get(CHARGES.name), inputs[CHARGES.name]):
        bill = lake.scan(CHARGES, only=changed)
        months |= {month for (month,) in rows_of(bill.select(month=bill.x_ChargeDay.strftime("%Y-%m")).distinct())}
    return frozenset(months)


def _rebuild(table: LakeTable, months: frozenset[str], rows: ir.Table) -> int:
    replaced = [file for file in lake.files(table) if file.partition["month"] in months]
    return lake.replace(table, rows, replaced, note={"step": "publish"})


def _days_of(table: LakeTable, months: frozenset[str], inputs: Versions) -> ir.Table:
    """The rows of a table partitioned by day, for these months, with `month`."""
    chosen = [file for file in lake.files(table, at=inputs[table.name]) if file.partition["day"][:7] in months]
    rows = lake.scan(table, only=chosen)
    return rows.mutate(month=rows.day.strftime("%Y-%m"))


def _costs(months: frozenset[str], inputs: Versions) -> ir.Table:
    rows = _days_of(ALLOCATED, months, inputs)
    summed = rows.group_by("month", "day", *DIMENSIONS, *KEPT_TAGS).aggregate(
        **{basis: rows[basis].sum().cast(MONEY) for basis in COSTS}
    )
    return summed.order_by("team", "day", "namespace")


def _coverage(months: frozenset[str], inputs: Versions) -> ir.Table:
    rows = _days_of(COVERAGE_HOURS, months, inputs)
    return rows.group_by("month", "day", "cluster").aggregate(
        observed_samples=rows.observed_samples.sum(), expected_samples=rows.expected_samples.sum()
    )


def _reconciliation(months: frozenset[str], inputs: Versions) -> ir.Table:
    key = ["month", "day", "source", "billing_month", "currency"]
    allocated = _days_of(ALLOCATED, months, inputs)
    parts = allocated.group_by(key).aggregate(
        **{f"{basis}_allocated": allocated[basis].sum() for basis in COSTS},
        **{kind: allocated.effective_cost.sum(where=allocated.kind == kind) for kind in RECONCILED},
    )
    both = _charged(months, inputs, key).outer_join(parts, key)
    names = {name: ibis.coalesce(both[name], both[f"{name}_right"]) for name in key}
    sums = [name for name in RECONCILIATION_MART.columns if name not in key]
    return both.select(**names, **{name: both[name].fill_null(0).cast(MONEY) for name in sums})


def _charged(months: frozenset[str], inputs: Versions, key: list[str]) -> ir.Table:
    bill = lake.scan(CHARGES, at=inputs[CHARGES.name])
    rows = bill.select(
        month=bill.x_ChargeDay.strftime("%Y-%m"),
        day=bill.x_ChargeDay,
        source=bill.x_SourceName,
        billing_month=bill.x_BillingMonth,
        currency=bill.BillingCurrency,
        billed_cost=bill.BilledCost,
        effective_cost=bill.EffectiveCost,
        list_cost=bill.ListCost,
        contracted_cost=bill.ContractedCost,
    )
    if months:
        first, last = date.fromisoformat(f"{min(months)}-01"), date.fromisoformat(f"{max(months)}-28")
        rows = rows.filter(rows.day >= first, rows.day < last + timedelta(days=4))
    rows = rows.filter(rows.month.isin(sorted(months)))
    return rows.group_by(key).aggregate(**{f"{basis}_charged": rows[basis].sum() for basis in COSTS})


def _check(months: frozenset[str], marts: Versions) -> int:
    """Refuse to publish unless charged and allocated are equal everywhere, in all four costs; how many rows are."""
    chosen = [
        file
        for file in lake.files(RECONCILIATION_MART, at=marts[RECONCILIATION_MART.name])
        if file.partition["month"] in months
    ]
    rows = lake.scan(RECONCILIATION_MART, only=chosen)
    differences = [rows[f"{basis}_charged"] != rows[f"{basis}_allocated"] for basis in COSTS]
    bad = rows.filter(differences[0] | differences[1] | differences[2] | differences[3])
    found = rows_of(
        bad.order_by("day", "source")
        .limit(5)
        .select("source", "billing_month", "day", "currency", "effective_cost_charged", "effective_cost_allocated")
    )
    if found:
        shown = "; ".join(
            f"{source} {month} {day}: charged {charged} {currency}, allocated {allocated}"
            for source, month, day, currency, charged, allocated in found
        )
        raise DoesNotReconcile(f"{shown}. Run `manage.py fill --step allocate` for these days; nothing was published.")
    return sum(file.rows for file in chosen)


def _sums(rows: ir.Table, key: str) -> list[tuple[Any, ...]]:
    return rows_of(rows.group_by(key).aggregate(total=rows.effective_cost.sum().cast(MONEY)).order_by(key))


def _pin(described: Publication, seen: Publication | None) -> Publication:
    """Make it the newest, unless somebody published since this publication began: it would take readers back."""
    with transaction.atomic():
        fencing.check()
        newest = Publication.objects.order_by("-number").first()
        if newest != seen:
            raise PublishedMeanwhile("Somebody else published at the same time; nothing was published. Run it again.")
        described.save(force_insert=True)
        failpoint("publish.pinned")
    return described


def _described(versions: Versions, ruleset: int, now: datetime, retired: Collection[str]) -> Publication:
    costs, coverage = (lake.scan(table, at=versions[table.name]) for table in (COST_MART, COVERAGE_MART))
    has_come = costs.day < day_after(now)
    days = costs.aggregate(first=costs.day.min(), last=costs.day.max(), came=costs.day.max(where=has_come))
    ((first, last, came),) = rows_of(days)
    ((observed, expected),) = rows_of(
        coverage.aggregate(observed=coverage.observed_samples.sum(), expected=coverage.expected_samples.sum())
    )
    return Publication(
        created_at=now,
        versions=versions,
        ruleset=ruleset,
        status=_status(versions, now),
        first_day=first,
        end_day=last + timedelta(days=1) if last else None,
        came_day=came,
        late=_late(versions[COST_MART.name], came, retired) if came else {},
        observed_samples=observed or 0,
        expected_samples=expected or 0,
        totals={currency: str(total) for currency, total in _sums(costs, "currency")},
    )


def _late(version: int, came: date, retired: Collection[str]) -> dict[str, str]:
    """The sources whose bill is late beside others that came until a day, each with the day after its last."""
    first = came - timedelta(days=USUAL_DAYS + ENDED_DAYS)
    chosen = [file for file in lake.files(COST_MART, at=version) if f"{first:%Y-%m}" <= file.partition["month"]]
    rows = lake.scan(COST_MART, only=chosen)
    usage: dict[str, list[date]] = {}
    used = rows.filter(rows.charge_category == "Usage", rows.day >= first, ~rows.source.isin(sorted(retired)))
    for source, day in rows_of(used.select("source", "day").distinct()):
        usage.setdefault(source, []).append(day)
    return {source: end.isoformat() for source, end in late_bills(usage, came + ONE_DAY).items()}


def _status(versions: Versions, now: datetime) -> str:
    bill = lake.scan(CHARGES, at=versions[CHARGES.name])
    ((end,),) = rows_of(bill.aggregate(end=bill.BillingPeriodEnd.max()))
    return "final" if end and end + timedelta(days=DAYS_UNTIL_FINAL) <= now else "provisional"
