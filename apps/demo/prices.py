"""What the simulated company pays: instance types, and exact prices per price unit.

A *price unit* is what `price_ratio` of the policy counts: 8 per core, 1 per GiB, 320 per GPU, each for one hour.
Every price is a whole number of 1/10,000 CNY per unit and hour, so every cost has a short, finite decimal.
Sources: mirrored price lists of 2024-2026, near which the numbers lie; list prices are before the contract discount.
"""

from dataclasses import dataclass

CORE_UNITS = 8
GIB_UNITS = 1
GPU_UNITS = 320

MILLI = 1_000
"""Quantities are whole thousandths of a core, GiB or GPU; the platform's are whole millionths."""

COST_SCALE = 10
"""Costs are whole 10^-10 CNY: a price in 10^-4 times a quantity in 10^-6."""


@dataclass(frozen=True)
class InstanceType:
    """A kind of cloud server, as the provider's price list names it."""

    name: str
    cores: int
    gib: int
    gpus: int = 0
    gpu_model: str = ""

    @property
    def units(self) -> int:
        """Price units of one hour of this server."""
        return CORE_UNITS * self.cores + GIB_UNITS * self.gib + GPU_UNITS * self.gpus


G7_4X = InstanceType("ecs.g7.4xlarge", 16, 64)
G7_8X = InstanceType("ecs.g7.8xlarge", 32, 128)
R7_4X = InstanceType("ecs.r7.4xlarge", 16, 128)
A10 = InstanceType("ecs.gn7i-c8g1.2xlarge", 8, 30, 1, "NVIDIA A10")
T4 = InstanceType("ecs.gn6i-c4g1.xlarge", 4, 15, 1, "Tesla T4")


@dataclass(frozen=True)
class Pricing:
    """How a server is paid. `effective` is what an hour of one unit costs in the amortised view, in 10^-4 CNY."""

    name: str
    effective: int
    category: str  # FOCUS PricingCategory
    commitment_type: str = ""

    @property
    def is_committed(self) -> bool:
        return bool(self.commitment_type)


LIST_PRICE = 243
CONTRACTED_PRICE = 194
PAYG = Pricing("payg", CONTRACTED_PRICE, "Standard")
RESERVED = Pricing("reserved", 125, "Committed", "Reserved Instance")
SUBSCRIPTION = Pricing("subscription", 116, "Committed", "Subscription")
SPOT = Pricing("spot", 53, "Dynamic")
SPOT_RANGE = (24, 109)
ECI_PRICE = 220
ECI_LIST_PRICE = 245
"""Serverless containers: 0.1760 CNY per core-hour, 0.0220 per GiB-hour."""
ECI_CORES, ECI_GIB = 2, 8
ECI_UNITS = CORE_UNITS * ECI_CORES + GIB_UNITS * ECI_GIB
"""Pods are rounded up to the provider's container sizes; all of ours become 2 cores and 8 GiB."""

REFUND_PRICE = 50
"""What one unit gets back for an hour the provider failed its promise."""

DISK_PRICES = {"cloud_essd.PL1": 210, "cloud_essd.PL0": 105, "cloud_efficiency": 50}
"""Disk category → 10^-5 CNY per GiB and hour."""
