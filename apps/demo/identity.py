"""Names of a day's pods and servers, the same in the bill, the usage files and the metrics."""

from dataclasses import dataclass

import numpy as np

from apps.demo.fleet import SERVERLESS, Fleet
from apps.demo.names import codes, mix
from apps.demo.organisation import Organisation
from apps.demo.pools import POOLS
from apps.demo.segments import Segments
from apps.demo.simulation import DayRun, Servers
from apps.demo.timetable import Ints

REGION = "cn-beijing"
_WEEK = 7


@dataclass(frozen=True)
class PodNames:
    """Distinct pods of a day, and which of them each segment is."""

    pod: Ints  # per segment
    name: list[str]
    resource_id: list[str]
    workload: Ints
    owner: list[str]
    """ReplicaSet, StatefulSet or Job that made the pod."""


@dataclass(frozen=True)
class ServerNames:
    """Names of the servers of a day, in the order of `Servers`."""

    name: list[str]
    instance_id: list[str]
    provider_id: list[str]


def name_servers(servers: Servers, *, seed: int) -> ServerNames:
    """Instance ids, node names by address, and provider ids as the cluster knows them."""
    ids = ["i-2ze" + code for code in codes(15, servers.node, servers.generation, seed, 21)]
    address = servers.node * 61 + servers.generation % 61
    names = [f"{REGION}.10.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}" for a in address.tolist()]
    return ServerNames(names, ids, [f"{REGION}.{instance}" for instance in ids])


def name_pods(run: DayRun, organisation: Organisation, fleet: Fleet, *, seed: int) -> PodNames:
    """Every pod of a day: stateful pods keep their name wherever they run, others get a new one on a new server."""
    segments = run.segments
    kinds = np.array([organisation.namespaces[w.namespace].archetype.kind for w in organisation.workloads])
    stateful = (kinds == "StatefulSet")[segments.workload]
    place = np.where(stateful, 0, segments.generation + (segments.node + 1) * 100_000)
    brief = (segments.is_job == 1) | (segments.node == SERVERLESS)
    brief |= np.array([p.lives != "always" for p in POOLS])[fleet.node_pool[segments.node]]
    born = np.where(stateful, 0, np.where(brief, run.day.day.toordinal(), run.day.day.toordinal() // _WEEK))
    key = mix(segments.replica, segments.is_job, place, born, seed)
    _, first, pod = np.unique(key, return_index=True, return_inverse=True)
    chosen = segments.take(first)
    suffix = codes(5, key[first].view(np.int64), 22)
    release = codes(9, chosen.workload, born[first] // _WEEK, 23)
    names, owners = [], []
    for i, workload in enumerate(chosen.workload.tolist()):
        made = _names(
            organisation.workloads[workload].name, str(kinds[workload]), suffix[i], release[i], chosen, fleet, i
        )
        names.append(made[0])
        owners.append(made[1])
    ids = codes(17, key[first].view(np.int64), 24)
    serverless = (chosen.node == SERVERLESS).tolist()
    resource = [f"eci-2ze{code}" if burst else "" for code, burst in zip(ids, serverless, strict=True)]
    return PodNames(pod.astype(np.int64), names, resource, chosen.workload, owners)


def _names(
    workload: str, kind: str, suffix: str, release: str, chosen: Segments, fleet: Fleet, row: int
) -> tuple[str, str]:
    """(pod, owner) by the habits of each kind of workload."""
    if kind == "StatefulSet":
        return f"{workload}-{fleet.replica_ordinal[chosen.replica[row]]}", workload
    if kind == "Deployment":
        return f"{workload}-{release}-{suffix}", f"{workload}-{release}"
    if kind == "PyTorchJob":
        return f"{workload}-{suffix}-master-0", workload
    job = f"{workload}-{release[:5]}{chosen.replica[row]}"
    return f"{job}-{suffix}", job
