"""Disks of the simulated company: mounted volumes, volumes several claims share, and disks nobody uses any more."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from apps.demo.fleet import Fleet
from apps.demo.names import codes
from apps.demo.organisation import TEAMS, Organisation
from apps.demo.prices import DISK_PRICES
from apps.demo.services import NOBODY
from apps.demo.tagging import PRODUCTION, of_resource
from apps.demo.timetable import Ints

ORPHANS = 140
SHARED_EVERY = 9
CATEGORIES = tuple(DISK_PRICES)


@dataclass(frozen=True)
class Volumes:
    """A table of disks, and a table of the claims on them.

    After `mounted_until` a disk is still billed and belongs to `owner`, by its tag; before, to whom its claims belong.
    """

    ids: list[str]
    gib: Ints
    category: Ints
    mounted_until: list[date]
    tags: list[str]
    owner: Ints
    claim_volume: Ints
    claim_workload: Ints
    claim_gib: Ints
    claim_name: list[str]

    def mounted(self, day: date) -> Ints:
        return np.array([i for i, until in enumerate(self.mounted_until) if day < until], dtype=np.int64)

    def day_cost(self, hours: int) -> Ints:
        """Cost of a day of each disk, in 10^-10 CNY."""
        price: Ints = np.array(list(DISK_PRICES.values()))[self.category]
        return self.gib * price * (hours * 100_000)


@dataclass(frozen=True)
class _Disk:
    gib: int
    category: int
    until: date
    team: int
    claims: tuple[tuple[int, int, str], ...]  # workload, GiB, claim


def make_volumes(
    organisation: Organisation, fleet: Fleet, *, seed: int, scale: float, start: date, end: date
) -> Volumes:
    """One disk per stateful replica, some shared ones, some that are released on the way, some orphans."""
    rng = np.random.default_rng([seed, 7])
    disks = _stateful_disks(organisation, fleet, start, end) + _shared_disks(organisation)
    for _ in range(max(2, round(ORPHANS * scale))):
        disks.append(_Disk(int(rng.integers(40, 501)), 0, date.min, int(rng.integers(len(TEAMS))), ()))
    tags = [of_resource(disk.team, serial, PRODUCTION) for serial, disk in enumerate(disks)]
    claims = [(i, *claim) for i, disk in enumerate(disks) for claim in disk.claims]
    return Volumes(
        ids=["d-2ze" + code for code in codes(17, np.arange(len(disks), dtype=np.int64), seed, 12)],
        gib=np.array([disk.gib for disk in disks], dtype=np.int64),
        category=np.array([disk.category for disk in disks], dtype=np.int64),
        mounted_until=[disk.until for disk in disks],
        tags=tags,
        owner=np.array([disk.team if told else NOBODY for disk, told in zip(disks, tags, strict=True)], dtype=np.int64),
        claim_volume=np.array([claim[0] for claim in claims], dtype=np.int64),
        claim_workload=np.array([claim[1] for claim in claims], dtype=np.int64),
        claim_gib=np.array([claim[2] for claim in claims], dtype=np.int64),
        claim_name=[claim[3] for claim in claims],
    )


_RELEASED_EVERY = 17


def _stateful_disks(organisation: Organisation, fleet: Fleet, start: date, end: date) -> list[_Disk]:
    disks: list[_Disk] = []
    for workload, ordinal in zip(fleet.replica_workload.tolist(), fleet.replica_ordinal.tolist(), strict=True):
        own = organisation.workloads[workload]
        namespace = organisation.namespaces[own.namespace]
        if namespace.archetype.volume_gib:
            category = 2 if namespace.cluster == "offline" else 0
            gib = namespace.archetype.volume_gib
            released = len(disks) % _RELEASED_EVERY == _RELEASED_EVERY - 1
            until = start + (end - start) * 3 // 5 if released else date.max
            team = namespace.team
            disks.append(_Disk(gib, category, until, team, ((workload, gib, f"data-{own.name}-{ordinal}"),)))
    return disks


def _shared_disks(organisation: Organisation) -> list[_Disk]:
    """Disks mounted by a service and its two neighbours, each with a part of the room."""
    services = [
        i
        for i, w in enumerate(organisation.workloads)
        if organisation.namespaces[w.namespace].archetype.name in ("content-cms", "admin", "live-class")
    ]
    disks = []
    for at in range(0, len(services) - 2, SHARED_EVERY):
        claims = tuple((services[at + i], gib, f"shared-files-{at}-{i}") for i, gib in enumerate((100, 60, 40)))
        team = organisation.namespaces[organisation.workloads[services[at]].namespace].team
        disks.append(_Disk(200, 1, date.max, team, claims))
    return disks
