"""The node pools of the simulated company: what servers, how they are paid, who answers for what is idle."""

from dataclasses import dataclass
from typing import Literal

from apps.demo import prices
from apps.demo.prices import InstanceType, Pricing

Lives = Literal["always", "with pods", "with jobs"]

BLOCK_SLOTS = 8


@dataclass(frozen=True)
class Pool:
    """Servers alike. A server has room for `blocks` blocks of eight slots, beside what the platform takes.

    `owner` is the team that answers for idle capacity, or None: nobody does. `spare_percent` servers are held ready.
    """

    name: str
    cluster: str
    instance: InstanceType
    pricing: Pricing
    owner: str | None
    blocks: int
    lives: Lives = "always"
    share: int = 100
    spare_percent: int = 0

    @property
    def is_daily(self) -> bool:
        """Billed once a day, not once an hour."""
        return self.pricing.is_committed


POOLS = (
    Pool("base-sub", "online", prices.G7_4X, prices.SUBSCRIPTION, "platform-container", 4, share=60, spare_percent=8),
    Pool("base-ri", "online", prices.G7_4X, prices.RESERVED, "platform-container", 2, share=25),
    Pool("base-payg", "online", prices.G7_4X, prices.PAYG, "platform-container", 4, share=15),
    Pool("elastic", "online", prices.G7_4X, prices.PAYG, "live-core", 4, lives="with pods"),
    Pool("a10", "gpu", prices.A10, prices.SUBSCRIPTION, "ai-vision", 1, spare_percent=10),
    Pool("a10-train", "gpu", prices.A10, prices.PAYG, "ai-training", 1),
    Pool("t4-old", "gpu", prices.T4, prices.PAYG, None, 1, spare_percent=10),
    Pool("cpu", "gpu", prices.G7_4X, prices.PAYG, "ai-recommend", 4),
    Pool("hdfs", "offline", prices.G7_8X, prices.SUBSCRIPTION, "data-warehouse", 4, spare_percent=5),
    Pool("spot", "offline", prices.G7_8X, prices.SPOT, "data-warehouse", 4, lives="with jobs", share=70),
    Pool("batch", "offline", prices.G7_8X, prices.PAYG, "data-stream", 4, lives="with jobs", share=30),
)
POOL_INDEX = {pool.name: i for i, pool in enumerate(POOLS)}

GROUPS: dict[str, tuple[str, ...]] = {
    "online": ("base-sub", "base-ri", "base-payg"),
    "online-elastic": ("elastic",),
    "gpu-a10": ("a10",),
    "gpu-train": ("a10-train",),
    "gpu-t4": ("t4-old",),
    "gpu-cpu": ("cpu",),
    "offline-base": ("hdfs",),
    "offline-spot": ("spot", "batch"),
}
"""Placement group → its pools."""

CLUSTERS = ("online", "gpu", "offline")
CLUSTER_IDS = {
    "online": "c2f0a51d7e3b94c6f8a1b7d20e5c93a4f",
    "gpu": "c7b1e9d4a60f24d85b3c2a9e81f7046dd",
    "offline": "c90d3c5be18a74f6e9d2407ab6c1f53e8",
}

BURST_ABOVE = 0.85
"""Replicas that only run above this load, of the archetypes below, run as serverless containers."""
BURST_ARCHETYPES = ("live-class", "homework-search")
BURST_HOST = "base-ri"
BURST_PER_HOST = 16
"""The platform's share of serverless cost is claimed on reserved nodes, which keep room for this many each."""
