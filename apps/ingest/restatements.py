"""The restatement ledger: what a new issue of a bill changed, by day and service; and when a day's charges arrived."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.finops.money import add_up
from apps.finops.tables import CHARGES, MONEY
from apps.ingest.models import Arrival, LandedFile, Restatement, Source
from apps.warehouse import fencing, lake
from apps.warehouse.engine import rows_of

Cell = tuple[str, date, str, str]
"""(billing month, day, service, currency)."""
Sums = tuple[int, Decimal, Decimal]
"""Charges, billed cost, effective cost."""
_NOTHING: Sums = (0, Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Comparison:
    """What changed since the ledger was last kept: the months that did, those restated, the files that count now."""

    changed: frozenset[str] = frozenset()
    restated: frozenset[str] = frozenset()
    files: dict[str, list[lake.StoredFile]] = field(default_factory=dict)


def catch_up(source: Source, now: datetime) -> Comparison:
    """Compare what the lake holds of a source with what it held when this was last done, and keep the ledger.

    Everything is told from the two versions of the table: killed and done again it says the same.
    """
    version = lake.version(CHARGES)
    if version == source.charges_version:
        return Comparison()
    before, after = (_files(source, at) for at in (source.charges_version, version))
    months = {month for month in before.keys() | after.keys() if before.get(month) != after.get(month)}
    old, new = (_cells(files, months) for files in (before, after))
    restated = _restated(old, new)
    with transaction.atomic():
        fencing.check()
        if not Source.objects.filter(pk=source.pk, charges_version=source.charges_version).update(
            charges_version=version
        ):
            raise fencing.TakenOver(f"{source.name}: another worker has kept the ledger of restatements meanwhile.")
        for month, changes in sorted(restated.items()):
            Restatement.objects.create(
                source=source, billing_month=month, version=version, at=now, changes=changes,
                rows_before=_rows(old, month), rows_after=_rows(new, month),
            )  # fmt: skip
        beside = _beside(source, after, months, {day for _, day, _, _ in old.keys() | new.keys()})
        Arrival.objects.bulk_create(_arrivals(source, old | beside, new | beside, now))
    source.charges_version = version
    return Comparison(frozenset(months), frozenset(restated), after)


def _files(source: Source, at: int) -> dict[str, list[lake.StoredFile]]:
    by_month: dict[str, list[lake.StoredFile]] = defaultdict(list)
    for file in lake.files(CHARGES, at=at):
        if file.partition["x_SourceName"] == source.name:
            by_month[file.partition["x_BillingMonth"]].append(file)
    return by_month


def _cells(files: dict[str, list[lake.StoredFile]], months: Iterable[str]) -> dict[Cell, Sums]:
    chosen = [file for month in sorted(months) for file in files.get(month, ())]
    if not chosen:
        return {}
    bill = lake.scan(CHARGES, only=chosen)
    summed = bill.group_by(
        month=bill.x_BillingMonth, day=bill.x_ChargeDay, service=bill.ServiceName, currency=bill.BillingCurrency
    ).aggregate(
        rows=bill.count(), billed=bill.BilledCost.sum().cast(MONEY), effective=bill.EffectiveCost.sum().cast(MONEY)
    )
    return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6]) for row in rows_of(summed)}


def _beside(
    source: Source, files: dict[str, list[lake.StoredFile]], changed: Iterable[str], days: set[date]
) -> dict[Cell, Sums]:
    """What months that did not change hold of these days: a day may lie in two billing months."""
    texts = {str(day) for day in days}
    holding = {
        (file.file_id, entry["window"])
        for file in source.files.filter(state=LandedFile.State.CURRENT)
        for entry in file.contents
        if entry.get("counts", True) and entry["window"] not in changed and not texts.isdisjoint(entry["days"])
    }
    chosen = {
        month: [one for one in listed if (one.partition["x_FileId"], month) in holding]
        for month, listed in files.items()
    }
    return {cell: sums for cell, sums in _cells(chosen, chosen).items() if cell[1] in days}


def _restated(old: dict[Cell, Sums], new: dict[Cell, Sums]) -> dict[str, list[dict[str, Any]]]:
    """The cells of days that had been billed before and now say something else, by month."""
    billed = {(month, day) for month, day, _, _ in old}
    changed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for cell in sorted(old.keys() | new.keys()):
        month, day, service, currency = cell
        before, after = old.get(cell, _NOTHING), new.get(cell, _NOTHING)
        if (month, day) in billed and before != after:
            changed[month].append(
                {
                    "day": str(day), "service": service, "currency": currency,
                    "rows_before": before[0], "rows_after": after[0],
                    "billed_before": f"{before[1]:f}", "billed_after": f"{after[1]:f}",
                    "effective_before": f"{before[2]:f}", "effective_after": f"{after[2]:f}",
                }
            )  # fmt: skip
    return changed


def _rows(cells: dict[Cell, Sums], month: str) -> int:
    return sum(sums[0] for cell, sums in cells.items() if cell[0] == month)


def _arrivals(source: Source, old: dict[Cell, Sums], new: dict[Cell, Sums], now: datetime) -> list[Arrival]:
    """The days whose cost is another than before, with what they cost now."""
    before, after = _by_day(old), _by_day(new)
    return [
        Arrival(source=source, day=day, currency=currency, seen_at=now, effective_cost=f"{cost:f}")
        for (day, currency), cost in sorted(after.items())
        if before.get((day, currency)) != cost
    ]


def _by_day(cells: dict[Cell, Sums]) -> dict[tuple[date, str], Decimal]:
    days: dict[tuple[date, str], list[Decimal]] = defaultdict(list)
    for (_, day, _, currency), (_, _, effective) in cells.items():
        days[day, currency].append(effective)
    return {key: add_up(costs) for key, costs in days.items()}
