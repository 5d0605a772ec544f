"""Nodes as they fill: what is free on each, which pods share which card, and the tightest room for one more."""

from collections.abc import Iterable, Mapping, Sequence

from apps.planning.methods.gpu.cards import Card, Size, card_of, fits, size_of, starts_of
from apps.planning.methods.gpu.grouping import is_part
from apps.planning.methods.gpu.kinds import Node, Place, Pod, Rules


class Board:
    """The nodes of a plan and what stands on them so far."""

    def __init__(self, nodes: Iterable[Node], rules: Rules) -> None:
        self.rules = rules
        self.nodes = {node.name: node for node in nodes}
        self.cpu = {node.name: node.cpu_milli for node in self.nodes.values()}
        self.memory = {node.name: node.memory_mib for node in self.nodes.values()}
        self.cards: dict[str, list[list[tuple[str, Size]]]] = {
            n.name: [[] for _ in range(n.cards)] for n in self.nodes.values()
        }
        self.apart: dict[str, set[str]] = {name: set() for name in self.nodes}
        self.at: dict[str, tuple[str, tuple[int, ...]]] = {}

    def card(self, name: str) -> Card:
        return card_of(self.nodes[name], self.rules)

    def room(self, pod: Pod, name: str) -> tuple[int, ...] | None:
        """The cards a pod would get on a node: of those it can share the fullest; nothing where there is no room."""
        node = self.nodes[name]
        if pod.cpu_milli > self.cpu[name] or pod.memory_mib > self.memory[name] or pod.apart in self.apart[name]:
            return None
        if (pod.models and node.model not in pod.models) or (pod.pools and node.pool not in pod.pools):
            return None
        if not pod.cards:
            return ()
        size = size_of(pod, node, self.rules)
        if size is None:
            return None
        cards = self.cards[name]
        if not is_part(size):
            free = tuple(index for index, held in enumerate(cards) if not held)[: pod.cards]
            return free if len(free) == pod.cards else None
        shared = [i for i, held in enumerate(cards) if all(is_part(other) for _, other in held)
                  and fits(self.card(name), [*(other for _, other in held), size])]  # fmt: skip
        return (max(shared, key=lambda i: sum(other.share for _, other in cards[i])),) if shared else None

    def put(self, pod: Pod, name: str, cards: tuple[int, ...]) -> None:
        """Let a pod stand on these cards of a node."""
        self.cpu[name] -= pod.cpu_milli
        self.memory[name] -= pod.memory_mib
        if pod.apart:
            self.apart[name].add(pod.apart)
        size = size_of(pod, self.nodes[name], self.rules)
        for index in cards:
            if size is not None:
                self.cards[name][index].append((pod.name, size))
        self.at[pod.name] = name, cards

    def place_best(self, pod: Pod) -> bool:
        """Put a pod where the fewest cards and cores stay free; whether there was room."""
        found = [(name, cards) for name in self.nodes if (cards := self.room(pod, name)) is not None]
        if not found:
            return False
        self.put(pod, *min(found, key=lambda place: (self._free(place[0]), place[0])))
        return True

    def _free(self, name: str) -> tuple[int, int]:
        usable = self.card(name).share
        return sum(usable - min(usable, sum(size.share for _, size in held)) for held in self.cards[name]), self.cpu[
            name
        ]

    def places(self) -> Mapping[str, Place]:
        """Where every pod stands; under MIG with the partition of its card."""
        found = {pod: Place(name, cards) for pod, (name, cards) in self.at.items()}
        for name, cards in self.cards.items():
            card = self.card(name)
            if card.geometry is None:
                continue
            for index, held in enumerate(cards):
                found |= _cut(card, name, index, [(pod, size) for pod, size in held if is_part(size)])
        return found


def _cut(card: Card, node: str, index: int, held: Sequence[tuple[str, Size]]) -> dict[str, Place]:
    starts = starts_of(card, [size for _, size in held]) or ()
    return {pod: Place(node, (index,), size.profile, start) for (pod, size), start in zip(held, starts, strict=False)}
