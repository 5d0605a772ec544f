"""Repacking a cluster: as many cards allocated as can be found, beside the most that is possible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.gpu.board import Board
from apps.planning.methods.gpu.bound import relax
from apps.planning.methods.gpu.cards import Size
from apps.planning.methods.gpu.dive import Filled, dive
from apps.planning.methods.gpu.grouping import Task, group, is_part
from apps.planning.methods.gpu.kinds import FULL, Node, Packing, Pod, Rules

CARDLESS = 0.01
"""What a pod without cards is worth, in cards: it is placed wherever that costs none."""


@alone
def allocate(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules) -> Packing:
    """Place pods so that as much of the cards as possible is allocated; `bound` is the most, in cards.

    All at once and offline, as a maintenance window does it: an online scheduler sees one pod at a time.
    """
    task = group(pods, nodes, rules)
    worth = np.array([pod.demand_milli / FULL if pod.cards else CARDLESS for pod in task.like])
    asked = np.array([pod.demand_milli / FULL for pod in task.like])
    free = [0.0] * len(task.kinds)
    most = relax(_priced(task, free), asked.tolist(), task.supply, task.room)
    board = Board(nodes, rules)
    by_name = {pod.name: pod for pod in pods}
    left = _settle(task, dive(_priced(task, free), worth), board, by_name)
    waiting = [by_name[name] for name in left]
    full: set[tuple[object, ...]] = set()
    for pod in sorted(waiting, key=lambda pod: (-pod.demand_milli, -pod.cpu_milli, pod.name)):
        alike = (
            pod.cpu_milli,
            pod.memory_mib,
            pod.cards,
            pod.share_milli,
            pod.card_memory_mib,
            pod.models,
            pod.pools,
            pod.apart,
        )
        if alike not in full and not board.place_best(pod):
            full.add(alike)
    places = board.places()
    return Packing(places, tuple(pod.name for pod in pods if pod.name not in places), most.value)


def _priced(task: Task, prices: Sequence[float]) -> Task:
    """The same task with other prices of its nodes."""
    return Task(task.pods, task.like, task.nodes, task.kinds, task.cards, task.sizes, tuple(prices), task.fills)


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
