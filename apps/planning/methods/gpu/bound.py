"""What no packing can exceed: a linear program over classes of pods, kinds of nodes and full ways to share a card.

Nodes of a kind are added up, so their borders are ignored and every real packing is a solution of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apps.planning.methods.gpu.cards import Size
from apps.planning.methods.gpu.grouping import Task, is_part

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
Column = Callable[[float, float], int]
"""Adds a variable with its gain and its limit; its index."""
EPSILON = 1e-7
"""Less than this of a pod is a solver's rounding."""


@dataclass(frozen=True)
class Relaxed:
    """The program's value and the prices of its limits: what one more pod of each class, one more node of each kind
    would be worth. `mix[pod, kind]` is how many of each class it places where, `ways[kind]` how it fills cards there,
    each with how many cards."""

    value: float
    pods: Floats
    kinds: Floats
    mix: Floats
    ways: tuple[tuple[tuple[Mapping[Size, int], float], ...], ...]


class Rows:
    """A linear program, written row by row."""

    def __init__(self) -> None:
        self.at: tuple[list[int], list[int], list[float]] = ([], [], [])
        self.limits: list[float] = []

    def add(self, columns: Sequence[int], values: Sequence[float], limit: float) -> int:
        rows, cols, vals = self.at
        rows.extend([len(self.limits)] * len(columns))
        cols.extend(columns)
        vals.extend(values)
        self.limits.append(limit)
        return len(self.limits) - 1


@dataclass(frozen=True)
class Program:
    """The program written out: maximise `gains` within `rows`, each variable at most `most`.

    `x[pod, kind]` places pods, `shared[kind]` are variables with the way each shares a card, `used` nodes of each
    kind; `pods` are the rows of supply.
    """

    rows: Rows
    gains: list[float]
    most: list[float]
    x: dict[tuple[int, int], int]
    shared: list[list[tuple[int, Mapping[Size, int]]]]
    used: list[int]
    pods: list[int]

    @property
    def matrix(self) -> "csr_matrix":
        from scipy.sparse import coo_matrix

        row, col, values = (np.array(part) for part in self.rows.at)
        return coo_matrix((values, (row, col)), shape=(len(self.rows.limits), len(self.gains))).tocsr()


def write(task: Task, worth: Sequence[float], supply: Sequence[int], room: Sequence[int]) -> Program:
    """Place so many pods of each class on so many nodes of each kind, for as much worth less the nodes' prices."""
    rows, gains, most = Rows(), [], []
    x: dict[tuple[int, int], int] = {}

    def column(gain: float, limit: float) -> int:
        gains.append(gain)
        most.append(limit)
        return len(gains) - 1

    used = [column(-price, count) for price, count in zip(task.prices, room, strict=True)]
    for kind in range(len(task.kinds)):
        for pod in range(len(task.like)):
            if task.sizes[kind][pod] is not None and supply[pod]:
                x[pod, kind] = column(worth[pod], min(supply[pod], per_node(task, pod, kind) * room[kind]))
    pods = []
    for pod in range(len(task.like)):
        there = [x[pod, kind] for kind in range(len(task.kinds)) if (pod, kind) in x]
        pods.append(rows.add(there, [1.0] * len(there), supply[pod]))
    shared = []
    for kind in range(len(task.kinds)):
        there = [pod for pod in range(len(task.like)) if (pod, kind) in x]
        _node_rows(task, rows, kind, there, x, used[kind])
        shared.append(_card_rows(task, rows, kind, there, x, used[kind], column))
    return Program(rows, gains, most, x, shared, used, pods)


