"""Two versions of a table side by side: the files that tell them apart, and the days those files belong to."""

import itertools
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from apps.finops.focus import COST_METRICS
from apps.finops.tables import (
    ALLOCATED,
    CHARGES,
    COSTS,
    DISK_HOURS,
    LABEL_HOURS,
    NETWORK_HOURS,
    NODE_HOURS,
    OVERHEAD_HOURS,
    PASSED_ON,
    SERVICE_HOURS,
    VOLUME_HOURS,
    WORKLOAD_HOURS,
    LakeTable,
)
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import BadQuestion
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

LATER = (OVERHEAD_HOURS, SERVICE_HOURS, NETWORK_HOURS, DISK_HOURS)
"""Usage of which older publications know nothing: for them there was none."""
MEASURED = (WORKLOAD_HOURS, NODE_HOURS, VOLUME_HOURS, LABEL_HOURS, *LATER)
"""The usage that allocation divides by."""

_TOLD = (ALLOCATED, PASSED_ON)

Files = list[lake.StoredFile]


@dataclass(frozen=True)
class Pair:
    """Two publications, the earlier and the later state of the same books."""

    before: Publication
    after: Publication

    def files(self, table: LakeTable) -> tuple[Files, Files]:
        """The files of a table that only one of the two pins."""
        old, new = (_files(table, pinned) for pinned in (self.before, self.after))
        return [old[path] for path in sorted(old.keys() - new.keys())], [
            new[path] for path in sorted(new.keys() - old.keys())
        ]

    def days(self, table: LakeTable, window: Window) -> set[str]:
        """The days of a window whose files of a table, partitioned by day, differ."""
        days = {file.partition["day"] for side in self.files(table) for file in side}
        return {day for day in days if str(window.start) <= day < str(window.end)}

    def of_days(self, table: LakeTable, days: set[str]) -> tuple[ir.Table, ir.Table]:
        """All rows of these days of a table, before and after."""
        old, new = (
            [file for file in _files(table, pinned).values() if file.partition["day"] in days]
            for pinned in (self.before, self.after)
        )
        return lake.scan(table, only=old), lake.scan(table, only=new)

    def alike(self, window: Window) -> dict[str, str]:
        """For each cost the first that is the same in every row that can tell the two apart: what explains the change
        of the one explains that of the other."""
        days = self.days(ALLOCATED, window) | self.days(PASSED_ON, window)
        old, new = (_costs_charged(files, days) for files in self.files(CHARGES))
        rows = ibis.union(old, new, *(side.select(*COSTS) for table in _TOLD for side in self.of_days(table, days)))
        pairs = list(itertools.combinations(COSTS, 2))
        told = rows.aggregate(**{f"{one}_{other}": (rows[one] == rows[other]).all() for one, other in pairs})
        equal = {pair for pair, is_equal in zip(pairs, rows_of(told)[0], strict=True) if is_equal}
        return {name: next(first for first in COSTS if first == name or (first, name) in equal) for name in COSTS}

    def measured(self, days: set[str]) -> list[tuple[str, str]]:
        """The (day, cluster) whose usage differs in content, however its files are cut."""
        found: set[tuple[str, str]] = set()
        for table in MEASURED:
            touched = {file.partition["day"] for side in self.files(table) for file in side} & days
            if not touched:
                continue
            old, new = (_contents(rows) for rows in self.of_days(table, touched))
            found |= {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        return sorted(found)


def pinned_version(table: LakeTable, pinned: Publication) -> int:
    """The version of a table a publication pins."""
    if table.name not in pinned.versions:
        raise BadQuestion(
            f"Publication {pinned.number} pins no table {table.name}: what changed since cannot be told. "
            "Compare publications that `manage.py fill` made."
        )
    return int(pinned.versions[table.name])


def _files(table: LakeTable, pinned: Publication) -> dict[str, lake.StoredFile]:
    if table in LATER and table.name not in pinned.versions:
        return {}
    return {file.path: file for file in lake.files(table, at=pinned_version(table, pinned))}


def _costs_charged(files: Files, days: set[str]) -> ir.Table:
    bill = lake.scan(CHARGES, only=files)
    bill = bill.filter(bill.x_ChargeDay.cast("string").isin(sorted(days)))
    return bill.select(**{basis: bill[COST_METRICS[basis]].fill_null(0) for basis in COSTS})


def _contents(rows: ir.Table) -> dict[tuple[str, str], tuple[int, int]]:
    """(day, cluster) → how many rows there are, and the sum of their hashes: equal for equal rows in any order."""
    told = {name: rows[name] for name in rows.columns if name not in ("source", "day", "file_id")}
    hashed = rows.select("day", "cluster", digest=ibis.struct(told).hash().cast("decimal(38, 0)"))
    summed = hashed.group_by("day", "cluster").aggregate(rows=hashed.count(), digest=hashed.digest.sum())
    return {(str(day), cluster): (count, int(digest)) for day, cluster, count, digest in rows_of(summed)}
