"""Usage files of the simulated company: one Parquet file per table and day."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from apps.demo.account import DayAccount
from apps.demo.archetypes import PLATFORM_AGENTS
from apps.demo.columns import Column, decimals, hour_stamps, pick, same
from apps.demo.fleet import SERVERLESS, Fleet
from apps.demo.identity import PodNames, ServerNames
from apps.demo.organisation import TEAM_NAMES, Organisation
from apps.demo.pools import CLUSTERS, POOLS
from apps.demo.segments import TWELFTHS
from apps.demo.timetable import BusinessDay, Ints
from apps.demo.volumes import Volumes
from apps.finops.tables import USAGE

MICRO = 1_000_000
PLATFORM_USED_PERCENT = 60
VOLUME_USED_PERCENT = 55
_TYPES = {
    "timestamp('UTC', 6)": pa.timestamp("us", tz="UTC"),
    "decimal(18, 6)": pa.decimal128(18, 6),
    "int64": pa.int64(),
}


def usage_table(name: str, columns: dict[str, Column]) -> pa.Table:
    """A table with the columns of a usage file, in their order and of their types."""
    schema = pa.schema([(column, _TYPES.get(kind, pa.string())) for column, kind in USAGE[name].file_columns.items()])
    return pa.Table.from_arrays([columns[column] for column in schema.names], schema=schema)


def quantity(micro: Ints) -> Column:
    """Whole millionths as an exact quantity."""
    return decimals(micro, 6, 18)


@dataclass(frozen=True)
class Labels:
    """Labels of namespaces and of workloads that have their own, as JSON; empty: none."""

    namespace: list[dict[str, str]]
    workload: list[dict[str, str]]


def labels_of(organisation: Organisation) -> Labels:
    """What the clusters know about owners: a `team` or an `owner` label, or nothing."""
    namespaces = []
    for namespace in organisation.namespaces:
        label = {"label": "team", "owner-label": "owner"}.get(namespace.owned)
        own = {"archetype": namespace.archetype.name}
        namespaces.append(own | ({label: TEAM_NAMES[namespace.team]} if label else {}))
    return Labels(namespaces, [{"team": TEAM_NAMES[w.team]} if w.team >= 0 else {} for w in organisation.workloads])


def virtual_node(cluster: str) -> str:
    return f"virtual-kubelet-cn-beijing-{cluster}"


def workload_hours(account: DayAccount, organisation: Organisation, pods: PodNames, servers: ServerNames) -> pa.Table:
    """Every pod and hour: services, jobs, serverless pods and the platform's agents."""
    run = account.run
    segments = run.segments
    workloads, namespaces = organisation.workloads, organisation.namespaces
    namespace_of = [namespaces[w.namespace] for w in workloads]
    virtual = len(servers.name)
    node = np.where(run.server == SERVERLESS, virtual, run.server)

    def integral(rate: Ints) -> Column:
        return quantity(rate * segments.length * (MICRO // 1000) // TWELFTHS)

    own = usage_table(
        "workload_hours",
        {
            "hour": hour_stamps(run.day.first_hour + segments.hour),
            "cluster": pick([n.cluster for n in namespace_of], segments.workload),
            "namespace": pick([n.name for n in namespace_of], segments.workload),
            "workload": pick([w.name for w in workloads], segments.workload),
            "workload_kind": pick([n.archetype.kind for n in namespace_of], segments.workload),
            "pod": pick(pods.name, pods.pod),
            "node": pick([*servers.name, virtual_node("online")], node),
            "resource_id": pick(pods.resource_id, pods.pod),
            "cpu_used_core_hours": integral(segments.cpu_used),
            "cpu_request_core_hours": integral(segments.cpu_request),
            "memory_used_gib_hours": integral(segments.memory_used),
            "memory_request_gib_hours": integral(segments.memory_request),
            "gpu_used_hours": integral(segments.gpu_used),
            "gpu_request_hours": integral(segments.gpu_request),
        },
    )
    return pa.concat_tables([own, *_platform_hours(account, servers)])


def agent_name(namespace: str, server: str) -> str:
    """The platform's pod on a server."""
    return f"{PLATFORM_AGENTS[namespace]}-{server.removeprefix('cn-beijing.').replace('.', '-')}"


def _platform_hours(account: DayAccount, servers: ServerNames) -> list[pa.Table]:
    tables = []
    for claims in account.platform:
        server, hour = np.nonzero(claims.cpu + claims.memory)
        cpu, memory = claims.cpu[server, hour], claims.memory[server, hour]
        count = len(server)
        zero = quantity(np.zeros(count, dtype=np.int64))
        agent = [agent_name(claims.namespace, name) for name in servers.name]
        tables.append(
            usage_table(
                "workload_hours",
                {
                    "hour": hour_stamps(account.run.day.first_hour + hour),
                    "cluster": same(claims.cluster, count),
                    "namespace": same(claims.namespace, count),
                    "workload": same(PLATFORM_AGENTS[claims.namespace], count),
                    "workload_kind": same("DaemonSet", count),
                    "pod": pick(agent, server),
                    "node": pick(servers.name, server),
                    "resource_id": same("", count),
                    "cpu_used_core_hours": quantity(cpu * PLATFORM_USED_PERCENT // 100),
                    "cpu_request_core_hours": quantity(cpu),
                    "memory_used_gib_hours": quantity(memory * PLATFORM_USED_PERCENT // 100),
                    "memory_request_gib_hours": quantity(memory),
                    "gpu_used_hours": zero,
                    "gpu_request_hours": zero,
                },
            )
        )
    return tables


def node_labels(pool: int) -> dict[str, str]:
    return {
        "alibabacloud.com/nodepool-id": POOLS[pool].name,
        "node.kubernetes.io/instance-type": POOLS[pool].instance.name,
        "topology.kubernetes.io/zone": "cn-beijing-h",
    }


def node_hours(account: DayAccount, fleet: Fleet, servers: ServerNames) -> pa.Table:
    run = account.run
    server, hour = np.nonzero(run.servers.length)
    length = run.servers.length[server, hour]
    pool = fleet.node_pool[run.servers.node][server]

    def capacity(amounts: list[int]) -> Column:
        return quantity(np.array(amounts)[pool] * length * MICRO // TWELFTHS)

    return usage_table(
        "node_hours",
        {
            "hour": hour_stamps(run.day.first_hour + hour),
            "cluster": pick([p.cluster for p in POOLS], pool),
            "node": pick(servers.name, server),
            "node_pool": pick([p.name for p in POOLS], pool),
            "provider_id": pick(servers.provider_id, server),
            "instance_type": pick([p.instance.name for p in POOLS], pool),
            "cpu_capacity_core_hours": capacity([p.instance.cores for p in POOLS]),
            "memory_capacity_gib_hours": capacity([p.instance.gib for p in POOLS]),
            "gpu_capacity_hours": capacity([p.instance.gpus for p in POOLS]),
            "labels": pick([json.dumps(node_labels(i)) for i in range(len(POOLS))], pool),
        },
    )


def volume_hours(volumes: Volumes, organisation: Organisation, day: BusinessDay) -> pa.Table:
    claims = np.flatnonzero(np.isin(volumes.claim_volume, volumes.mounted(day.day)))
    claim = np.repeat(claims, day.hours)
    hour = np.tile(day.hour_list(), len(claims))
    workload = volumes.claim_workload[claim]
    namespace_of = [organisation.namespaces[w.namespace] for w in organisation.workloads]
    gib = volumes.claim_gib[claim] * MICRO
    return usage_table(
        "volume_hours",
        {
            "hour": hour_stamps(hour),
            "cluster": pick([n.cluster for n in namespace_of], workload),
            "volume": pick(volumes.ids, volumes.claim_volume[claim]),
            "namespace": pick([n.name for n in namespace_of], workload),
            "claim": pick(volumes.claim_name, claim),
            "workload": pick([w.name for w in organisation.workloads], workload),
            "capacity_gib_hours": quantity(gib),
            "used_gib_hours": quantity(gib * VOLUME_USED_PERCENT // 100),
        },
    )


SCRAPES_PER_HOUR = 12


def coverage_hours(day: BusinessDay) -> pa.Table:
    """Everything was observed."""
    count = day.hours * len(CLUSTERS)
    samples = pa.array(np.full(count, SCRAPES_PER_HOUR * 2, dtype=np.int64))
    return usage_table(
        "coverage_hours",
        {
            "hour": hour_stamps(np.tile(day.hour_list(), len(CLUSTERS))),
            "cluster": pick(list(CLUSTERS), np.repeat(np.arange(len(CLUSTERS)), day.hours)),
            "observed_samples": samples,
            "expected_samples": samples,
        },
    )


def label_hours(organisation: Organisation, day: BusinessDay) -> pa.Table:
    """Labels once a day, at its first hour."""
    labels = labels_of(organisation)
    rows = [(n.cluster, n.name, "", own) for n, own in zip(organisation.namespaces, labels.namespace, strict=True)]
    for workload, own in zip(organisation.workloads, labels.workload, strict=True):
        if own:
            namespace = organisation.namespaces[workload.namespace]
            rows.append((namespace.cluster, namespace.name, workload.name, own))
    return usage_table(
        "label_hours",
        {
            "hour": hour_stamps(np.full(len(rows), day.first_hour, dtype=np.int64)),
            "cluster": pa.array([row[0] for row in rows]),
            "namespace": pa.array([row[1] for row in rows]),
            "workload": pa.array([row[2] for row in rows]),
            "labels": pa.array([json.dumps(row[3]) for row in rows]),
        },
    )


def write_day(folder: Path, day: BusinessDay, tables: dict[str, pa.Table]) -> None:
    """One file per table, named by the day."""
    for name, table in tables.items():
        path = folder / name / f"{day.day}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd")
