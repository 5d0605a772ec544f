"""MIG: which hardware partitions a card may be cut into, and where on the card each of them may begin.

A card has memory slices (8; an A30 4) and compute slices (7; 4). A profile takes `size` memory slices from one of its
`starts` on and `compute` slices of compute; partitions never overlap. NVIDIA MIG user guide, "Supported MIG profiles".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

MIB_PER_GB = 1024


@dataclass(frozen=True)
class Profile:
    """A partition of a card: its name, slices of compute and of memory, where it may begin and its memory."""

    name: str
    compute: int
    size: int
    starts: tuple[int, ...]
    memory_mib: int


@dataclass(frozen=True)
class Geometry:
    """How cards of one kind may be cut: their compute slices and profiles."""

    compute: int
    profiles: tuple[Profile, ...]


Partition = tuple[Profile, int]
"""A profile and where it begins."""


def _seven(*memory_gb: int) -> Geometry:
    """The profiles of cards with seven compute slices; their memory by profile, from the smallest on."""
    slots = (
        ("1g", 1, 1, (0, 1, 2, 3, 4, 5, 6)),
        ("1g", 1, 2, (0, 2, 4, 6)),
        ("2g", 2, 2, (0, 2, 4)),
        ("3g", 3, 4, (0, 4)),
        ("4g", 4, 4, (0,)),
        ("7g", 7, 8, (0,)),
    )
    return Geometry(7, tuple(
        Profile(f"{name}.{gb}gb", compute, size, starts, gb * MIB_PER_GB)
        for (name, compute, size, starts), gb in zip(slots, memory_gb, strict=True)
    ))  # fmt: skip


A30 = Geometry(4, (
    Profile("1g.6gb", 1, 1, (0, 1, 2, 3), 6 * MIB_PER_GB),
    Profile("2g.12gb", 2, 2, (0, 2), 12 * MIB_PER_GB),
    Profile("4g.24gb", 4, 4, (0,), 24 * MIB_PER_GB),
))  # fmt: skip
GEOMETRIES: tuple[tuple[tuple[str, ...], int, Geometry], ...] = (
    (("A30",), 0, A30),
    (("A100", "A800"), 60, _seven(10, 20, 20, 40, 40, 80)),
    (("A100", "A800"), 0, _seven(5, 10, 10, 20, 20, 40)),
    (("H200",), 0, _seven(18, 35, 35, 71, 71, 141)),
    (("B200",), 0, _seven(23, 45, 45, 90, 90, 180)),
    (("H100", "H800", "H20", "GH200"), 90, _seven(12, 24, 24, 48, 48, 96)),
    (("H100", "H800"), 0, _seven(10, 20, 20, 40, 40, 80)),
)
"""Words of a card's model, the least memory in GB it must have for this row, and its geometry; the first row wins."""


def geometry_of(model: str, card_memory_mib: int) -> Geometry | None:
    """How cards of a model can be cut, nothing where they cannot; a memory that is not known is read from the name."""
    words = model.upper().replace("-", " ").replace("_", " ").split()
    gb = card_memory_mib / MIB_PER_GB or max(
        (int(w[:-2]) for w in words if w[-2:] == "GB" and w[:-2].isdigit()), default=0
    )
    for names, least, geometry in GEOMETRIES:
        if gb >= least and any(word in names for word in words):
            return geometry
    return None


def profile_for(geometry: Geometry, share_milli: int, memory_mib: int) -> Profile | None:
    """The smallest partition with a share of the card's compute and so much memory."""
    for profile in sorted(geometry.profiles, key=lambda p: (p.size, p.compute)):
        if profile.compute * 1000 >= share_milli * geometry.compute and profile.memory_mib >= memory_mib:
            return profile
    return None


def partitions(geometry: Geometry, profiles: Sequence[Profile]) -> tuple[int, ...] | None:
    """Where each profile can begin so that all of them are on one card, nothing where they cannot."""
    if sum(profile.compute for profile in profiles) > geometry.compute:
        return None
    order = sorted(range(len(profiles)), key=lambda i: (-profiles[i].size, len(profiles[i].starts)))
    starts: dict[int, int] = {}
    if not _settle(profiles, order, starts, 0):
        return None
    return tuple(starts[i] for i in range(len(profiles)))


def _settle(profiles: Sequence[Profile], order: Sequence[int], starts: dict[int, int], taken: int) -> bool:
    if len(starts) == len(order):
        return True
    index = order[len(starts)]
    profile = profiles[index]
    for start in reversed(profile.starts):
        mask = ((1 << profile.size) - 1) << start
        if not mask & taken:
            starts[index] = start
            if _settle(profiles, order, starts, taken | mask):
                return True
            del starts[index]
    return False


@cache
def legal(geometry: Geometry, names: tuple[str, ...]) -> bool:
    """Whether profiles of these names, each as often as it is named, fit on one card."""
    by_name = {profile.name: profile for profile in geometry.profiles}
    return partitions(geometry, [by_name[name] for name in names]) is not None


def maximal(geometry: Geometry, names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Every way to cut a card into partitions of these names to which no more can be added."""
    usable = sorted(set(names))

    def grow(cut: tuple[str, ...], first: int) -> Iterator[tuple[str, ...]]:
        if not any(legal(geometry, tuple(sorted((*cut, name)))) for name in usable):
            yield cut
        for index in range(first, len(usable)):
            longer = (*cut, usable[index])
            if legal(geometry, longer):
                yield from grow(longer, index)

    yield from grow((), 0)
