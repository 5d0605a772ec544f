"""What the simulated company wrote, read back plainly."""

import csv
import gzip
import hashlib
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import yaml

USAGE_TABLES = (
    *("workload_hours", "node_hours", "volume_hours", "coverage_hours", "label_hours"),
    *("workload_peaks", "autoscaler_hours"),
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Company:
    """A written company: `truth` by (day, team, namespace, kind)."""

    folder: Path
    zone: ZoneInfo
    charges: list[dict[str, str]]
    usage: dict[str, list[Row]]
    teams: dict[str, Any]
    truth: dict[tuple[date, str, str, str], Decimal]

    def day_of(self, charge: dict[str, str]) -> date:
        """The business day of a charge."""
        return datetime.fromisoformat(charge["ChargePeriodStart"]).astimezone(self.zone).date()

    def charged_by_day(self) -> dict[date, Decimal]:
        """Effective cost of the bill by business day."""
        total: dict[date, Decimal] = defaultdict(Decimal)
        for charge in self.charges:
            total[self.day_of(charge)] += Decimal(charge["EffectiveCost"])
        return dict(total)


def read_company(folder: Path, *, zone: str) -> Company:
    """Everything in the folder but the metrics."""
    truth = pq.read_table(folder / "truth.parquet").to_pylist()
    return Company(
        folder=folder,
        zone=ZoneInfo(zone),
        charges=[row for path in sorted((folder / "billing").iterdir()) for row in read_bill(path)],
        usage={name: read_usage(folder, name) for name in USAGE_TABLES},
        teams=yaml.safe_load((folder / "teams.yaml").read_text(encoding="utf-8")),
        truth={(row["day"], row["team"], row["namespace"], row["kind"]): row["effective_cost"] for row in truth},
    )


def read_bill(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def read_usage(folder: Path, name: str) -> list[Row]:
    return [row for path in sorted((folder / "usage" / name).iterdir()) for row in pq.read_table(path).to_pylist()]


def fingerprints(folder: Path) -> dict[str, str]:
    """Relative path → SHA-256 of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
