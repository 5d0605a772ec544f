"""Peaks within the hours of the simulated company, its GPU memory, and its autoscalers.

A segment of an hour is even, but for ten minutes at its peak and ten minutes as far below: its mean stays what it was.
Nothing here draws from the random numbers that decide cost.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from apps.demo.account import DayAccount
from apps.demo.archetypes import PLATFORM_AGENTS
from apps.demo.columns import Column, hour_stamps, pick, same
from apps.demo.fleet import SERVERLESS
from apps.demo.identity import PodNames, ServerNames
from apps.demo.organisation import Organisation, replicas_on
from apps.demo.segments import TWELFTHS
from apps.demo.timetable import Booleans, BusinessDay, Ints
from apps.demo.usage import MICRO, PLATFORM_USED_PERCENT, agent_name, quantity, usage_table, virtual_node

PIECE = TWELFTHS // 6
"""How long a peak lasts: two parts of an hour, so that scrapes every five minutes see it whole."""
SHORTEST = 3 * PIECE
"""Of what is shorter than half an hour nobody sees a peak."""
LARGEST_PERCENT = 180
SPIKY = {"live-class": 55, "homework-search": 35, "growth-activity": 45, "im-push": 30}
"""Kind of namespace → per cent above the mean that its CPU peaks reach, usually: lessons begin at the full hour."""
ORDINARY_SPIKE, MEMORY_SPIKE, GPU_SPIKE = 15, 6, 25

MODEL_GIB = {
    "ml-serving": (3, 5, 2, 9, 4, 7, 14, 3, 6, 11, 4, 20),
    "ml-legacy": (2, 4, 3, 6),
    "ml-training": (18, 21, 16),
}
"""Kind of namespace → GiB of GPU memory that its models fill, workload by workload."""


@dataclass(frozen=True)
class Peaks:
    """One value per segment of a day: thousandths of a core, GiB or card; `gpu_memory` is even, but for its peak."""

    cpu: Ints
    memory: Ints
    gpu: Ints
    gpu_memory: Ints
    gpu_memory_peak: Ints


def peaks_of(account: DayAccount, organisation: Organisation, *, seed: int) -> Peaks:
    """The peaks of a day's segments: never below their means, and where there was time for one."""
    run = account.run
    segments = run.segments
    rng = np.random.default_rng([seed, 17, run.day.day.toordinal()])
    archetypes = [organisation.namespaces[w.namespace].archetype for w in organisation.workloads]
    spike = np.array([SPIKY.get(a.name, ORDINARY_SPIKE) for a in archetypes])[segments.workload]
    limit = np.array([(a.cpu_limit, a.memory_limit, a.gpus * 1000) for a in archetypes])[segments.workload]
    held = _model_memory(organisation)[segments.workload]

    def above(mean: Ints, usual: Ints | int, most: Ints, step: int) -> Ints:
        percent = np.minimum(100 + usual * rng.lognormal(0.0, 0.35, len(mean)), LARGEST_PERCENT)
        peak = np.minimum((mean * percent / 100).astype(np.int64), most) // step * step
        return np.where(segments.length >= SHORTEST, np.maximum(peak, mean), mean)

    return Peaks(
        above(segments.cpu_used, spike, limit[:, 0], 12),
        above(segments.memory_used, MEMORY_SPIKE, limit[:, 1], 12),
        above(segments.gpu_used, GPU_SPIKE, limit[:, 2], 10),
        held,
        above(held, MEMORY_SPIKE, held * 2, 8),
    )


def _model_memory(organisation: Organisation) -> Ints:
    """Thousandths of a GiB of GPU memory, of each workload."""
    names = [organisation.namespaces[w.namespace].archetype.name for w in organisation.workloads]
    choices = [MODEL_GIB.get(name, (0,)) for name in names]
    return np.array([gib[i % len(gib)] * 1000 for i, gib in enumerate(choices)], dtype=np.int64)


