"""Keeping drivers: every upload is a version that replaces the days it tells."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
from django.conf import settings
from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.finops.tables import DRIVERS
from apps.finops.windows import ONE_DAY, Window
from apps.ingest.models import Source
from apps.teams.models import UNALLOCATED, Team
from apps.units import csv_file, fetching
from apps.units.csv_file import Quantity
from apps.units.models import DriverVersion
from apps.warehouse import lake
from apps.warehouse.engine import rows_of


class NothingToKeep(CostOpsError):
    """There is no quantity to keep."""


def import_drivers(content: bytes, *, name: str, by: str, now: datetime) -> DriverVersion:
    """Import a file of driver quantities, all of it or nothing."""
    return _keep(csv_file.read(content, name, teams=_teams()), origin=name, by=by, now=now)


def fetch_drivers(
    source: Source, query: str, *, driver: str, scope: str, label: str, window: Window, by: str, now: datetime
) -> DriverVersion:
    """Ask Prometheus for the quantities of each day of a window, and keep them."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    found = fetching.fetch(source, query, driver=driver, scope=scope, label=label or scope, window=window, zone=zone)
    if not found:
        raise NothingToKeep(f"{source.name} answers nothing for {window} to: {query}. Nothing was kept.")
    if scope == "team" and (unknown := sorted({one.subject for one in found} - _teams())):
        raise fetching.BadDriverQuery(f"There is no team {unknown[0]!r}. Nothing was kept.")
    return _keep(found, origin=f"{source.name}: {query}", by=by, now=now)


def go_back() -> None:
    """Have drivers be what the newest version says they are: a lake that was restored may hold later ones."""
    newest = DriverVersion.objects.order_by("-lake_version").first()
    held = lake.files(DRIVERS) if lake.is_there(DRIVERS) else ()
    told = lake.files(DRIVERS, at=newest.lake_version) if newest else ()
    lost, strange = ([file for file in some if file not in others] for some, others in ((told, held), (held, told)))
    if lost or strange:
        written = lake.write(DRIVERS, lake.scan(DRIVERS, only=lost)) if lost else []
        lake.commit(DRIVERS, add=written, remove=strange, note={"step": "restore"})


def _teams() -> set[str]:
    return {UNALLOCATED, *Team.objects.values_list("name", flat=True)}


def _keep(rows: Sequence[Quantity], *, origin: str, by: str, now: datetime) -> DriverVersion:
    """Replace the days that are told, of their drivers and scope, by a new version; the newest when nothing is new."""
    days = [row.day for row in rows]
    with transaction.atomic():
        if _known(rows) == {(row.driver, row.day, row.subject): row.quantity for row in rows}:
            return DriverVersion.objects.latest("number")
        version = DriverVersion.objects.create(
            scope=rows[0].scope, drivers=sorted({row.driver for row in rows}), first_day=min(days), last_day=max(days),
            rows=len(rows), origin=origin[:1000], created_at=now, created_by=by[:150],
        )  # fmt: skip
        told = {(row.driver, row.scope, str(row.day)) for row in rows}
        replaced = [
            file
            for file in lake.files(DRIVERS)
            if (file.partition["driver"], file.partition["scope"], file.partition["day"]) in told
        ]
        note = {"step": "drivers", "version": str(version.number)}
        version.lake_version = lake.replace(DRIVERS, _table(rows, version.number), replaced, note=note)
        version.save(update_fields=["lake_version"])
    return version


def _known(rows: Sequence[Quantity]) -> dict[tuple[str, date, str], Decimal]:
    """The quantities of the same drivers, scope and days as they count now."""
    told = {(row.driver, row.day) for row in rows}
    days = [day for _, day in told]
    kept = lake.between(DRIVERS, "day", min(days), max(days) + ONE_DAY)
    kept = kept.filter(kept.scope == rows[0].scope).select("driver", "day", "subject", "quantity")
    return {(driver, *rest): quantity for driver, *rest, quantity in rows_of(kept) if (driver, rest[0]) in told}


def _table(rows: Sequence[Quantity], version: int) -> ibis.Table:
    names = ("subject", "quantity", "line", "driver", "scope", "day")
    told = [{name: getattr(row, name) for name in names} | {"version": version} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(told, schema=DRIVERS.schema.to_pyarrow()))
