"""Small worlds: charges and usage written straight into the lake, rules imported, and what allocation makes of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from django.conf import settings

from apps.allocation.services import allocate
from apps.finops import focus
from apps.finops.money import add_up
from apps.finops.steps import StepResult
from apps.finops.tables import ALLOCATED, CHARGES, COSTS, USAGE, LakeTable
from apps.finops.windows import ONE_DAY, Window
from apps.teams.documents import parse_teams
from apps.teams.models import RuleSet
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.worlds import begun

Row = dict[str, Any]
DAY = date(2026, 10, 1)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 1, tzinfo=UTC)
TEAMS = "teams: [{name: web}, {name: data}, {name: ops}]\n"


def at(hour: float) -> datetime:
    """An instant so many hours after the beginning of the day."""
    return MIDNIGHT + timedelta(hours=hour)


def charge(cost: str | Decimal, resource: str = "", *, start: float = 0, hours: float = 24, **given: Any) -> Row:
    """A charge of so many hours; other cost bases are the effective cost unless given, None is missing."""
    begin = at(start)
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    month = given.pop("month", f"{begin:%Y-%m}")
    first = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    row: Row = dict.fromkeys((*focus.COLUMNS, *focus.OWN_COLUMNS)) | {
        "BillingAccountId": "100",
        "BillingCurrency": "CNY",
        "BillingPeriodStart": first,
        "BillingPeriodEnd": (first + timedelta(days=32)).replace(day=1),
        "ChargePeriodStart": begin,
        "ChargePeriodEnd": begin + timedelta(hours=hours),
        "ChargeCategory": "Usage",
        "ServiceName": "Compute",
        "ResourceId": resource or None,
        "x_ChargeDay": begin.astimezone(zone).date(),
        "x_SourceName": "bill",
        "x_BillingMonth": month,
        "x_FileId": "f1",
    }
    row |= dict.fromkeys(focus.COST_METRICS.values(), Decimal(cost))
    return row | {
        name: Decimal(value) if name in focus.COST_METRICS.values() and value is not None else value
        for name, value in given.items()
    }


def node(
    name: str = "n1",
    hours: Iterable[float] = range(24),
    *,
    cpu: str = "4",
    memory: str = "16",
    gpu: str = "0",
    **given: Any,
) -> list[Row]:
    """Hours of a node of 4 cores and 16 GiB: 8 x 4 + 16 = 48 price units."""
    return [
        {
            "hour": at(hour), "cluster": "online", "node": name, "node_pool": "general",
            "provider_id": f"cn-beijing.i-{name}", "instance_type": "g",
            "cpu_capacity_core_hours": Decimal(cpu),
            "memory_capacity_gib_hours": Decimal(memory), "gpu_capacity_hours": Decimal(gpu), "labels": "{}",
        }
        | given
        for hour in hours
    ]  # fmt: skip


def pod(
    namespace: str,
    cpu: str = "0",
    memory: str = "0",
    *,
    hours: Iterable[float] = range(24),
    used: str = "0",
    memory_used: str = "0",
    gpu: str = "0",
    gpu_used: str = "0",
    **given: Any,
) -> list[Row]:
    """Hours of a pod that asks for `cpu` and `memory`."""
    return [
        {
            "hour": at(hour), "cluster": "online", "namespace": namespace, "workload": namespace,
            "workload_kind": "Deployment",             "pod": f"{namespace}-1", "node": "n1", "resource_id": "",
            "cpu_used_core_hours": Decimal(used),
            "cpu_request_core_hours": Decimal(cpu), "memory_used_gib_hours": Decimal(memory_used),
            "memory_request_gib_hours": Decimal(memory), "gpu_used_hours": Decimal(gpu_used),
            "gpu_request_hours": Decimal(gpu),
        }
        | given
        for hour in hours
    ]  # fmt: skip


def claim(
    namespace: str, size: str, *, volume: str = "d-1", hours: Iterable[float] = range(24), **given: Any
) -> list[Row]:
    """Hours of a claim on a volume."""
    return [
        {
            "hour": at(hour), "cluster": "online", "volume": volume, "namespace": namespace, "claim": "disk",
            "workload": namespace, "capacity_gib_hours": Decimal(size), "used_gib_hours": Decimal(0),
        }
        | given
        for hour in hours
    ]  # fmt: skip


def labels(namespace: str, text: str, *, workload: str = "", hour: float = 0, **given: Any) -> list[Row]:
    return [
        {"hour": at(hour), "cluster": "online", "namespace": namespace, "workload": workload, "labels": text} | given
    ]


def overhead(
    cpu: str = "0.5", memory: str = "2", *, name: str = "n1", hours: Iterable[float] = range(24), **given: Any
) -> list[Row]:
    """Hours in which a node keeps so much of its capacity to itself: 8 x 0.5 + 2 = 6 price units."""
    return [
        {
            "hour": at(hour), "cluster": "online", "node": name, "cpu_overhead_core_hours": Decimal(cpu),
            "memory_overhead_gib_hours": Decimal(memory), "gpu_overhead_hours": Decimal(0),
        }
        | given
        for hour in hours
    ]  # fmt: skip


def service(
    namespace: str, name: str = "front", *, hours: Iterable[float] = range(24), attached: str = "1", **given: Any
) -> list[Row]:
    """Hours of a Service behind a load balancer."""
    return [
        {
            "hour": at(hour), "cluster": "online", "namespace": namespace, "service": name, "load_balancer": "lb-1",
            "attached_hours": Decimal(attached),
        }
        | given
        for hour in hours
    ]  # fmt: skip


def sent(namespace: str, gib: str, *, hours: Iterable[float] = range(24), **given: Any) -> list[Row]:
    """Hours in which a pod sent so much in all; what left the cloud, region or zone is 0 unless given."""
    kinds = ("internet_gib", "cross_region_gib", "cross_zone_gib")
    return [
        {
            "hour": at(hour), "cluster": "online", "namespace": namespace, "workload": namespace,
            "pod": f"{namespace}-1", "node": "n1", "sent_gib": Decimal(gib),
        }
        | given
        | {name: Decimal(given.get(name, 0)) for name in kinds}
        for hour in hours
    ]  # fmt: skip


def root_disk(disk: str, hours: Iterable[float] = range(24), **given: Any) -> list[Row]:
    """Hours of a disk that is a node's own."""
    return [{"hour": at(hour), "cluster": "online", "node": "n1", "disk": disk} | given for hour in hours]


