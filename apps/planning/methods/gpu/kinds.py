"""What is planned with: pods, nodes, how cards may be shared, and what comes out; whole numbers throughout."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

FULL = 1000
"""A whole card, in thousandths."""


@dataclass(frozen=True)
class Pod:
    """A pod and what it needs: `cpu_milli` and `memory_mib` of its node, `share_milli` of the compute of each of so
    many `cards` and `card_memory_mib` of their memory.

    No cards: it only takes room of a node. `models` are the card models it may run on, none for any; `pools` the node
    pools. Pods of the same `apart` never stand on one node.
    """

    name: str
    cpu_milli: int
    memory_mib: int
    cards: int = 0
    share_milli: int = FULL
    card_memory_mib: int = 0
    models: frozenset[str] = frozenset()
    pools: frozenset[str] = frozenset()
    apart: str = ""

    @property
    def is_sharing(self) -> bool:
        return self.cards == 1 and self.share_milli < FULL

    @property
    def demand_milli(self) -> int:
        """What it asks of all cards together."""
        return self.cards * self.share_milli


@dataclass(frozen=True)
class Node:
    """A node and what it offers: `cards` alike, each with `card_memory_mib`; `price` is what it costs in a month."""

    name: str
    cpu_milli: int
    memory_mib: int
    cards: int
    model: str = ""
    card_memory_mib: int = 0
    pool: str = ""
    price: Decimal = Decimal(0)


@dataclass(frozen=True)
class Rules:
    """How cards may be shared.

    `mode` is `whole` (one pod a card), `fractional` (any shares that add up, as gpushare and HAMi do it) or `mig`
    (hardware partitions; cards that cannot be partitioned are whole). Shares are rounded up to `step_milli`; of every
    shared card `headroom_milli`, and of its memory the same part, stays free.
    """

    mode: str = "fractional"
    step_milli: int = 1
    headroom_milli: int = 0


@dataclass(frozen=True)
class Place:
    """Where a pod stands: its node, which of the node's cards, and under MIG the partition (profile and start)."""

    node: str
    cards: tuple[int, ...] = ()
    profile: str = ""
    start: int = -1


@dataclass(frozen=True)
class Packing:
    """Pods placed, those that found no room, and the most cards that any packing can allocate; `is_optimal` says that
    none allocates more than this one."""

    places: Mapping[str, Place]
    left: tuple[str, ...]
    bound: float
    is_optimal: bool = False
