"""A plan of cards re-added from the pods and nodes themselves, by other code than made it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.planning.methods.gpu.kinds import Node, Place, Pod, Rules

SLICES = {"1g": 1, "2g": 2, "3g": 3, "4g": 4, "7g": 7}
BEGINS = {(1, 1): range(7), (1, 2): (0, 2, 4, 6), (2, 2): (0, 2, 4), (3, 4): (0, 4), (4, 4): (0,), (7, 8): (0,)}
BEGINS_A30 = {(1, 1): range(4), (2, 2): (0, 2), (4, 4): (0,)}
"""Where a partition of so many slices of compute and memory may begin."""


@dataclass(frozen=True)
class Check:
    """One thing verified: its name, whether it holds, and what breaks it."""

    name: str
    is_met: bool
    broken: tuple[str, ...] = ()


def verify(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules, places: Mapping[str, Place]) -> tuple[Check, ...]:
    """Every limit of a plan, checked pod by pod and card by card."""
    known = {pod.name: pod for pod in pods}
    at = {node.name: node for node in nodes}
    names = {
        "pods and nodes exist": _unknown(known, at, places),
    }
    if names["pods and nodes exist"]:
        return (Check("pods and nodes exist", False, tuple(names["pods and nodes exist"])),)
    here: dict[str, list[tuple[Pod, Place]]] = defaultdict(list)
    for name, place in places.items():
        here[place.node].append((known[name], place))
    broken = names | {
        "cores": [n for n, held in here.items() if sum(p.cpu_milli for p, _ in held) > at[n].cpu_milli],
        "memory": [n for n, held in here.items() if sum(p.memory_mib for p, _ in held) > at[n].memory_mib],
        "card models and pools": [p.name for n, held in here.items() for p, _ in held if not _may(p, at[n])],
        "pods that stay apart": [n for n, held in here.items() if not _stay_apart(held)],
        "number of cards": [p.name for n, held in here.items() for p, place in held if not _counted(p, place, at[n])],
        "shares of cards": [f"{n}/{card}" for n, held in here.items() for card in _overfull(at[n], held, rules)],
    }  # fmt: skip
    return tuple(Check(name, not found, tuple(sorted(found))) for name, found in broken.items())


def _unknown(pods: Mapping[str, Pod], nodes: Mapping[str, Node], places: Mapping[str, Place]) -> list[str]:
    return [name for name, place in places.items() if name not in pods or place.node not in nodes]


def _stay_apart(held: Iterable[tuple[Pod, Place]]) -> bool:
    return max(Counter(pod.apart for pod, _ in held if pod.apart).values(), default=0) <= 1


def _may(pod: Pod, node: Node) -> bool:
    return (not pod.models or node.model in pod.models) and (not pod.pools or node.pool in pod.pools)


def _counted(pod: Pod, place: Place, node: Node) -> bool:
    cards = set(place.cards)
    return len(cards) == len(place.cards) == pod.cards and all(0 <= card < node.cards for card in cards)


def _overfull(node: Node, held: Iterable[tuple[Pod, Place]], rules: Rules) -> Iterator[int]:
    """The cards of a node that carry more than they have."""
    cards: dict[int, list[tuple[Pod, Place]]] = defaultdict(list)
    for pod, place in held:
        for card in place.cards:
            cards[card].append((pod, place))
    for card, sharing in cards.items():
        pods = [pod for pod, _ in sharing]
        too_much = node.card_memory_mib and sum(pod.card_memory_mib for pod in pods) > node.card_memory_mib
        shares_badly = len(pods) > 1 and not _may_share(node, sharing, rules)
        is_cut_badly = len(pods) == 1 and sharing[0][1].profile and not _cut_well(node, sharing, rules)
        if too_much or shares_badly or is_cut_badly:
            yield card


def _may_share(node: Node, sharing: Sequence[tuple[Pod, Place]], rules: Rules) -> bool:
    pods = [pod for pod, _ in sharing]
    if rules.mode == "whole" or any(pod.cards != 1 or pod.share_milli >= 1000 for pod in pods):
        return False
    if rules.mode == "mig":
        return _cut_well(node, sharing, rules)
    usable = 1000 - rules.headroom_milli
    shares = sum(-(-pod.share_milli // rules.step_milli) * rules.step_milli for pod in pods)
    memory = sum(pod.card_memory_mib for pod in pods)
    return shares <= usable and (not node.card_memory_mib or memory * 1000 <= node.card_memory_mib * usable)


def _cut_well(node: Node, sharing: Sequence[tuple[Pod, Place]], rules: Rules) -> bool:
    """Whether partitions begin where they may, do not overlap, and are large enough for their pods."""
    is_small = "A30" in node.model.upper().replace("_", "-").split("-")
    total, whole = (4, 4) if is_small else (7, 8)
    begins: Mapping[tuple[int, int], Iterable[int]] = BEGINS_A30 if is_small else BEGINS
    taken: set[int] = set()
    compute = 0
    for pod, place in sharing:
        slices = SLICES.get(place.profile.split(".")[0], 0)
        gb = int(place.profile.split(".")[1].removesuffix("gb")) if slices else 0
        size = _size(slices, gb, node, whole)
        cells = set(range(place.start, place.start + size))
        usable = 1000 - rules.headroom_milli
        fits = (
            slices * 1000 * usable >= pod.share_milli * 1000 * total
            and gb * 1024 * usable >= pod.card_memory_mib * 1000
        )
        if place.start not in begins.get((slices, size), ()) or cells & taken or not fits:
            return False
        taken |= cells
        compute += slices
    return compute <= total and max(taken, default=0) < whole


def _size(slices: int, gb: int, node: Node, whole: int) -> int:
    """Slices of memory of a profile: what its memory is of the card's, to the slice above."""
    if slices == 1:
        total = node.card_memory_mib / 1024 or max(
            (int(w[:-2]) for w in node.model.upper().split("-") if w.endswith("GB")), default=40 if whole == 8 else 24
        )
        return 2 if gb * whole > 1.5 * total else 1
    return {2: 2, 3: 4, 4: 4, 7: 8}[slices]
