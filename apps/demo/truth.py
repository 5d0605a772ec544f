"""Whose every cost is, known by how the company was built: the answer an allocator must reach."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from apps.demo.account import DayAccount
from apps.demo.archetypes import PLATFORM
from apps.demo.columns import wide_decimals
from apps.demo.focus_rows import COST_DIGITS
from apps.demo.organisation import TEAM_NAMES, UNALLOCATED, Organisation
from apps.demo.pools import CLUSTERS, POOLS
from apps.demo.service_bill import Owed, split_rule
from apps.demo.services import NOBODY, SPLIT
from apps.demo.timetable import BusinessDay
from apps.demo.volumes import Volumes

Key = tuple[str, str, str]
"""Team, namespace ("" outside namespaces), kind."""

MONEY_DIGITS = 12
THOUSANDTHS = 1000
SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        ("team", pa.string()),
        ("namespace", pa.string()),
        ("kind", pa.string()),
        ("effective_cost", pa.decimal128(38, MONEY_DIGITS)),
    ]
)


class Truth:
    """Collects the days' costs, in 10^-10 CNY, and writes them as one Parquet file."""

    def __init__(self) -> None:
        self._days: list[tuple[date, dict[Key, int]]] = []

    def add(self, day: date, costs: dict[Key, int]) -> None:
        self._days.append((day, {key: cost for key, cost in sorted(costs.items()) if cost}))

    def daily(self) -> dict[str, Decimal]:
        """What each team costs a day on average, in CNY."""
        sums: dict[str, int] = defaultdict(int)
        for _, costs in self._days:
            for (team, _namespace, _kind), cost in costs.items():
                sums[team] += cost
        return {team: Decimal(cost).scaleb(-COST_DIGITS) / len(self._days) for team, cost in sums.items()}

    def write(self, path: Path) -> None:
        days = [day for day, costs in self._days for _ in costs]
        keys = [key for _, costs in self._days for key in costs]
        amounts = [cost * 10 ** (MONEY_DIGITS - COST_DIGITS) for _, costs in self._days for cost in costs.values()]
        columns = [pa.array(days, pa.date32()), *(pa.array([key[i] for key in keys], pa.string()) for i in range(3))]
        pq.write_table(pa.Table.from_arrays([*columns, wide_decimals(amounts, MONEY_DIGITS)], schema=SCHEMA), path)


def team_name(team: int) -> str:
    return UNALLOCATED if team == NOBODY else TEAM_NAMES[team]


def kind_of(team: int) -> str:
    return UNALLOCATED if team == NOBODY else "direct"


def cluster_costs(account: DayAccount, organisation: Organisation) -> dict[Key, int]:
    """Direct, shared and idle cost of servers and serverless pods."""
    costs: dict[Key, int] = defaultdict(int)
    for namespace, team in zip(*(index.tolist() for index in np.nonzero(account.direct)), strict=True):
        name = organisation.namespaces[namespace].name
        costs[team_name(team), name, kind_of(team)] += int(account.direct[namespace, team])
    for cluster, by_team in zip(CLUSTERS, account.by_cluster, strict=True):
        for platform, thousandths in PLATFORM[cluster].items():
            for team in np.flatnonzero(by_team).tolist():
                costs[team_name(team), platform, "shared"] += int(by_team[team]) * thousandths // THOUSANDTHS
    for pool, idle in zip(POOLS, account.idle.tolist(), strict=True):
        costs[pool.owner or UNALLOCATED, "", "idle"] += idle
    return costs


def volume_costs(volumes: Volumes, organisation: Organisation, day: BusinessDay) -> dict[Key, int]:
    """Mounted disks by their claims; the others by their tags."""
    costs: dict[Key, int] = defaultdict(int)
    cost = volumes.day_cost(day.hours).tolist()
    mounted = set(volumes.mounted(day.day).tolist())
    for volume, workload, gib in zip(
        volumes.claim_volume.tolist(), volumes.claim_workload.tolist(), volumes.claim_gib.tolist(), strict=True
    ):
        if volume in mounted:
            team = organisation.team_of(workload, day.day)
            namespace = organisation.namespaces[organisation.workloads[workload].namespace].name
            costs[team_name(team), namespace, kind_of(team)] += cost[volume] * gib // int(volumes.gib[volume])
    for volume, owner in enumerate(volumes.owner.tolist()):
        if volume not in mounted:
            costs[team_name(owner), "", kind_of(owner)] += cost[volume]
    return costs


def charge_costs(owed: list[Owed]) -> dict[Key, int]:
    """Charges outside the clusters, by their owners; some are split by a rule."""
    costs: dict[Key, int] = defaultdict(int)
    for part in owed:
        for owner, cost, service in zip(part.owner.tolist(), part.cost.tolist(), part.service, strict=True):
            shares = split_rule(service) if owner == SPLIT else {owner: 100}
            for team, percent in shares.items():
                costs[team_name(team), "", kind_of(team)] += cost * percent // 100
    return costs


def merged(*parts: dict[Key, int]) -> dict[Key, int]:
    total: dict[Key, int] = defaultdict(int)
    for part in parts:
        for key, cost in part.items():
            total[key] += cost
    return total
