"""Giving nodes back: one after another is emptied onto the others, in an order in which every move has room."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

from apps.finops.money import add_up
from apps.planning.methods.gpu.board import Board
from apps.planning.methods.gpu.kinds import FULL, Node, Place, Pod, Rules

Floats = npt.NDArray[np.float64]
ROUNDS, RAISED = 8, 1.25
LEAST_HOURS = 7 * 24
SCARCE = ("demand_milli", "memory_mib", "cpu_milli")
"""What pods need of cards, memory and cores: whichever binds is to be packed tightly."""


@dataclass(frozen=True)
class Move:
    """A pod leaves a node for cards of another; moves are made one after another."""

    pod: str
    source: str
    target: str
    cards: tuple[int, ...]


@dataclass(frozen=True)
class GivenBack:
    """The nodes that leave, in their order, the moves that empty them, and where every pod stands afterwards."""

    nodes: tuple[str, ...]
    moves: tuple[Move, ...]
    places: Mapping[str, Place]
    pods: tuple[Pod, ...]


def give_back(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules, now: Mapping[str, Place]) -> GivenBack:
    """Empty whatever can be emptied, the dearest node first, in the best of a few orders: which of cards, memory and
    cores is scarce, and whether nodes with much or with little on them should leave first, shows in what is saved.
    """
    price = {node.name: node.price for node in nodes}
    tried = [_given_back(pods, nodes, rules, now, of, sign) for of in SCARCE for sign in (1, -1)]
    return max(tried, key=lambda one: (add_up(price[name] for name in one.nodes), -len(one.moves)))


def _given_back(
    pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules, now: Mapping[str, Place], scarce: str, sign: int
) -> GivenBack:
    """A node leaves only when all its pods find room on nodes that stay, each where least of what is scarce is left
    beside it; of equally dear ones first that with least (or, with the other `sign`, most) of it."""
    board = Board(nodes, rules)
    by_name = {pod.name: pod for pod in pods}
    asked = dict.fromkeys(board.nodes, 0)
    for name, place in now.items():
        board.put(by_name[name], place.node, place.cards)
        asked[place.node] += sign * getattr(by_name[name], scarce)
    left: list[str] = []
    moves: list[Move] = []
    for node in sorted(nodes, key=lambda one: (-one.price, asked[one.name], one.name)):
        found = _emptied(board, by_name, node.name, left, scarce)
        if found is not None:
            left.append(node.name)
            moves += found
    return GivenBack(tuple(left), _direct(moves), board.places(), tuple(pods))


def _emptied(
    board: Board, by_name: Mapping[str, Pod], source: str, left: Sequence[str], scarce: str
) -> list[Move] | None:
    """The moves that empty a node, made; nothing, and the board as it was, where one of its pods finds no room."""
    held = [(name, cards) for name, (at, cards) in board.at.items() if at == source]
    held.sort(key=lambda one: (-by_name[one[0]].demand_milli, -by_name[one[0]].memory_mib, one[0]))
    found: list[Move] = []
    for name, _cards in held:
        target = _room(board, by_name[name], source, left, scarce)
        if target is None:
            for move, (back, cards) in reversed(list(zip(found, held, strict=False))):
                _lift(board, by_name[back], move.target)
                board.put(by_name[back], source, cards)
            return None
        _lift(board, by_name[name], source)
        board.put(by_name[name], *target)
        found.append(Move(name, source, *target))
    return found


def _direct(moves: Sequence[Move]) -> tuple[Move, ...]:
    """Every pod straight to where it ends: nodes that stay only ever receive, so that each still has room."""
    first = {move.pod: move.source for move in reversed(moves)}
    last = {move.pod: place for place, move in enumerate(moves)}
    return tuple(replace(move, source=first[move.pod]) for place, move in enumerate(moves) if last[move.pod] == place)


def _room(board: Board, pod: Pod, source: str, left: Iterable[str], scarce: str) -> tuple[str, tuple[int, ...]] | None:
    """Where a pod fits with least left of what is scarce, then of the other."""
    gone = {source, *left}
    options = []
    for name in board.nodes:
        if name in gone or (cards := board.room(pod, name)) is None:
            continue
        free = sum(FULL - sum(size.share for _, size in board.cards[name][card]) for card in cards)
        least = {"demand_milli": (free, board.memory[name]), "memory_mib": (board.memory[name], free),
                 "cpu_milli": (board.cpu[name], free)}[scarce]  # fmt: skip
        options.append((least, name, cards))
    if not options:
        return None
    _least, name, cards = min(options)
    return name, cards


def _lift(board: Board, pod: Pod, source: str) -> None:
    """Take a pod off its node."""
    board.cpu[source] += pod.cpu_milli
    board.memory[source] += pod.memory_mib
    board.apart[source].discard(pod.apart)
    for held in board.cards[source]:
        held[:] = [(name, size) for name, size in held if name != pod.name]
    del board.at[pod.name]


def shared_within(
    pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules, now: Mapping[str, Place], peaks: Mapping[str, Floats],
    bound: float,
) -> GivenBack:  # fmt: skip
    """The same, with pods on one card only where their peaks together exceed it in at most a part `bound` of hours.

    Shares begin where `pods` have them; those of a card that was exceeded more often are raised and all is planned
    anew. What is still too much after some rounds gets its card for itself.
    """
    current = list(pods)
    for number in count():
        found = give_back(current, nodes, rules, now)
        crowded = {name for name, part in overloads(found.places, peaks).items() if part > bound}
        wrong = {pod for pod, place in found.places.items() for card in place.cards if (place.node, card) in crowded}
        if not wrong:
            break
        factor = RAISED if number < ROUNDS else float(FULL)
        current = [
            replace(pod, share_milli=min(FULL, int(pod.share_milli * factor) + 1)) if pod.name in wrong else pod
            for pod in current
        ]
    return found


def overloads(places: Mapping[str, Place], peaks: Mapping[str, Floats]) -> dict[tuple[str, int], float]:
    """By node and card that several pods share: the part of the hours known of all of them in which their peaks
    together exceed the card. Pods that are known together for less than a week exceed it always."""
    on: dict[tuple[str, int], list[str]] = {}
    for name, place in places.items():
        for card in place.cards:
            on.setdefault((place.node, card), []).append(name)
    told = {}
    for shared, names in on.items():
        if len(names) > 1:
            together = np.sum([peaks[name] for name in names], axis=0)
            known = together[~np.isnan(together)]
            told[shared] = float((known > 1 + 1e-9).mean()) if len(known) >= LEAST_HOURS else 1.0
    return told


def verify_moves(
    pods: Sequence[Pod], nodes: Sequence[Node], now: Mapping[str, Place], moves: Sequence[Move], gone: Sequence[str]
) -> tuple[str, ...]:
    """What is wrong with moves, one after another: cores, memory and cards of the target as each move is made, and
    whatever still stands on a node that leaves. Nothing where all is well."""
    size = {pod.name: pod for pod in pods}
    room = {node.name: [node.cpu_milli, node.memory_mib] for node in nodes}
    shares = {(node.name, card): 0 for node in nodes for card in range(node.cards)}
    at = {name: (place.node, place.cards) for name, place in now.items()}
    for name, (node, cards) in at.items():
        room[node][0] -= size[name].cpu_milli
        room[node][1] -= size[name].memory_mib
        for card in cards:
            shares[node, card] += size[name].share_milli
    wrong = []
    for move in moves:
        pod, (node, cards) = size[move.pod], at[move.pod]
        if node != move.source:
            wrong.append(f"{move.pod} is not on {move.source}")
        for card in cards:
            shares[node, card] -= pod.share_milli
        room[node][0] += pod.cpu_milli
        room[node][1] += pod.memory_mib
        room[move.target][0] -= pod.cpu_milli
        room[move.target][1] -= pod.memory_mib
        for card in move.cards:
            shares[move.target, card] += pod.share_milli
        at[move.pod] = move.target, move.cards
        if min(room[move.target]) < 0 or any(shares[move.target, card] > 1000 for card in move.cards):
            wrong.append(f"{move.pod} finds no room on {move.target}")
    wrong += [f"{name} still stands on {node}" for name, (node, _) in at.items() if node in gone]
    return tuple(wrong)