def put(table: LakeTable, rows: Iterable[Mapping[str, Any]]) -> int:
    """Make a table of the lake hold exactly these rows."""
    return begun(table, list(rows), _replaced)


def _replaced(table: LakeTable, rows: list[Mapping[str, Any]]) -> int:
    if not rows:  # the engine need not be asked
        return lake.commit(table, add=(), remove=lake.files(table))
    return lake.replace(table, as_table(table, rows), lake.files(table))


def as_table(table: LakeTable, rows: Iterable[Mapping[str, Any]]) -> ir.Table:
    """Rows as an expression of a table's columns."""
    kept = list(rows)
    columns = {name: [row[name] for row in kept] for name in table.columns}
    return ibis.memtable(pa.table(columns, schema=table.schema.to_pyarrow()), schema=table.schema)


def put_usage(**usage: list[Row]) -> None:
    """Make the usage tables hold exactly these rows; `source` and `file_id` may be given."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    for name, table in USAGE.items():
        rows = [
            {"source": "usage", "file_id": "f2", "day": row["hour"].astimezone(zone).date()} | row
            for row in usage.get(name, [])
        ]
        put(table, rows)


def import_rules(text: str) -> int:
    """Put the rules of a teams file (without its teams) in force."""
    _teams, book = parse_teams(TEAMS + text, file="teams.yaml")
    number = RuleSet.objects.count() + 1
    RuleSet.objects.create(number=number, sha256=f"{number:064}", document=book.to_document(), imported_at=NOW)
    return number


OWNED_BY_NAME = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: data, when: {namespace: data*}, team: data}
"""


def allocated(charges: list[Row], rules: str = OWNED_BY_NAME, *, days: int = 1, **usage: list[Row]) -> list[Row]:
    """Put a world into the lake, allocate the days from DAY on, and return the allocated rows."""
    put(CHARGES, charges)
    put_usage(**usage)
    import_rules(rules)
    result(days=days)
    return rows_allocated()


@dataclass(frozen=True)
class World:
    """What happened on one day: charges, and usage by table."""

    charges: list[Row]
    usage: dict[str, list[Row]] = field(default_factory=dict)


_TIMES = ("hour", "ChargePeriodStart", "ChargePeriodEnd", "x_ChargeDay")


def moved(rows: Iterable[Row], days: int) -> list[Row]:
    """The same rows so many days later."""
    return [row | {name: row[name] + days * ONE_DAY for name in _TIMES if name in row} for row in rows]


def allocated_together(worlds: list[World], rules: str) -> list[list[Row]]:
    """Allocate each world on a day of its own, in one run; the rows of each."""
    usage = {
        name: [row for number, world in enumerate(worlds) for row in moved(world.usage.get(name, []), number)]
        for name in USAGE
    }
    charges = [row for number, world in enumerate(worlds) for row in moved(world.charges, number)]
    rows = allocated(charges, rules, days=len(worlds), **usage)
    return [[row for row in rows if row["day"] == DAY + number * ONE_DAY] for number in range(len(worlds))]


def result(*, days: int = 1) -> StepResult:
    return allocate(Window(DAY, DAY + days * ONE_DAY))


def rows_allocated() -> list[Row]:
    found = rows_of(lake.scan(ALLOCATED))
    return sorted((dict(zip(ALLOCATED.columns, row, strict=True)) for row in found), key=repr)


def by(rows: Iterable[Row], *names: str, basis: str = "effective_cost") -> dict[Any, Decimal]:
    """The sums of one cost by some columns (a single name is the key itself), without zeros."""
    sums: dict[Any, list[Decimal]] = defaultdict(list)
    for row in rows:
        sums[row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)].append(row[basis])
    return {key: total for key, amounts in sums.items() if (total := add_up(amounts))}


def totals(rows: Iterable[Row]) -> dict[tuple[str, str], Decimal]:
    """Every basis by currency."""
    kept = list(rows)
    return {
        (basis, currency): total for basis in COSTS for currency, total in by(kept, "currency", basis=basis).items()
    }


def charged(charges: Iterable[Row]) -> dict[tuple[str, str], Decimal]:
    """What the charges of a world add up to, as `totals` says it."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for row in charges:
        for basis, column in focus.COST_METRICS.items():
            sums[basis, row["BillingCurrency"]].append(row[column] or Decimal(0))
    return {key: total for key, amounts in sums.items() if (total := add_up(amounts))}


HALF = pod("web", "2", "8")
QUARTER = pod("data", "1", "4")
ON_NODE = {"node_hours": node(), "workload_hours": HALF + QUARTER}
NODE = charge("48", "i-n1")
WEB, DATA, IDLE = ("web", "direct", "web", "web"), ("data", "direct", "data", "data"), ("unallocated", "idle", "", "")
SHARED_WEB, SHARED_DATA = ("web", "shared", "__cluster__", ""), ("data", "shared", "__cluster__", "")
