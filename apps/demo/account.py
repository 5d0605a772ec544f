"""What a day of servers and serverless pods costs, and whose it is: exact whole numbers, known by construction.

Costs are whole 10^-10 CNY. The platform claims, on every server and hour, a fixed number of thousandths of what all
others claim there, and the same thousandths of the cluster's serverless cost on the reserved servers. So its cost is
those thousandths of everybody's direct cost, and so is every team's share of it.
"""

from dataclasses import dataclass

import numpy as np

from apps.demo.archetypes import PLATFORM, PLATFORM_CPU_PARTS
from apps.demo.fleet import SERVERLESS, Fleet
from apps.demo.organisation import TEAMS, Organisation
from apps.demo.pools import BURST_HOST, CLUSTERS, POOL_INDEX, POOLS
from apps.demo.prices import (
    CORE_UNITS,
    ECI_PRICE,
    ECI_UNITS,
    GPU_UNITS,
    MILLI,
    REFUND_PRICE,
    RESERVED,
    SPOT,
    SPOT_RANGE,
)
from apps.demo.segments import TWELFTHS, Segments
from apps.demo.simulation import DayRun
from apps.demo.timetable import Ints

REFUND_CHANCE = 0.3


@dataclass(frozen=True)
class PlatformClaims:
    """What one platform namespace claims, in millionths of core-hours and GiB-hours by server and hour."""

    cluster: str
    namespace: str
    cpu: Ints  # servers × hours
    memory: Ints  # servers × hours


@dataclass(frozen=True)
class DayAccount:
    """Everything about a day's cost that the bill, the usage files and the truth have in common.

    `price` is 10^-4 CNY per unit and hour by server and hour, before refunds; `refunds` lists (server, hour).
    """

    run: DayRun
    units: Ints  # capacity of each server, price units per hour
    price: Ints  # servers × hours
    refunds: tuple[tuple[int, int], ...]
    platform: tuple[PlatformClaims, ...]
    direct: Ints  # namespaces × (teams + 1)
    by_cluster: Ints  # clusters × (teams + 1)
    idle: Ints  # pools


def sum_by(index: Ints, values: Ints, length: int) -> Ints:
    """Exact sums of whole numbers by index."""
    totals = np.zeros(length, dtype=np.int64)
    np.add.at(totals, index, values)
    return totals


def claimed(segments: Segments) -> Ints:
    """Price units claimed by each segment, in thousandths: the larger of request and use of each resource."""
    cpu = np.maximum(segments.cpu_used, segments.cpu_request)
    memory = np.maximum(segments.memory_used, segments.memory_request)
    gpu = np.maximum(segments.gpu_used, segments.gpu_request)
    units: Ints = CORE_UNITS * cpu + memory + GPU_UNITS * gpu
    return units * segments.length // TWELFTHS


def serverless_units(segments: Segments) -> Ints:
    """Price units billed for a serverless pod, in thousandths: its container size, while it ran."""
    return ECI_UNITS * MILLI * segments.length // TWELFTHS


def keep_account(run: DayRun, organisation: Organisation, fleet: Fleet, *, seed: int) -> DayAccount:
    """Price a day, let the platform claim its part, and divide everything."""
    rng = np.random.default_rng([seed, 4, run.day.day.toordinal()])
    pool = fleet.node_pool[run.servers.node]
    units = np.array([p.instance.units for p in POOLS])[pool]
    price = _prices(run, pool, rng)
    refunds = _refunds(run, pool, rng)
    charged = price.copy()
    for server, hour in refunds:
        charged[server, hour] -= REFUND_PRICE
    cost, demand = _direct_costs(run, charged)
    team = np.array([organisation.team_of(w, run.day.day) for w in range(len(organisation.workloads))])[
        run.segments.workload
    ]
    namespace = np.array([w.namespace for w in organisation.workloads])[run.segments.workload]
    cluster = np.array([CLUSTERS.index(n.cluster) for n in organisation.namespaces])[namespace]
    width = len(TEAMS) + 1
    direct = sum_by(namespace * width + team, cost, len(organisation.namespaces) * width).reshape(-1, width)
    by_cluster = sum_by(cluster * width + team, cost, len(CLUSTERS) * width).reshape(-1, width)
    burst = _serverless_demand(run, pool, fleet)
    platform, platform_units = _platform(pool, demand, burst)
    capacity = units[:, None] * run.servers.length * (MILLI * MILLI) // TWELFTHS
    left = capacity - demand * MILLI - platform_units
    idle = sum_by(pool, (left * charged).sum(axis=1), len(POOLS))
    return DayAccount(run, units, price, refunds, platform, direct, by_cluster, idle)


