"""Filling thousands of nodes: one kind after another, each node a little program led by the prices of the bound.

The bound is solved anew before each kind, so that what is lost by filling one is known, and the rest is led by what is
left. Nothing is random.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.planning.methods.gpu.bound import EPSILON, Floats, Relaxed, per_node, relax
from apps.planning.methods.gpu.cards import Size
from apps.planning.methods.gpu.grouping import Task, is_part

Counts = NDArray[np.int64]
WAYS = 150
"""So many ways to share a card are offered to a node that the bound does not lead well."""
LEAD = 0.001
"""How much a node prefers the pods that the bound places on its kind, in cards."""
TOLERANCE = 0.01
"""A node that falls so many cards short of its price asks for new prices."""
NODE_SECONDS = 1.0


@dataclass(frozen=True)
class Filled:
    """So many nodes of a kind filled alike: pods of each class, and the ways its shared cards are filled."""

    kind: int
    count: int
    pods: tuple[int, ...]
    ways: tuple[Mapping[Size, int], ...]


def dive(task: Task, worth: Floats) -> list[Filled]:
    """Fill every node so that the worth of what is placed comes close to the bound."""
    supply, room = np.array(task.supply), np.array(task.room)
    filled: list[Filled] = []
    for kind in sorted(range(len(task.kinds)), key=lambda k: _cores_per_card(task, k)):
        while room[kind]:
            led = relax(task, worth.tolist(), supply.tolist(), room.tolist())
            for part in _fill_kind(task, kind, int(room[kind]), worth, led, supply):
                filled.append(part)
                supply = supply - part.count * np.array(part.pods)
                room[kind] -= part.count
    return filled


def _cores_per_card(task: Task, kind: int) -> tuple[float, int]:
    """Kinds with few cores to a card are filled first: those with many take whatever is left."""
    node = task.kinds[kind]
    return node.cpu_milli / max(node.cards, 1), kind


def _fill_kind(task: Task, kind: int, count: int, worth: Floats, led: Relaxed, supply: Counts) -> list[Filled]:
    """Fill nodes of one kind until their prices no longer hold; the first one always."""
    mix, supply = led.mix[:, kind].copy(), supply.copy()
    parts: list[Filled] = []
    spent: Counter[tuple[tuple[Size, int], ...]] = Counter()
    gain = worth - led.pods
    while count:
        wanted = np.minimum(np.maximum(np.ceil(mix - EPSILON), 0), supply).astype(np.int64)
        value = _led(gain, mix, count)
        pods, ways = fill_node(task, kind, value, wanted, _planned(led.ways[kind], spent))
        if gain @ pods < led.kinds[kind] - TOLERANCE:
            if parts:
                break
            pods, ways = fill_node(task, kind, value, supply, _any_way(task, kind, value))
        taken = pods > 0
        times = min(count, _often(mix[taken], pods[taken], supply[taken])) if taken.any() else count
        parts.append(Filled(kind, times, tuple(int(n) for n in pods), ways))
        for way in ways:
            spent[tuple(way.items())] += times
        supply -= times * pods
        mix = mix - times * pods
        count -= times
    return parts


def _led(gain: Floats, mix: Floats, count: int) -> Floats:
    """What a pod is worth to a node: its gain, and a little more where the bound places it."""
    lead = LEAD * (np.clip(mix, 0, 1) + np.clip(mix / count, 0, 1)) / 2
    led: Floats = np.where(gain > -EPSILON, np.maximum(gain, 0) + lead, -1.0)
    return led


def _often(mix: Floats, pods: Counts, supply: Counts) -> int:
    """How often a node like this can be filled without taking more of a class than the bound does; at least once."""
    return max(1, min(int(np.min(np.floor(np.maximum(mix, 0) / pods + EPSILON))), int(np.min(supply // pods))))


def fill_node(
    task: Task, kind: int, gain: Floats, supply: Counts, used: Sequence[tuple[Mapping[Size, int], int]]
) -> tuple[Counts, tuple[Mapping[Size, int], ...]]:
    """The pods worth most on one node of a kind: an integer program over classes and ways to share a card."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    node = task.kinds[kind]
    classes = [c for c in range(len(task.like)) if gain[c] > EPSILON and supply[c] and task.sizes[kind][c] is not None]
    none = np.zeros(len(task.like), dtype=np.int64)
    if not classes:
        return none, ()
    matrix, limits = _limits(task, kind, classes, [way for way, _ in used])
    most = [min(int(supply[c]), per_node(task, c, kind)) for c in classes] + [min(node.cards, most) for _, most in used]
    done = milp(
        -np.concatenate([gain[classes], np.zeros(len(used))]), integrality=np.ones(len(most), dtype=np.int64),
        bounds=Bounds(0, most), constraints=LinearConstraint(matrix, -np.inf, limits),
        options={"time_limit": NODE_SECONDS, "mip_rel_gap": 2e-4},
    )  # fmt: skip
    if done.x is None:
        return none, ()
    whole = np.round(done.x).astype(np.int64)
    none[classes] = whole[: len(classes)]
    return none, tuple(way for (way, _), times in zip(used, whole[len(classes) :], strict=True) for _ in range(times))


def _planned(
    ways: Sequence[tuple[Mapping[Size, int], float]], spent: Mapping[tuple[tuple[Size, int], ...], int]
) -> list[tuple[Mapping[Size, int], int]]:
    """The ways to share a card that the bound uses, each for as many cards as are left of it."""
    left = [(way, int(np.ceil(count - EPSILON)) - spent[tuple(way.items())]) for way, count in ways]
    return [(way, most) for way, most in left if most > 0]


def _any_way(task: Task, kind: int, gain: Floats) -> list[tuple[Mapping[Size, int], int]]:
    """The ways to share a card that are worth most."""
    best: dict[Size, float] = {}
    for pod, size in enumerate(task.sizes[kind]):
        if size is not None and is_part(size):
            best[size] = max(best.get(size, 0.0), float(gain[pod]))
    fills = task.fills[kind] or []
    worth = [sum(best.get(size, 0.0) * times for size, times in fill.items()) for fill in fills]
    top = sorted(range(len(fills)), key=lambda i: -worth[i])[:WAYS]
    return [(fills[i], task.kinds[kind].cards) for i in top if worth[i] > EPSILON]


def _limits(
    task: Task, kind: int, classes: Sequence[int], ways: Sequence[Mapping[Size, int]]
) -> tuple[Floats, list[float]]:
    """Cores, memory, cards, places of each size on shared cards, and pods that stay apart."""
    node, like = task.kinds[kind], [task.like[c] for c in classes]
    sizes = [task.sizes[kind][c] for c in classes]
    free = [0.0] * len(ways)
    rows = [
        [*(pod.cpu_milli / 1000 for pod in like), *free],
        [*(pod.memory_mib / 1024 for pod in like), *free],
        [*(0.0 if size and is_part(size) else float(pod.cards) for pod, size in zip(like, sizes, strict=True)),
         *([1.0] * len(ways))],
    ]  # fmt: skip
    limits = [node.cpu_milli / 1000, node.memory_mib / 1024, float(node.cards)]
    for part in {size for size in sizes if size and is_part(size)}:
        rows.append([*(float(size == part) for size in sizes), *(-float(way.get(part, 0)) for way in ways)])
        limits.append(0.0)
    for group in {pod.apart for pod in like} - {""}:
        rows.append([*(float(pod.apart == group) for pod in like), *free])
        limits.append(1.0)
    return np.array(rows), limits
