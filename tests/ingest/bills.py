"""Tiny bills for tests: ten rows you can add up on paper."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from apps.finops.money import add_up
from apps.finops.tables import CHARGES
from apps.ingest import kinds, services
from apps.ingest.models import LandedFile, Source
from apps.ingest.quality.checks import ROW_CHECKS, SOURCE_CHECKS
from apps.warehouse import lake

QUALITY = {check.code for check in ROW_CHECKS} | SOURCE_CHECKS.keys()
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
COLUMNS = (
    "BilledCost", "EffectiveCost", "BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ServiceName", "ResourceId", "Tags",
)  # fmt: skip


def row(cost: str = "1.50", day: str = "2026-10-01", **cells: str) -> dict[str, str]:
    """A charge of one hour at noon."""
    month = day[:7]
    return {
        "BilledCost": cost,
        "EffectiveCost": cost,
        "BillingAccountId": "1690000000001",
        "BillingCurrency": "CNY",
        "BillingPeriodStart": f"{month}-01T00:00:00Z",
        "BillingPeriodEnd": "2026-12-01T00:00:00Z",
        "ChargePeriodStart": f"{day}T12:00:00Z",
        "ChargePeriodEnd": f"{day}T13:00:00Z",
        "ChargeCategory": "Usage",
        "ServiceName": "Elastic Compute Service",
        "ResourceId": "i-2ze0001",
        "Tags": '{"team":"live-class"}',
    } | cells


def bill(*rows: Mapping[str, str], columns: Iterable[str] | None = None, newline: str = "\n") -> bytes:
    """Rows as the bytes of a CSV file."""
    names = list(columns or (rows[0] if rows else COLUMNS))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, lineterminator=newline, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


_clock = iter(range(1, 1_000_000))


def put(folder: Path, name: str, content: bytes) -> Path:
    """Write a file, with a modification time of its own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    moment = 1_760_000_000_000_000_000 + next(_clock) * 1_000_000_000
    os.utime(path, ns=(moment, moment))
    return path


def source(folder: Path, kind: str = "focus", name: str = "aliyun", **options: str) -> Source:
    folder.mkdir(parents=True, exist_ok=True)
    guarded = {"hold_below": "0"} if kind in kinds.BILLS else {}  # tiny bills shrink by more than a fifth all the time
    return services.add_source(
        name=name, kind=kind, location=str(folder), cluster="", options=guarded | options, now=NOW
    )


def ingest(one: Source) -> list[str]:
    """Land and read; what was wrong, as text. What only the checks of quality notice has tests of its own."""
    landed = services.land(one, NOW)
    read = services.normalize(one, NOW)
    return [
        f"{problem.severity} {problem.subject}: {problem.message}"
        for problem in (*landed.problems, *read.problems)
        if problem.severity == "error" or problem.code not in QUALITY
    ]


def errors(problems: Iterable[str]) -> list[str]:
    return [problem for problem in problems if problem.startswith("error")]


def costs() -> list[str]:
    """The billed costs in the lake, as written, sorted."""
    table = lake.scan(CHARGES).select("BilledCost").to_pyarrow()
    return sorted(f"{cost.normalize():f}" for cost in table["BilledCost"].to_pylist())


def total(column: str = "BilledCost") -> Decimal:
    table = lake.scan(CHARGES).select(column).to_pyarrow()
    return add_up(cost for cost in table[column].to_pylist() if cost is not None)


def charges() -> list[dict[str, object]]:
    return sorted(lake.scan(CHARGES).to_pyarrow().to_pylist(), key=lambda charge: charge["x_Row"])


def days(*numbers: int, cost: str = "10", **cells: str) -> bytes:
    return bill(*(row(cost, f"2026-10-{day:02}", **cells) for day in numbers))


def deliver(folder, one, *deliveries):
    for delivery in deliveries:
        for name, content in delivery.items():
            put(folder, name, content)
        assert errors(ingest(one)) == []


def asked(one, path) -> str:
    """Why a file is held back."""
    file = one.files.get(path=path, state=LandedFile.State.HELD)
    return file.problems[-1]["message"]


def states(one) -> dict[str, str]:
    return {file.path: file.state for file in one.files.order_by("path", "revision")}