def _prices(run: DayRun, pool: Ints, rng: np.random.Generator) -> Ints:
    """The amortised price of every server in every hour; the spot market moves."""
    price = np.repeat(np.array([p.pricing.effective for p in POOLS])[pool][:, None], run.day.hours, axis=1)
    low, high = SPOT_RANGE
    steps = rng.normal(0.0, 4.0, run.day.hours).cumsum()
    market = np.clip(np.rint(SPOT.effective + steps), low, high).astype(np.int64)
    return np.where(np.array([p.pricing is SPOT for p in POOLS])[pool][:, None], market, price)


def _refunds(run: DayRun, pool: Ints, rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """Now and then the provider pays back part of an hour of an hourly paid server."""
    candidates = np.flatnonzero(
        np.array([p.lives == "always" and not p.is_daily for p in POOLS])[pool]
        & (run.servers.length == TWELFTHS).all(axis=1)
    )
    if not len(candidates) or rng.random() > REFUND_CHANCE:
        return ()
    return ((int(rng.choice(candidates)), int(rng.integers(run.day.hours))),)


def _direct_costs(run: DayRun, charged: Ints) -> tuple[Ints, Ints]:
    """(cost of every segment, units claimed by server and hour in thousandths)."""
    segments = run.segments
    hosted = np.flatnonzero(run.server != SERVERLESS)
    serverless = np.flatnonzero(run.server == SERVERLESS)
    cost = np.zeros(len(segments), dtype=np.int64)
    units = claimed(segments)
    cost[hosted] = units[hosted] * charged[run.server[hosted], segments.hour[hosted]] * MILLI
    cost[serverless] = serverless_units(segments)[serverless] * ECI_PRICE * MILLI
    hours = run.day.hours
    demand = sum_by(run.server[hosted] * hours + segments.hour[hosted], units[hosted], charged.size).reshape(
        charged.shape
    )
    return cost, demand


def _serverless_demand(run: DayRun, pool: Ints, fleet: Fleet) -> Ints:
    """Serverless cost of each hour as units of the reserved servers' price, in thousandths, laid upon those servers."""
    hosts = np.flatnonzero(pool == POOL_INDEX[BURST_HOST])
    at = np.flatnonzero(run.server == SERVERLESS)
    burst = run.segments.take(at)
    units = serverless_units(burst) * ECI_PRICE // RESERVED.effective
    rank = np.searchsorted(np.flatnonzero(fleet.replica_node == SERVERLESS), burst.replica)
    chosen = hosts[rank % len(hosts)]
    shape = run.servers.length.shape
    return sum_by(chosen * shape[1] + burst.hour, units, shape[0] * shape[1]).reshape(shape)


def _platform(pool: Ints, demand: Ints, burst: Ints) -> tuple[tuple[PlatformClaims, ...], Ints]:
    """Every platform namespace's claims, and their sum in millionths of units by server and hour."""
    cluster = np.array([CLUSTERS.index(p.cluster) for p in POOLS])[pool]
    total = np.zeros_like(demand)
    claims = []
    for name, namespaces in PLATFORM.items():
        mine = (cluster == CLUSTERS.index(name))[:, None]
        part, whole = PLATFORM_CPU_PARTS[name]
        for namespace, thousandths in namespaces.items():
            units = np.where(mine, (demand + burst) * thousandths, 0)
            cpu = units * part // (whole * CORE_UNITS)
            claims.append(PlatformClaims(name, namespace, cpu, units - CORE_UNITS * cpu))
            total += units
    return tuple(claims), total
