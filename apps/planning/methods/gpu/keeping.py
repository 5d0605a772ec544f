"""What no plan can give back: the least worth of nodes that hold all pods, if pods could be split between nodes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from apps.planning.methods.gpu.bound import Rows
from apps.planning.methods.gpu.cards import Card
from apps.planning.methods.gpu.grouping import Task, gather, is_part
from apps.planning.methods.gpu.kinds import Node, Pod, Rules

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
MOST_EQUAL, MOST_SIZES = 4, 12
CPU, MEMORY = 50, 128
SECONDS = 1.0
ROUNDING = 1e-7
"""In parts of the whole: what the solver may be wrong by, taken off so that the bound holds."""


def least_kept(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules, worth: Mapping[str, float]) -> float | None:
    """The least worth of nodes that any packing of all pods keeps. None where there is no packing even so, as where
    pods overfill a node today: then nothing is known.

    How many nodes of each kind and worth are kept is whole, pods may be split. Of whatever a node or a card has, the
    pods on it weigh one at most, by many ways to weigh them (`weights`): so that two pods that need more than half of a
    node need two nodes, which adding up their memory does not tell.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_matrix

    task = gather(pods, [_rounded(node) for node in nodes], rules)
    pairs = [(pod, kind) for kind, sizes in enumerate(task.sizes) for pod, size in enumerate(sizes) if size is not None]
    at = {pair: place for place, pair in enumerate(pairs)}
    kept = [(kind, *one) for kind, names in enumerate(task.nodes) for one in Counter(worth[n] for n in names).items()]
    rows = Rows()
    for pod, supply in enumerate(task.supply):
        there = [place for (of, _), place in at.items() if of == pod]
        rows.add(there, [-1.0] * len(there), -float(supply))
    for kind in range(len(task.kinds)):
        there = [pod for pod in range(len(task.like)) if (pod, kind) in at]
        nodes_of = [len(at) + place for place, (of, _, _) in enumerate(kept) if of == kind]
        for weighed, bins in _weighed(task, kind, there):
            rows.add([*(at[pod, kind] for pod in there), *nodes_of], [*weighed.tolist(), *([-bins] * len(nodes_of))], 0)
    row, column, values = (np.array(part) for part in rows.at)
    found = milp(
        [0.0] * len(at) + [price for _, price, _ in kept],
        constraints=LinearConstraint(
            coo_matrix((values, (row, column)), shape=(len(rows.limits), len(at) + len(kept))).tocsr(),
            ub=np.array(rows.limits),
        ),
        integrality=np.array([0] * len(at) + [1] * len(kept)), options={"time_limit": SECONDS},
        bounds=Bounds(0, [np.inf] * len(at) + [count for _, _, count in kept]),
    )  # fmt: skip
    if found.mip_dual_bound is None or not np.isfinite(found.mip_dual_bound):
        return None
    return float(found.mip_dual_bound) - ROUNDING * sum(abs(price) * count for _, price, count in kept)


def _rounded(node: Node) -> Node:
    """A node a little larger, so that nodes nearly alike are one kind and the programme stays small."""
    cpu, memory = (-(-size // step) * step for size, step in ((node.cpu_milli, CPU), (node.memory_mib, MEMORY)))
    return replace(node, cpu_milli=cpu, memory_mib=memory)


def _weighed(task: Task, kind: int, there: Sequence[int]) -> Iterator[tuple[Floats, int]]:
    """By pod, what it weighs of a node of this kind, and how much a node holds: its cores, its memory, its cards."""
    node, like = task.kinds[kind], [task.like[pod] for pod in there]
    for of in ("cpu_milli", "memory_mib"):
        for weighed in weights(np.array([getattr(pod, of) for pod in like]), getattr(node, of)):
            yield weighed, 1
    for group in {pod.apart for pod in like} - {""}:
        yield np.array([float(pod.apart == group) for pod in like]), 1
    sizes = [task.sizes[kind][pod] for pod in there]
    is_shared = np.array([size is not None and is_part(size) for size in sizes], dtype=bool)
    whole = np.array([float(pod.cards) for pod in like])
    for part, most in zip(("share", "memory"), _most(task.cards[kind]), strict=True):
        taken = np.array([getattr(size, part) if shares else 0 for size, shares in zip(sizes, is_shared, strict=True)])
        for weighed in weights(taken, most):
            yield np.where(is_shared, weighed, whole), node.cards


def _most(card: Card) -> tuple[int, int]:
    """What a card can be shared into: thousandths and MiB, or slices of both."""
    if card.geometry is None:
        return card.share, card.memory
    ends = [start + profile.size for profile in card.geometry.profiles for start in profile.starts]
    return card.geometry.compute, max(ends)


def weights(sizes: Whole, most: int) -> Iterator[Floats]:
    """What things of these sizes count for in a bin of `most`: however a bin is filled, they count for one at most.

    Their parts of the bin as they are; in steps, so that each above 1/2 (1/3 ...) counts for one (a half ...); and with
    the smallest left out, so that what leaves no room for any other counts for one. Dual feasible functions: Fekete and
    Schepers, New classes of fast lower bounds for bin packing problems, 2001.
    """
    if most <= 0:
        return
    parts: Floats = sizes / most
    yield parts
    for equal in range(1, MOST_EQUAL + 1):
        steps = (equal + 1) * sizes
        yield np.where(steps % most == 0, parts, steps // most / equal)
    halves = np.unique(sizes[(sizes > 0) & (2 * sizes <= most)])
    for least in halves[np.unique(np.linspace(0, len(halves) - 1, min(MOST_SIZES, len(halves))).round().astype(int))]:
        yield np.where(sizes > most - least, 1.0, np.where(sizes < least, 0.0, parts))
