"""The fewest cards that pods where they stand could do with, were cards all that binds: nothing packs them tighter."""

from collections.abc import Mapping, Sequence

from apps.planning.methods.gpu.cards import Size, card_of, size_of
from apps.planning.methods.gpu.fewest import TooManySizes, fewest_cards
from apps.planning.methods.gpu.kinds import FULL, Node, Place, Pod, Rules

SECONDS = 0.5


def least_cards(pods: Sequence[Pod], nodes: Sequence[Node], places: Mapping[str, Place], rules: Rules) -> int:
    """Pool by pool and model by model: whole cards, and the linear programme's bound of the shared ones."""
    at = {node.name: node for node in nodes}
    kinds: dict[tuple[str, str], tuple[Node, dict[Size, int]]] = {}
    least = 0
    for pod in pods:
        node = at[places[pod.name].node]
        size = size_of(pod, node, rules) if pod.cards else None
        if size is None:
            continue
        if size.share >= FULL:
            least += pod.cards
            continue
        wanted = kinds.setdefault((node.pool, node.model), (node, {}))[1]
        wanted[size] = wanted.get(size, 0) + 1
    return least + sum(_bound(node, wanted, rules) for node, wanted in kinds.values())


def _bound(node: Node, wanted: dict[Size, int], rules: Rules) -> int:
    try:
        return fewest_cards(wanted, card_of(node, rules), seconds=SECONDS).bound
    except TooManySizes:
        return -(-sum(size.share * count for size, count in wanted.items()) // FULL)
