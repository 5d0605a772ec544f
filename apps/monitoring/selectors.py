"""What CostOps itself takes: room on disk, time of each step, and money."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Max, Sum

from apps.finops import tables
from apps.finops.money import add_up
from apps.ingest.models import LandedFile
from apps.marts import selectors as marts
from apps.marts.query import CostQuery, Scope
from apps.pipeline.models import StepRun
from apps.pipeline.steps import NAMES
from apps.warehouse import lake

TABLES = tuple(
    sorted((value for value in vars(tables).values() if isinstance(value, tables.LakeTable)), key=lambda t: t.name)
)


@dataclass(frozen=True)
class Stored:
    """What the newest version of a table of the lake takes; older versions lie beside it."""

    table: str
    rows: int
    files: int
    size: int


def stored() -> list[Stored]:
    """The tables of the lake that hold anything, the largest first."""
    found = [(table, lake.files(table)) for table in TABLES if lake.is_there(table)]
    counted = [
        Stored(table.name, sum(f.rows for f in files), len(files), sum(f.size for f in files)) for table, files in found
    ]
    return sorted((one for one in counted if one.files), key=lambda one: (-one.size, one.table))


def landed_bytes() -> int:
    """Of files as received; those that several sources brought lie once but are counted for each."""
    return LandedFile.objects.aggregate(size=Sum("size"))["size"] or 0


def database_bytes() -> int | None:
    """What the control database takes; None where it does not say."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    path = Path(str(connection.settings_dict["NAME"]))
    return path.stat().st_size if path.is_file() else None


@dataclass(frozen=True)
class StepTime:
    """The newest run of a step that was done."""

    step: str
    took: timedelta
    ended_at: datetime
    rows: int


def step_times() -> list[StepTime]:
    """In the order of the steps; one that never was done is not among them."""
    last = StepRun.objects.filter(state=StepRun.State.DONE).values("step").annotate(last=Max("pk")).order_by()
    runs = {run.step: run for run in StepRun.objects.filter(pk__in=last.values("last"))}
    return [
        StepTime(name, run.finished_at - run.started_at, run.finished_at, run.rows)
        for name in NAMES
        if (run := runs.get(name)) and run.finished_at and run.started_at
    ]


@dataclass(frozen=True)
class OwnCost:
    """What the namespaces CostOps runs in cost over days, beside all cost of these days, by currency."""

    start: date
    end: date
    own: dict[str, Decimal]
    everything: dict[str, Decimal]


def own_namespaces() -> list[tuple[str, str]]:
    """Cluster and namespace of each, as `COSTOPS_OWN_NAMESPACES` names them."""
    told = (one.partition("/") for one in settings.COSTOPS_OWN_NAMESPACES)
    return [(cluster, namespace) for cluster, _, namespace in told]


def own_cost(*, days: int = 30) -> OwnCost | None:
    """Of the newest days published; None where nobody said where CostOps runs, or nothing is published."""
    namespaces = own_namespaces()
    newest = marts.publications(limit=1)
    end = newest[0].came_until if newest else None
    if not namespaces or end is None or newest[0].first_day is None:
        return None
    everything = CostQuery(
        start=max(newest[0].first_day, end - timedelta(days=days)), end=end, as_of=newest[0].number, scope=Scope()
    )
    own: dict[str, Decimal] = {}
    for cluster, namespace in namespaces:
        for currency, cost in marts.answer(everything.narrowed(cluster=cluster, namespace=namespace)).totals.items():
            own[currency] = add_up((own.get(currency, Decimal(0)), cost))
    return OwnCost(everything.start, end, own, dict(marts.answer(everything).totals))
