"""Repacking a cluster: as many cards allocated as can be found, beside the most that is possible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.gpu.board import Board
from apps.planning.methods.gpu.bound import relax
from apps.planning.methods.gpu.cards import Size
from apps.planning.methods.gpu.dive import Filled, dive
from apps.planning.methods.gpu.exact import MOST_PODS, prove
from apps.planning.methods.gpu.grouping import Task, class_of, group, is_part
from apps.planning.methods.gpu.kinds import FULL, Node, Packing, Pod, Rules

CARDLESS = 0.01
"""What a pod without cards is worth, in cards: it is placed wherever that costs none."""


@alone
def allocate(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules, *, seconds: float = 8.0) -> Packing:
    """Place pods so that as much of the cards as possible is allocated; `bound` is the most, in cards.

    All at once and offline, as a maintenance window does it: an online scheduler sees one pod at a time. Few pods are
    proven, for at most so many seconds.
    """
    task = _free(group(pods, nodes, rules))
    asked = [pod.demand_milli / FULL for pod in task.like]
    most = relax(task, asked, task.supply, task.room).value
    led = _led(task, pods, nodes, rules)
    reached = _allocated(pods, led)
    whole = int(most * FULL + 1e-4)
    if len(pods) > MOST_PODS or (reached == whole and _has_all_cardless(pods, led)):
        return _packing(pods, led, most, is_optimal=reached == whole)
    proven = prove(task, most_milli=most * FULL, seconds=seconds)
    if proven is None or proven.allocated_milli < reached:
        return _packing(pods, led, most, is_optimal=False)
    board = _seated(task, proven.filled, pods, Board(nodes, rules))
    return _packing(pods, board, min(most, proven.most_milli / FULL), is_optimal=proven.is_optimal)


def _led(task: Task, pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules) -> Board:
    """Nodes filled as the bound leads, then whoever still fits, largest first."""
    worth = np.array([pod.demand_milli / FULL if pod.cards else CARDLESS for pod in task.like])
    return _seated(task, dive(task, worth), pods, Board(nodes, rules))


def _seated(task: Task, filled: Sequence[Filled], pods: Sequence[Pod], board: Board) -> Board:
    """Nodes filled, then whoever still fits, largest first."""
    by_name = {pod.name: pod for pod in pods}
    waiting = [by_name[name] for name in _settle(task, filled, board, by_name)]
    full: set[tuple[object, ...]] = set()
    for pod in sorted(waiting, key=lambda pod: (-pod.demand_milli, -pod.cpu_milli, pod.name)):
        alike = class_of(pod)
        if alike not in full and not board.place_best(pod):
            full.add(alike)
    return board


def _allocated(pods: Sequence[Pod], board: Board) -> int:
    return sum(pod.demand_milli for pod in pods if pod.name in board.at)


def _has_all_cardless(pods: Sequence[Pod], board: Board) -> bool:
    return all(pod.cards or pod.name in board.at for pod in pods)


def _packing(pods: Sequence[Pod], board: Board, most: float, *, is_optimal: bool) -> Packing:
    places = board.places()
    return Packing(places, tuple(pod.name for pod in pods if pod.name not in places), most, is_optimal)


def _free(task: Task) -> Task:
    """The same task with nodes that cost nothing: they are there."""
    return replace(task, prices=(0.0,) * len(task.kinds))


def _settle(task: Task, filled: Sequence[Filled], board: Board, by_name: dict[str, Pod]) -> list[str]:
    """Give every filled node its pods by name; who is left."""
    waiting = [list(reversed(names)) for names in task.pods]
    free = [iter(names) for names in task.nodes]
    for part in filled:
        for _ in range(part.count):
            node = next(free[part.kind])
            for pod, cards in _seats(task, part):
                board.put(by_name[waiting[pod].pop()], node, cards)
    return [name for names in waiting for name in names]


@dataclass
class _Seats:
    """The cards of one node: the free places of each size on shared ones, and how many cards are taken."""

    ways: list[dict[Size, int]]
    taken: int


def _seats(task: Task, part: Filled) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The class of every pod of a filled node with its cards."""
    seats = _Seats([dict(way) for way in part.ways], len(part.ways))
    for pod, count in enumerate(part.pods):
        size = task.sizes[part.kind][pod]
        for _ in range(count):
            if size is not None and is_part(size):
                index = next(i for i, way in enumerate(seats.ways) if way.get(size, 0))
                seats.ways[index][size] -= 1
                yield pod, (index,)
            else:
                first, seats.taken = seats.taken, seats.taken + task.like[pod].cards
                yield pod, tuple(range(first, seats.taken))
