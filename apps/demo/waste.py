"""What the simulated company pays for and nobody uses: the answer that a search for idle resources must reach."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from apps.demo.compute_bill import commitment_id
from apps.demo.fleet import Fleet
from apps.demo.identity import ServerNames
from apps.demo.organisation import Organisation
from apps.demo.pools import POOLS
from apps.demo.service_bill import SPARE_PERCENT, released_id
from apps.demo.services import PRODUCTS, Resources
from apps.demo.simulation import Servers
from apps.demo.volumes import Volumes

COLUMNS = ("kind", "cluster", "namespace", "workload", "resource", "since")
UNUSED_KINDS = {"eip-2ze": "address", "lb-2ze": "load_balancer", "i-2ze": "instance"}
Row = tuple[str, str, str, str, str, date]


class Waste:
    """Collects the servers on which nothing but agents and forgotten workloads ran, and writes all waste as one file.

    A row names a namespace, a workload, or a resource as the bill does, and the first day on which nobody used it.
    """

    def __init__(self, organisation: Organisation, fleet: Fleet) -> None:
        self._organisation, self._fleet = organisation, fleet
        self._servers: dict[str, tuple[str, date]] = {}

    def see(self, day: date, servers: Servers, names: ServerNames) -> None:
        """Remember the servers of a day that nothing needs; forget those that are used or gone."""
        unused = self._unused_nodes(day)
        here = {
            names.instance_id[row]: POOLS[self._fleet.node_pool[node]].cluster
            for row, node in enumerate(servers.node.tolist())
            if unused[node]
        }
        self._servers = {one: self._servers.get(one, (cluster, day)) for one, cluster in here.items()}

    def _unused_nodes(self, day: date) -> list[bool]:
        fleet = self._fleet
        is_busy = np.array([day < workload.forgotten_on for workload in self._organisation.workloads])
        used = np.zeros(len(fleet.node_pool), dtype=bool)
        used[fleet.lane_node] = True
        replicas = np.flatnonzero(is_busy[fleet.replica_workload] & (fleet.replica_node >= 0))
        used[fleet.replica_node[replicas]] = True
        always = np.array([POOLS[pool].lives == "always" for pool in fleet.node_pool.tolist()])
        unused: list[bool] = (always & ~used).tolist()
        return unused

    def write(self, path: Path, volumes: Volumes, resources: Resources, start: date) -> None:
        rows = [
            *self._places(start),
            *(("node", cluster, "", "", one, since) for one, (cluster, since) in sorted(self._servers.items())),
            *(_disk(one, until, start) for one, until in zip(volumes.ids, volumes.mounted_until, strict=True)),
            *_services(resources, start),
            *_commitments(start),
        ]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(row for row in rows if row[-1] != date.max)

    def _places(self, start: date) -> Iterator[Row]:
        """Namespaces of which all is forgotten, forgotten workloads of others, and workloads that leave their GPUs
        alone."""
        for index, namespace in enumerate(self._organisation.namespaces):
            mine = [one for one in self._organisation.workloads if one.namespace == index]
            since = max(one.forgotten_on for one in mine)
            if since != date.max:
                yield "namespace", namespace.cluster, namespace.name, "", "", max(since, start)
                continue
            for one in mine:
                place = namespace.cluster, namespace.name, one.name, ""
                yield "workload", *place, max(one.forgotten_on, start)
                yield "gpu", *place, start if namespace.archetype.gpus and not one.gpu_percent else date.max


def _disk(volume: str, mounted_until: date, start: date) -> Row:
    return "disk", "", "", "", volume, max(mounted_until, start)


def _services(resources: Resources, start: date) -> Iterator[Row]:
    for row in np.flatnonzero(resources.is_unused).tolist():
        kind = UNUSED_KINDS[PRODUCTS[resources.product[row]].prefix]
        yield kind, "", "", "", resources.ids[row], start


def _commitments(start: date) -> Iterator[Row]:
    """A reservation that is not used up, and servers that were released before their term."""
    for pool in POOLS:
        if pool.name in SPARE_PERCENT:
            if pool.pricing.commitment_type == "Reserved Instance":
                yield "commitment", "", "", "", commitment_id(pool), start
            else:
                yield "instance", "", "", "", released_id(pool), start
