"""Cards: how much of one a pod takes under the rules, and every full way to share one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.planning.methods.gpu.kinds import FULL, Node, Pod, Rules
from apps.planning.methods.gpu.mig import Geometry, geometry_of, maximal, partitions, profile_for

MOST_PATTERNS = 20_000
"""More ways than this to fill a card are not listed: sizes are rounded up until there are fewer."""


@dataclass(frozen=True, order=True)
class Size:
    """What a sharing pod takes of a card: compute in thousandths and memory, or a MIG profile."""

    share: int
    memory: int
    profile: str = ""


@dataclass(frozen=True)
class Card:
    """What one card can be shared into: so much compute and memory, or the partitions of a geometry."""

    share: int
    memory: int
    geometry: Geometry | None = None


def card_of(node: Node, rules: Rules) -> Card:
    """A card of a node, less its head-room."""
    usable = FULL - rules.headroom_milli
    if rules.mode == "mig":
        return Card(usable, node.card_memory_mib, geometry_of(node.model, node.card_memory_mib))
    return Card(usable, node.card_memory_mib * usable // FULL)


def size_of(pod: Pod, node: Node, rules: Rules) -> Size | None:
    """What a pod takes of each card it is given on a node; nothing where it does not fit.

    A pod that asks for whole cards gets them whole, head-room and all: it is not sharing.
    """
    if node.card_memory_mib and pod.card_memory_mib > node.card_memory_mib:
        return None
    if not pod.is_sharing or rules.mode == "whole":
        return Size(FULL, 0)
    card = card_of(node, rules)
    if rules.mode == "mig":
        return _partition(pod, card)
    share = -(-pod.share_milli // rules.step_milli) * rules.step_milli
    if share > card.share or (card.memory and pod.card_memory_mib > card.memory):
        return Size(FULL, 0)
    return Size(share, pod.card_memory_mib if card.memory else 0)


def _partition(pod: Pod, card: Card) -> Size | None:
    if card.geometry is None:
        return Size(FULL, 0)
    share, memory = (-(-need * FULL // card.share) for need in (pod.share_milli, pod.card_memory_mib))
    profile = profile_for(card.geometry, share, memory)
    return Size(FULL, 0) if profile is None else Size(profile.compute, profile.size, profile.name)


def patterns(card: Card, sizes: Iterable[Size]) -> list[dict[Size, int]] | None:
    """Every way to fill a card with pods of these sizes to which none can be added; nothing if there are too many."""
    if card.geometry is not None:
        by_name = {size.profile: size for size in sizes}
        return [_counted(by_name[name] for name in cut) for cut in maximal(card.geometry, by_name)]
    return _fills(card, sorted(sizes, reverse=True))


def _counted(sizes: Iterable[Size]) -> dict[Size, int]:
    counts: dict[Size, int] = {}
    for size in sizes:
        counts[size] = counts.get(size, 0) + 1
    return counts


def _fills(card: Card, sizes: Sequence[Size]) -> list[dict[Size, int]] | None:
    found: list[dict[Size, int]] = []
    todo: list[tuple[int, int, int, dict[Size, int]]] = [(0, card.share, card.memory, {})]
    steps = 0
    while todo:
        index, share, memory, counts = todo.pop()
        steps += 1
        if len(found) > MOST_PATTERNS or steps > 40 * MOST_PATTERNS:
            return None
        if index == len(sizes):
            if not any(_room(size, share, memory) for size in sizes):
                found.append(counts)
            continue
        size = sizes[index]
        for times in range(_room(size, share, memory) + 1):
            todo.append((index + 1, share - times * size.share, memory - times * size.memory,
                         counts | {size: times} if times else counts))  # fmt: skip
    return found


def _room(size: Size, share: int, memory: int) -> int:
    """How often a size still fits."""
    most = share // size.share
    return min(most, memory // size.memory) if size.memory else most


def fits(card: Card, sizes: Sequence[Size]) -> bool:
    """Whether pods of these sizes can stand on one card together."""
    if card.geometry is None:
        return sum(s.share for s in sizes) <= card.share and sum(s.memory for s in sizes) <= card.memory
    return starts_of(card, sizes) is not None


def starts_of(card: Card, sizes: Sequence[Size]) -> tuple[int, ...] | None:
    """Where the partitions of a card begin."""
    if card.geometry is None:
        return None
    by_name = {profile.name: profile for profile in card.geometry.profiles}
    return partitions(card.geometry, [by_name[size.profile] for size in sizes])
