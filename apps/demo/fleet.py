"""Where everything runs: a fixed place for every replica and job lane, so that no server is ever overfull."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from apps.demo.archetypes import ARCHETYPES
from apps.demo.organisation import Organisation
from apps.demo.pools import (
    BLOCK_SLOTS,
    BURST_ABOVE,
    BURST_ARCHETYPES,
    BURST_HOST,
    BURST_PER_HOST,
    GROUPS,
    POOL_INDEX,
    POOLS,
    Pool,
)
from apps.demo.timetable import Floats, Ints

SERVERLESS = -1
_BANDS = 8


@dataclass(frozen=True)
class Fleet:
    """Static tables, one array per column.

    A node is a *place*; the server standing there may be replaced. Replica r of workload w runs while the load is above
    `replica_after[r]` (its ordinal ÷ the workload's most replicas), or always when that is negative.
    """

    node_pool: Ints
    replica_workload: Ints
    replica_ordinal: Ints
    replica_node: Ints
    replica_after: Floats
    lane_archetype: Ints
    lane_node: Ints

    def nodes_of(self, pool: str) -> Ints:
        return np.flatnonzero(self.node_pool == POOL_INDEX[pool])


@dataclass
class _Builder:
    node_pool: list[int]

    def add_nodes(self, pool: Pool, count: int) -> list[int]:
        first = len(self.node_pool)
        self.node_pool += [POOL_INDEX[pool.name]] * count
        return list(range(first, first + count))

    def blocks_for(self, group: str, needed: int, hosts: int = 0) -> Ints:
        """Create a group's nodes and list the node of each of its blocks; base groups fill all nodes row by row."""
        pools = [POOLS[POOL_INDEX[name]] for name in GROUPS[group]]
        average = sum(pool.blocks * pool.share for pool in pools) / sum(pool.share for pool in pools)
        total = max(1, -(-needed // average))
        nodes: list[int] = []
        for pool in pools:
            count = max(1, round(total * pool.share / sum(p.share for p in pools)))
            count += -(-count * pool.spare_percent // 100) if total > 2 else 0
            nodes += self.add_nodes(pool, max(count, hosts) if pool.name == BURST_HOST else int(count))
        rooms = np.array([POOLS[self.node_pool[node]].blocks for node in nodes])
        while rooms.sum() < needed:
            nodes += self.add_nodes(pools[0], 1)
            rooms = np.append(rooms, pools[0].blocks)
        if pools[0].lives != "always":
            return np.repeat(nodes, rooms).astype(np.int64)
        rows = [np.array(nodes)[rooms > row] for row in range(int(rooms.max()))]
        return np.concatenate(rows).astype(np.int64)


def _pack(slots: Ints) -> Ints:
    """The block of each pod, largest first: sizes are powers of two, so none straddles two blocks."""
    order = np.argsort(-slots, kind="stable")
    blocks = np.empty(len(slots), dtype=np.int64)
    sorted_slots = slots[order]
    blocks[order] = (np.cumsum(sorted_slots) - sorted_slots) // BLOCK_SLOTS
    return blocks


def _pack_in_bands(slots: Ints, after: Floats) -> Ints:
    """Like `_pack`, but pods that start at a similar load share blocks, so that nodes come and go as a whole."""
    blocks = np.zeros(len(slots), dtype=np.int64)
    used = 0
    for band in range(_BANDS + 1):
        at = np.flatnonzero((after * _BANDS).astype(np.int64) == band)
        if len(at):
            blocks[at] = _pack(slots[at]) + used
            used = int(blocks[at].max()) + 1
    return blocks


def build(organisation: Organisation, *, seed: int, scale: float) -> Fleet:
    """Give every replica and every job lane its place."""
    replica_workload, replica_ordinal = _replicas(organisation)
    slots, group, after = _requirements(organisation, replica_workload, replica_ordinal)
    lane_archetype = np.array(
        [i for i, a in enumerate(ARCHETYPES) for _ in range(max(1, round(a.lanes * scale)) if a.lanes else 0)],
        dtype=np.int64,
    )
    lane_group = np.array([ARCHETYPES[i].group for i in lane_archetype], dtype=object)
    lane_slots = np.array([ARCHETYPES[i].slots for i in lane_archetype], dtype=np.int64)
    builder = _Builder([])
    replica_node = np.full(len(replica_workload), SERVERLESS, dtype=np.int64)
    lane_node = np.zeros(len(lane_archetype), dtype=np.int64)
    hosts = -(-int((group == "").sum()) // BURST_PER_HOST)
    mixing = np.random.default_rng([seed, 2])
    for name in GROUPS:
        mine = mixing.permutation(np.flatnonzero(group == name))
        lanes = np.flatnonzero(lane_group == name)
        sizes = np.concatenate([slots[mine], lane_slots[lanes]])
        blocks = _pack_in_bands(sizes, after[mine]) if name == "online-elastic" else _pack(sizes)
        nodes = builder.blocks_for(name, int(blocks.max(initial=-1)) + 1, hosts)[blocks]
        replica_node[mine], lane_node[lanes] = nodes[: len(mine)], nodes[len(mine) :]
    return Fleet(
        np.array(builder.node_pool, dtype=np.int64),
        replica_workload,
        replica_ordinal,
        replica_node,
        after,
        lane_archetype,
        lane_node,
    )


def _replicas(organisation: Organisation) -> tuple[Ints, Ints]:
    counts = np.array(
        [
            w.most if organisation.namespaces[w.namespace].archetype.runs == "service" else 0
            for w in organisation.workloads
        ],
        dtype=np.int64,
    )
    workload = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return workload, np.arange(len(workload)) - first


def _requirements(
    organisation: Organisation, workload: Ints, ordinal: Ints
) -> tuple[Ints, npt.NDArray[np.object_], Floats]:
    """(slots, placement group or "" for serverless, load after which it runs) of every replica."""
    workloads = organisation.workloads
    archetypes = [organisation.namespaces[w.namespace].archetype for w in workloads]
    slots = np.array([a.slots for a in archetypes], dtype=np.int64)[workload]
    group = np.array([a.group for a in archetypes], dtype=object)[workload]
    bursts = np.array([a.name in BURST_ARCHETYPES for a in archetypes])[workload]
    most = np.array([w.most for w in workloads])[workload]
    always = ordinal < np.array([w.least for w in workloads])[workload]
    after = np.where(always, -1.0, ordinal / most)
    group[~always] = "online-elastic"
    group[~always & bursts & (after >= BURST_ABOVE)] = ""
    return slots, group, after
