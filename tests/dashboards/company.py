"""A small company whose costs can be added up on paper, published as the marts would publish it."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
from django.conf import settings
from django.contrib.auth.models import Group, User

from apps.finops.tables import COST_MART, COSTS, COVERAGE_MART, DIMENSIONS, RECONCILIATION_MART, LakeTable
from apps.ingest.models import LandedFile, Source
from apps.marts.models import Publication
from apps.pipeline.models import StepRun
from apps.teams.models import Membership, Team
from apps.units.services import import_drivers
from apps.warehouse import lake

FIRST_DAY, END_DAY = date(2026, 9, 1), date(2026, 10, 31)
MOMENT = datetime(2026, 10, 31, 4, 30, tzinfo=UTC)
PASSWORD = "a-password-of-the-tests"
HOSTILE = "<script>alert('cost')</script>{{7*7}}%{y}\u202e001"


@dataclass(frozen=True)
class Cost:
    """One row of the cost mart; `amount` is text, so that it is exact."""

    team: str
    amount: str
    kind: str = "direct"
    namespace: str = ""
    workload: str = ""
    cluster: str = ""
    service: str = "Compute"
    currency: str = "CNY"
    days: tuple[date, ...] = ()
    elsewhere: str = ""
    """What every other dimension says, and the tag `env`."""


def days_from(first: date, end: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=n) for n in range((end - first).days))


OCTOBER = days_from(date(2026, 10, 1), END_DAY)
ALL_DAYS = days_from(FIRST_DAY, END_DAY)

COMPANY = (
    Cost("live-class", "12.340000000001", namespace="classroom", workload="gateway", cluster="online", days=ALL_DAYS),
    Cost("live-class", "7.66", namespace="classroom", workload="media", cluster="online", days=OCTOBER),
    Cost(
        "live-class",
        "1.10",
        kind="shared",
        namespace="kube-system",
        workload="coredns",
        cluster="online",
        days=ALL_DAYS,
    ),
    Cost("live-class", "3.333333333333", kind="idle", cluster="online", days=ALL_DAYS),
    Cost("search", "9.50", namespace="homework", workload="ranker", cluster="gpu", service="GPU", days=ALL_DAYS),
    Cost("search", "-0.50", namespace="homework", workload="ranker", cluster="gpu", service="Refund", days=OCTOBER),
    Cost("unallocated", "2.00", kind="unallocated", service="Object Storage", days=ALL_DAYS),
    Cost(
        "unallocated", "0.25", kind="unallocated", namespace="nobody", workload="job", cluster="online", days=ALL_DAYS
    ),
)
HOSTILE_COMPANY = (
    Cost(HOSTILE, "1.00", namespace=HOSTILE, workload=HOSTILE, cluster=HOSTILE, service=HOSTILE, days=ALL_DAYS),
    Cost("..", "2.00", namespace="..", workload="a/b", cluster="~", service="\\", days=ALL_DAYS),
)
TWO_CURRENCIES = (
    Cost("live-class", "5.00", namespace="classroom", cluster="online", currency="CNY", days=OCTOBER),
    Cost("live-class", "3.00", namespace="classroom", cluster="online", currency="USD", days=OCTOBER),
)


def bring_drivers() -> int:
    """Requests and GPU-seconds of two teams: in September 100 and 200 a day, in October 150 and 210; the version."""
    rows = [
        f"{day},{driver},{team},{quantity * (3 if team == 'search' else 1)}"
        for day in ALL_DAYS
        for driver, quantity in (
            ("requests", 150 if day in OCTOBER else 100), ("gpu-seconds", 210 if day in OCTOBER else 200),
        )
        for team in ("live-class", "search")
    ]  # fmt: skip
    content = "\n".join(["date,driver,team,quantity", *rows]).encode()
    return import_drivers(content, name="drivers.csv", by="han", now=MOMENT).number


def write(table: LakeTable, rows: Sequence[dict[str, object]]) -> int:
    """Replace a lake table by rows; what a row leaves out is empty text or zero."""
    schema = table.schema.to_pyarrow()
    columns = {
        name: pa.array([row.get(name, _nothing(schema.field(name).type)) for row in rows], schema.field(name).type)
        for name in schema.names
    }
    return lake.replace(table, ibis.memtable(pa.table(columns)), lake.files(table))


def _nothing(kind: pa.DataType) -> object:
    return Decimal(0) if pa.types.is_decimal(kind) else 0 if pa.types.is_integer(kind) else ""


def cost_rows(costs: Iterable[Cost]) -> list[dict[str, object]]:
    return [
        {
            **dict.fromkeys(DIMENSIONS, cost.elsewhere),
            "kept_tags": json.dumps({"env": cost.elsewhere}) if cost.elsewhere else "",
            "day": day,
            "month": f"{day:%Y-%m}",
            "source": "bill",
            "billing_month": f"{day:%Y-%m}",
            "team": cost.team,
            "kind": cost.kind,
            "namespace": cost.namespace,
            "workload": cost.workload,
            "cluster": cost.cluster,
            "service": cost.service,
            "currency": cost.currency,
            **dict.fromkeys(COSTS, Decimal(cost.amount)),
        }
        for cost in costs
        for day in cost.days
    ]


def reconciliation_rows(rows: Iterable[dict[str, object]], *, missing: Decimal) -> list[dict[str, object]]:
    """What was charged is what was allocated, but for `missing` on the first row of each day."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        key = row["day"], row["currency"]
        kept = {name: row[name] for name in ("day", "month", "source", "billing_month", "currency")}
        target = found.setdefault(key, kept | {f"{basis}_charged": missing for basis in COSTS})
        for basis in COSTS:
            for side in ("charged", "allocated"):
                target[f"{basis}_{side}"] = target.get(f"{basis}_{side}", Decimal(0)) + row[basis]  # type: ignore[operator]
        kind = str(row["kind"])
        target[kind] = target.get(kind, Decimal(0)) + row["effective_cost"]  # type: ignore[operator]
    return list(found.values())