def workload_peaks(
    account: DayAccount, organisation: Organisation, pods: PodNames, servers: ServerNames, peaks: Peaks
) -> pa.Table:
    """Every pod and hour, on the server where it was longest; no GPU, nothing told of it."""
    run, segments = account.run, account.run.segments
    order = np.lexsort((segments.start, -segments.length, segments.hour, pods.pod))
    keys = (pods.pod * run.day.hours + segments.hour)[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    row = order[first]
    workload = segments.workload[row]
    namespaces = [organisation.namespaces[w.namespace] for w in organisation.workloads]
    node = np.where(run.server == SERVERLESS, len(servers.name), run.server)[row]
    has_gpu = segments.gpu_request[row] > 0

    def highest(milli: Ints) -> Column:
        return quantity(np.maximum.reduceat(milli[order], first) * (MICRO // 1000))

    held = np.add.reduceat((peaks.gpu_memory * segments.length)[order], first) * (MICRO // 1000) // TWELFTHS
    own = usage_table(
        "workload_peaks",
        {
            "hour": hour_stamps(run.day.first_hour + segments.hour[row]),
            "cluster": pick([n.cluster for n in namespaces], workload),
            "namespace": pick([n.name for n in namespaces], workload),
            "workload": pick([w.name for w in organisation.workloads], workload),
            "pod": pick(pods.name, pods.pod[row]),
            "node": pick([*servers.name, virtual_node("online")], node),
            "cpu_peak_cores": highest(peaks.cpu),
            "memory_peak_gib": highest(peaks.memory),
            "gpu_peak_share": _where(has_gpu, highest(peaks.gpu)),
            "gpu_memory_used_gib_hours": _where(has_gpu, quantity(held)),
            "gpu_memory_peak_gib": _where(has_gpu, highest(peaks.gpu_memory_peak)),
        },
    )
    return pa.concat_tables([own, *_platform_peaks(account, servers)])


def _where(known: Booleans, column: Column) -> Column:
    """The same column, NULL where it is not known."""
    return column.take(pa.array(np.arange(len(column)), mask=~known))


def _platform_peaks(account: DayAccount, servers: ServerNames) -> list[pa.Table]:
    """The platform's agents are even."""
    tables = []
    for claims in account.platform:
        server, hour = np.nonzero(claims.cpu + claims.memory)
        length = account.run.servers.length[server, hour]
        count = len(server)
        unknown = pa.nulls(count, pa.decimal128(18, 6))

        cpu, memory = (
            quantity(claimed[server, hour] * PLATFORM_USED_PERCENT // 100 * TWELFTHS // length)
            for claimed in (claims.cpu, claims.memory)
        )
        tables.append(
            usage_table(
                "workload_peaks",
                {
                    "hour": hour_stamps(account.run.day.first_hour + hour),
                    "cluster": same(claims.cluster, count),
                    "namespace": same(claims.namespace, count),
                    "workload": same(PLATFORM_AGENTS[claims.namespace], count),
                    "pod": pick([agent_name(claims.namespace, name) for name in servers.name], server),
                    "node": pick(servers.name, server),
                    "cpu_peak_cores": cpu,
                    "memory_peak_gib": memory,
                    "gpu_peak_share": unknown,
                    "gpu_memory_used_gib_hours": unknown,
                    "gpu_memory_peak_gib": unknown,
                },
            )
        )
    return tables


@dataclass(frozen=True)
class Autoscaler:
    """A workload that is scaled, and its bounds on a day."""

    workload: int
    least: int
    most: int


def autoscalers(organisation: Organisation, day: BusinessDay) -> list[Autoscaler]:
    """The online services that follow their load: those with room between least and most replicas."""
    return [
        Autoscaler(number, *bounds)
        for number in range(len(organisation.workloads))
        if (bounds := replicas_on(organisation, number, day.day))[0] < bounds[1]
    ]


def autoscaler_name(workload: str) -> str:
    """What the autoscaler of a workload is called."""
    return f"{workload}-hpa"


def autoscaler_hours(organisation: Organisation, day: BusinessDay) -> pa.Table:
    """The bounds of every autoscaler in every hour."""
    scaled = autoscalers(organisation, day)
    count = len(scaled)
    hours: Ints = np.tile(day.hour_list(), count)
    workload = np.repeat(np.array([one.workload for one in scaled], dtype=np.int64), day.hours)
    namespaces = [organisation.namespaces[w.namespace] for w in organisation.workloads]
    return usage_table(
        "autoscaler_hours",
        {
            "hour": hour_stamps(hours),
            "cluster": pick([n.cluster for n in namespaces], workload),
            "namespace": pick([n.name for n in namespaces], workload),
            "workload": pick([w.name for w in organisation.workloads], workload),
            "min_replicas": pa.array(np.repeat([one.least for one in scaled], day.hours).astype(np.int64)),
            "max_replicas": pa.array(np.repeat([one.most for one in scaled], day.hours).astype(np.int64)),
            "autoscaler": pick([autoscaler_name(w.name) for w in organisation.workloads], workload),
        },
    )
