"""Compute apart from storage, and a faster stack: cores before and after, and what they save."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from apps.finops.money import rounded

HOURS_PER_MONTH = 730


class CannotCompare(ValueError):
    """Why two figures cannot be compared; a sentence a person can act on."""


@dataclass(frozen=True)
class Stack:
    """What a stack has to do and what a core of it does.

    `work` is what must be done in the busiest hour, in any unit (requests, rows), `work_per_core` what one core does
    of it; `stored_gib` lies on its disks and `gib_per_core` is how much storage comes with a core. Where storage has
    been separated from compute its cores no longer depend on it: `gib_per_core` is None.
    """

    work: Decimal
    work_per_core: Decimal
    stored_gib: Decimal
    gib_per_core: Decimal | None

    def __post_init__(self) -> None:
        for name in ("work", "stored_gib"):
            if not getattr(self, name).is_finite() or getattr(self, name) < 0:
                raise CannotCompare(f"{name} is {getattr(self, name)}; enter a number that is not negative.")
        for name in ("work_per_core", "gib_per_core"):
            value = getattr(self, name)
            if value is not None and (not value.is_finite() or value <= 0):
                raise CannotCompare(f"{name} is {value}; enter a number above zero.")

    @property
    def compute_cores(self) -> int:
        """Cores that the work needs."""
        return _ceiling(Fraction(self.work) / Fraction(self.work_per_core))

    @property
    def storage_cores(self) -> int:
        """Cores that must be bought for the storage that comes with them."""
        if self.gib_per_core is None:
            return 0
        return _ceiling(Fraction(self.stored_gib) / Fraction(self.gib_per_core))

    @property
    def cores(self) -> int:
        return max(self.compute_cores, self.storage_cores)

    @property
    def binds(self) -> str:
        """What the cores are bought for: `compute`, `storage`, or `both`."""
        if self.compute_cores == self.storage_cores:
            return "both"
        return "compute" if self.compute_cores > self.storage_cores else "storage"


@dataclass(frozen=True)
class Upgrade:
    """A change of stack; `storage_price_per_gib_month` is of a GiB where it lies afterwards, apart from cores.
    `has_cores` is how many really stand: what is not there cannot be saved. Cores come and leave by whole nodes of
    `cores_per_node`."""

    before: Stack
    after: Stack
    price_per_core_hour: Decimal
    storage_price_per_gib_month: Decimal = Decimal(0)
    has_cores: int | None = None
    cores_per_node: int = 1

    def __post_init__(self) -> None:
        for name in ("price_per_core_hour", "storage_price_per_gib_month"):
            value = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise CannotCompare(f"{name} is {value}; enter a price that is not negative.")
        if self.has_cores is not None and self.has_cores < 0:
            raise CannotCompare(f"has_cores is {self.has_cores}; enter how many cores stand.")
        if self.cores_per_node < 1:
            raise CannotCompare(f"cores_per_node is {self.cores_per_node}; a node has one core at least.")


@dataclass(frozen=True)
class Compared:
    """Cores before and after, whole nodes that leave (below zero: that must come), what one core does more (1.43 =
    43 % more), and the money of a month."""

    cores_before: int
    cores_after: int
    cores_saved: int
    nodes_leaving: int
    work_per_core_gain: Decimal
    storage_cost_per_month: Decimal
    saving_per_month: Decimal
    binds_before: str
    binds_after: str


def compare(upgrade: Upgrade) -> Compared:
    """What an upgrade needs and saves. A loss is told as it is, below zero; a saving is never more than the cores that
    stand cost."""
    before, after = upgrade.before.cores, upgrade.after.cores
    if upgrade.has_cores is not None:
        before = min(before, upgrade.has_cores)
    core = Fraction(upgrade.price_per_core_hour) * HOURS_PER_MONTH
    stored = Fraction(0)
    if upgrade.after.gib_per_core is None:
        stored = Fraction(upgrade.after.stored_gib) * Fraction(upgrade.storage_price_per_gib_month)
    leaving = (before - after) // upgrade.cores_per_node
    gain = Fraction(upgrade.after.work_per_core) / Fraction(upgrade.before.work_per_core)
    return Compared(
        before, after, before - after, leaving, rounded(gain), rounded(stored),
        rounded(leaving * upgrade.cores_per_node * core - stored), upgrade.before.binds, upgrade.after.binds,
    )  # fmt: skip


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
