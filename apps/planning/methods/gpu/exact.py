"""Small clusters to the last pod: the program of the bound with every node for itself, in whole numbers."""

from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from apps.planning.methods.gpu.bound import Program, write
from apps.planning.methods.gpu.dive import Filled
from apps.planning.methods.gpu.grouping import Task

MOST_PODS = 60
"""More pods than this are not proven."""
CARDLESS = 0.01
"""What a pod without cards is worth beside a thousandth of a card; there are fewer pods than a hundred."""


@dataclass(frozen=True)
class Proven:
    """Nodes filled, what they allocate, and the most that any packing can, in thousandths of cards."""

    filled: tuple[Filled, ...]
    allocated_milli: int
    most_milli: int

    @property
    def is_optimal(self) -> bool:
        return self.allocated_milli >= self.most_milli


def prove(task: Task, *, most_milli: float, seconds: float) -> Proven | None:
    """Allocate as much as can be within so many seconds; nothing if no packing was found, or cards can be shared in
    more ways than can be listed."""
    if any(fills is None for fills in task.fills.values()):
        return None
    kinds = [kind for kind, names in enumerate(task.nodes) for _ in range(min(len(names), sum(task.supply)))]
    single = replace(
        task,
        nodes=tuple((str(node),) for node in range(len(kinds))),
        kinds=tuple(task.kinds[kind] for kind in kinds),
        cards=tuple(task.cards[kind] for kind in kinds),
        sizes=tuple(task.sizes[kind] for kind in kinds),
        prices=(0.0,) * len(kinds),
        fills={node: task.fills[kind] for node, kind in enumerate(kinds)},
    )
    worth = [pod.demand_milli or CARDLESS for pod in task.like]
    program = write(single, worth, task.supply, [1] * len(kinds))
    step = gcd(*(pod.demand_milli for pod in task.like)) or 1
    found = _solve(program, step, most_milli, seconds)
    if found is None:
        return None
    values, most = found
    filled = tuple(_filled(program, values, node, kind, len(task.like)) for node, kind in enumerate(kinds))
    allocated = sum(task.like[pod].demand_milli * count for node in filled for pod, count in enumerate(node.pods))
    return Proven(filled, allocated, most // step * step)


def _solve(program: Program, step: int, most_milli: float, seconds: float) -> tuple[list[int], int] | None:
    """The values of the variables, and what the program can be worth at most.

    Everything asked is a multiple of `step`: what comes closer to the bound than that is the optimum.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    done = milp(
        -np.array(program.gains), integrality=np.ones(len(program.gains), dtype=np.int64),
        bounds=Bounds(0, np.array(program.most, dtype=np.float64)),
        constraints=LinearConstraint(program.matrix, -np.inf, np.array(program.rows.limits)),
        options={"time_limit": seconds, "mip_rel_gap": 0.5 * step / max(most_milli, 1.0)},
    )  # fmt: skip
    if done.x is None:
        return None
    return [round(value) for value in done.x], int(-done.mip_dual_bound + 1e-3)


def _filled(program: Program, values: list[int], node: int, kind: int, classes: int) -> Filled:
    pods = tuple(values[program.x[pod, node]] if (pod, node) in program.x else 0 for pod in range(classes))
    ways = tuple(way for column, way in program.shared[node] for _ in range(values[column]))
    return Filled(kind, 1, pods, ways)