def relax(task: Task, worth: Sequence[float], supply: Sequence[int], room: Sequence[int]) -> Relaxed:
    """The most that can be had when pods, cards and nodes may be split."""
    from scipy.optimize import linprog

    program = write(task, worth, supply, room)
    done = linprog(  # type: ignore[call-overload]  # its stubs know no sparse matrix
        -np.array(program.gains), A_ub=program.matrix, b_ub=np.array(program.rows.limits),
        bounds=[(0.0, float(limit)) for limit in program.most], method="highs",
    )  # fmt: skip
    if done.status != 0:
        raise ArithmeticError(f"the bound could not be found: {done.message}")
    mix = np.zeros((len(task.like), len(task.kinds)))
    for place, at in program.x.items():
        mix[place] = done.x[at]
    ways = tuple(
        tuple((fill, float(done.x[at])) for at, fill in fills if done.x[at] > EPSILON) for fills in program.shared
    )
    prices = -done.ineqlin.marginals[program.pods], -done.upper.marginals[program.used]
    return Relaxed(-float(done.fun), *prices, mix, ways)


def per_node(task: Task, pod: int, kind: int) -> int:
    """At most so many pods of a class on a node of a kind."""
    like, node, size = task.like[pod], task.kinds[kind], task.sizes[kind][pod]
    if size is None:
        return 0
    most = 1 if like.apart else 10**6
    if like.cpu_milli:
        most = min(most, node.cpu_milli // like.cpu_milli)
    if like.memory_mib:
        most = min(most, node.memory_mib // like.memory_mib)
    if like.cards:
        card = task.cards[kind]
        on_card = 1
        if is_part(size) and card.geometry is None:
            on_card = min(card.share // size.share, card.memory // size.memory if size.memory else 10**6)
        elif is_part(size):
            on_card = 7
        most = min(most, node.cards // like.cards * on_card)
    return most


def _node_rows(task: Task, rows: Rows, kind: int, there: list[int], x: dict[tuple[int, int], int], used: int) -> None:
    node = task.kinds[kind]
    for of in ("cpu_milli", "memory_mib"):
        rows.add([*(x[pod, kind] for pod in there), used],
                 [*(float(getattr(task.like[pod], of)) for pod in there), -float(getattr(node, of))], 0.0)  # fmt: skip
    for group in {task.like[pod].apart for pod in there} - {""}:
        members = [x[pod, kind] for pod in there if task.like[pod].apart == group]
        rows.add([*members, used], [*([1.0] * len(members)), -1.0], 0.0)


def _card_rows(
    task: Task, rows: Rows, kind: int, there: list[int], x: dict[tuple[int, int], int], used: int, column: Column
) -> list[tuple[int, Mapping[Size, int]]]:
    """Cards of a kind: whole ones, and shared ones in as many of each full way as the sharing pods need."""
    by_size: dict[Size, list[int]] = {}
    whole: list[int] = []
    for pod in there:
        size = task.sizes[kind][pod]
        if size is not None and is_part(size):
            by_size.setdefault(size, []).append(pod)
        elif task.like[pod].cards:
            whole.append(pod)
    columns = [x[pod, kind] for pod in whole]
    counts = [float(task.like[pod].cards) for pod in whole]
    fills = task.fills[kind]
    useful: list[Mapping[Size, int]] = []
    if fills is None:
        shared = [column(0.0, np.inf)]
        card = task.cards[kind]
        for limit, part in ((card.share, "share"), (card.memory, "memory")):
            pairs = [(x[pod, kind], float(getattr(size, part))) for size, pods in by_size.items() for pod in pods]
            if limit:
                rows.add([*(at for at, _ in pairs), *shared], [*(need for _, need in pairs), -float(limit)], 0.0)
        large = [x[pod, kind] for size, pods in by_size.items() for pod in pods if 2 * size.share > card.share]
        rows.add([*large, *shared], [*([1.0] * len(large)), -1.0], 0.0)
    else:
        useful = [fill for fill in fills if any(size in by_size for size in fill)]
        shared = [column(0.0, np.inf) for _ in useful]
        for size, pods in by_size.items():
            holds = [(shared[i], -float(fill[size])) for i, fill in enumerate(useful) if size in fill]
            rows.add([*(x[pod, kind] for pod in pods), *(at for at, _ in holds)],
                     [*([1.0] * len(pods)), *(held for _, held in holds)], 0.0)  # fmt: skip
    rows.add([*columns, *shared, used], [*counts, *([1.0] * len(shared)), -float(task.kinds[kind].cards)], 0.0)
    return list(zip(shared, useful, strict=False))