_LAKES: dict[tuple[tuple[Cost, ...], str], tuple[Path, dict[str, int]]] = {}
"""Lakes that a test wrote before: to copy one is faster than to write it again."""


def _copy_of(costs: tuple[Cost, ...], missing: str) -> dict[str, int] | None:
    found, here = _LAKES.get((costs, missing)), Path(settings.COSTOPS_LAKE)
    if found is None or here.exists():
        return None
    shutil.copytree(found[0], here)
    return found[1]


def _written(costs: tuple[Cost, ...], missing: str, rows: list[dict[str, object]]) -> dict[str, int]:
    is_first = not Path(settings.COSTOPS_LAKE).exists()
    seen = [
        {"day": day, "month": f"{day:%Y-%m}", "cluster": "online", "observed_samples": 99, "expected_samples": 100}
        for day in ALL_DAYS
    ]
    versions = {
        COST_MART.name: write(COST_MART, rows),
        RECONCILIATION_MART.name: write(RECONCILIATION_MART, reconciliation_rows(rows, missing=Decimal(missing))),
        COVERAGE_MART.name: write(COVERAGE_MART, seen),
    }
    if is_first:
        kept = Path(tempfile.mkdtemp(prefix="costops-lake-")) / "lake"
        atexit.register(shutil.rmtree, kept.parent, ignore_errors=True)
        shutil.copytree(settings.COSTOPS_LAKE, kept)
        _LAKES[costs, missing] = kept, versions
    return versions


def publish(costs: Sequence[Cost] = COMPANY, *, missing: str = "0") -> Publication:
    """Publish costs, their reconciliation and a coverage of 99 %."""
    rows = cost_rows(costs)
    versions = _copy_of(tuple(costs), missing) or _written(tuple(costs), missing, rows)
    totals: dict[str, Decimal] = {}
    for row in rows:
        currency = str(row["currency"])
        totals[currency] = totals.get(currency, Decimal(0)) + row["effective_cost"]  # type: ignore[operator]
    return Publication.objects.create(
        created_at=MOMENT, versions=versions, ruleset=1, status="provisional", first_day=FIRST_DAY, end_day=END_DAY,
        observed_samples=99, expected_samples=100, totals={currency: str(total) for currency, total in totals.items()},
    )  # fmt: skip


def people() -> dict[str, User]:
    """Somebody of every sort: staff, finance, the leads of two teams, and one who belongs to no team."""
    teams = [
        Team.objects.create(name=name, title=title, department="直播", lead_name=lead)
        for name, title, lead in (("live-class", "直播课堂", "李雷"), ("search", "Homework search", "韩梅梅"))
    ]
    found = {
        name: User.objects.create_user(name, password=PASSWORD, is_staff=name == "staff", is_superuser=name == "staff")
        for name in ("staff", "finance", "lilei", "hanmeimei", "newcomer")
    }
    finance, _ = Group.objects.get_or_create(name="finance")
    found["finance"].groups.add(finance)
    Membership.objects.create(user=found["lilei"], team=teams[0])
    Membership.objects.create(user=found["hanmeimei"], team=teams[1])
    return found


def sources() -> None:
    """A healthy source, one with a refused file, and runs in every state."""
    bill = Source.objects.create(name="bill", kind="focus", location="/data/billing", created_at=MOMENT)
    Source.objects.create(
        name="online", kind="prometheus", location="https://reader:secret@prometheus.example/api?token=1",
        cluster="online", created_at=MOMENT,
    )  # fmt: skip
    refused = {
        "severity": "error", "code": "amount", "subject": "bill-10.csv, line 7, column BilledCost",
        "message": f"{HOSTILE!r} is not an amount; write plain digits with a decimal point, like -1234.50.",
    }  # fmt: skip
    files: list[tuple[str, str, list[dict[str, str]]]] = [("9.csv", "current", []), ("10.csv", "refused", [refused])]
    for delivery, (path, state, problems) in enumerate(files):
        LandedFile.objects.create(
            source=bill,
            path=path,
            revision=1,
            sha256="0" * 64,
            size=1,
            modified_ns=0,
            state=state,
            rows=1200,
            contents=[{"window": "2026-09", "days": ["2026-09-30"], "rows": 1200}],
            problems=problems,
            delivery=delivery,
            landed_at=MOMENT,
        )
    for state in ("done", "failed", "running", "waiting"):
        StepRun.objects.create(
            step="normalize",
            source="bill",
            key=f"normalize bill {state}",
            window_start=FIRST_DAY,
            window_end=END_DAY,
            state=state,
            asked_at=MOMENT,
            started_at=None if state == "waiting" else MOMENT,
            finished_at=MOMENT + timedelta(seconds=75) if state in ("done", "failed") else None,
            rows=1200,
            problems=[refused] if state == "failed" else [],
        )
