"""Pods alike are a class and nodes alike a kind: thousands of pods become a hundred numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from apps.planning.methods.gpu.cards import Card, Size, card_of, patterns, size_of
from apps.planning.methods.gpu.kinds import FULL, Node, Pod, Rules


@dataclass(frozen=True)
class Task:
    """Classes of pods and kinds of nodes: `pods[c]` are the names in class c, like `like[c]`; `nodes[k]` those of kind
    k, like `kinds[k]`. `sizes[k][c]` is what one of class c takes of a card there, nothing where it must not stand."""

    pods: tuple[tuple[str, ...], ...]
    like: tuple[Pod, ...]
    nodes: tuple[tuple[str, ...], ...]
    kinds: tuple[Node, ...]
    cards: tuple[Card, ...]
    sizes: tuple[tuple[Size | None, ...], ...]
    prices: tuple[float, ...]
    fills: Mapping[int, Sequence[Mapping[Size, int]] | None] = field(default_factory=dict)

    @property
    def supply(self) -> list[int]:
        return [len(names) for names in self.pods]

    @property
    def room(self) -> list[int]:
        return [len(names) for names in self.nodes]


def class_of(pod: Pod) -> tuple[object, ...]:
    """Everything about a pod that a plan asks for: pods that have it in common are one class."""
    return (
        *(pod.cpu_milli, pod.memory_mib, pod.cards, pod.share_milli, pod.card_memory_mib),
        *(pod.models, pod.pools, pod.apart),
    )


def group(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules) -> Task:
    """Classes and kinds of what can move and where it can stand, largest first, and every full way to share a card."""
    task = gather(pods, nodes, rules)
    return replace(task, fills=_fills(task.cards, task.sizes, task.like))


def gather(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules) -> Task:
    """The same without the ways to share a card, which are many."""
    classes: dict[tuple[object, ...], list[Pod]] = {}
    for pod in pods:
        classes.setdefault(class_of(pod), []).append(pod)
    kinds: dict[tuple[object, ...], list[Node]] = {}
    for node in nodes:
        place = (node.model, node.pool, node.cards, node.card_memory_mib, node.cpu_milli, node.memory_mib)
        kinds.setdefault(place, []).append(node)
    members = sorted(
        classes.values(), key=lambda group: (-group[0].demand_milli, -group[0].cpu_milli, -group[0].memory_mib)
    )
    places = list(kinds.values())
    like = tuple(group[0] for group in members)
    cards = tuple(card_of(place[0], rules) for place in places)
    sizes = tuple(tuple(_taken(pod, place[0], rules) for pod in like) for place in places)
    return Task(
        tuple(tuple(pod.name for pod in group) for group in members),
        like,
        tuple(tuple(node.name for node in place) for place in places),
        tuple(place[0] for place in places),
        cards,
        sizes,
        tuple(float(sum((node.price for node in place), Decimal(0)) / len(place)) for place in places),
    )


def _taken(pod: Pod, node: Node, rules: Rules) -> Size | None:
    """What a pod takes of a card of a node, nothing where the node is not for it or too small for it alone."""
    if pod.cpu_milli > node.cpu_milli or pod.memory_mib > node.memory_mib or pod.cards > node.cards:
        return None
    if (pod.models and node.model not in pod.models) or (pod.pools and node.pool not in pod.pools):
        return None
    return size_of(pod, node, rules) if pod.cards else Size(0, 0)


def _fills(
    cards: Sequence[Card], sizes: Sequence[Sequence[Size | None]], like: Sequence[Pod]
) -> dict[int, list[dict[Size, int]] | None]:
    known: dict[tuple[Card, frozenset[Size]], list[dict[Size, int]] | None] = {}
    found = {}
    for kind, card in enumerate(cards):
        shared = frozenset(size for size in sizes[kind] if size is not None and is_part(size))
        key = card, shared
        if key not in known:
            known[key] = patterns(card, shared) if shared else []
        found[kind] = known[key]
    return found


def is_part(size: Size) -> bool:
    """Whether a pod of this size leaves some of its card to others."""
    return 0 < size.share < FULL
