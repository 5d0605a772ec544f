"""What no plan can give back is never less than what the best one can, found by trying every packing."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from random import Random

import numpy as np
import pytest

from apps.planning.methods.gpu.giveback import give_back
from apps.planning.methods.gpu.keeping import least_kept, weights
from apps.planning.methods.gpu.kinds import Node, Place, Pod, Rules

GIB = 1024
SHARES = Rules("fractional", 50, 100)


def node(name: str, price: float = 100, gib: int = 28, cards: int = 1, model: str = "A10", card: int = 24) -> Node:
    return Node(name, 8000, gib * GIB, cards, model, card * GIB, "", Decimal(str(price)))


def pod(name: str, gib: float = 2, share: int = 100, cpu: int = 1000, apart: str = "", card: int = 2) -> Pod:
    return Pod(name, cpu, int(gib * GIB), 1, share, card * GIB, apart=apart)


def kept(pods: Sequence[Pod], nodes: Sequence[Node], rules: Rules = SHARES) -> float | None:
    return least_kept(pods, nodes, rules, {one.name: float(one.price) for one in nodes})


@pytest.mark.parametrize(
    ("pods", "nodes", "rules", "least"),
    [
        pytest.param([pod(f"p{n}", gib=15) for n in range(3)], [node(f"n{n}") for n in range(5)], SHARES, 300,
                     id="of 28 GiB two times 15 are too much: three nodes stay, though 45 GiB are less than two hold"),
        pytest.param([pod("a", 13), pod("b", 13), pod("c", 15)], [node(f"n{n}") for n in range(5)], SHARES, 200,
                     id="13 and 15 fit together"),
        pytest.param([pod("a")], [node("cheap", 10), node("dear", 90)], SHARES, 10, id="the dearest leaves"),
        pytest.param([pod(f"p{n}", share=450) for n in range(4)], [node("n0", cards=2), node("n1", cards=2)], SHARES,
                     100, id="two cards of 0.9 hold four of 0.45"),
        pytest.param([pod(f"p{n}", share=500) for n in range(3)], [node(f"n{n}") for n in range(4)], SHARES, 300,
                     id="two of 0.5 are more than the 0.9 that may be shared"),
        pytest.param([pod("a", apart="x"), pod("b", apart="x")], [node(f"n{n}") for n in range(3)], SHARES, 200,
                     id="what stands apart needs a node each"),
        pytest.param([pod(f"p{n}", share=300, card=6) for n in range(3)],
                     [node(f"n{n}", model="A30") for n in range(3)], Rules("mig", 50, 0), 200,
                     id="an A30 is cut in two halves, not in three"),
    ],
)  # fmt: skip
def test_what_stays_at_least(pods: list[Pod], nodes: list[Node], rules: Rules, least: float) -> None:
    assert kept(pods, nodes, rules) == pytest.approx(least, abs=0.01)


def test_pods_that_fit_nowhere_leave_nothing_known() -> None:
    assert kept([pod("a", gib=29)], [node("n0")]) is None


def cheapest(pods: Sequence[Pod], nodes: Sequence[Node]) -> float:
    """The least price of nodes that hold all pods, by trying every choice of nodes and every packing on them."""
    choices = (chosen for count in range(len(nodes) + 1) for chosen in combinations(nodes, count))
    return min(float(sum(one.price for one in chosen)) for chosen in choices if _holds(list(pods), chosen, {}))


def _holds(left: list[Pod], nodes: Sequence[Node], on: dict[tuple[str, int], list[Pod]]) -> bool:
    if not left:
        return True
    first, rest = left[0], left[1:]
    for one in nodes:
        for card in range(one.cards):
            here = [each for place, held in on.items() for each in held if place[0] == one.name] + [first]
            sharing = [*on.get((one.name, card), []), first]
            if (
                sum(each.cpu_milli for each in here) <= one.cpu_milli
                and sum(each.memory_mib for each in here) <= one.memory_mib
                and sum(-(-each.share_milli // 50) * 50 for each in sharing) <= 900
                and sum(each.card_memory_mib for each in sharing) * 1000 <= one.card_memory_mib * 900
                and _holds(rest, nodes, on | {(one.name, card): sharing})
            ):
                return True
    return False


@pytest.mark.parametrize("seed", range(25))
def test_no_packing_is_better_than_the_bound(seed: int) -> None:
    drawn = Random(seed)
    nodes = [node(f"n{n}", drawn.choice((50, 80, 100)), drawn.choice((16, 28)), drawn.choice((1, 2))) for n in range(4)]
    pods = [pod(f"p{n}", drawn.choice((3, 7, 9, 13)), drawn.choice((90, 260, 410, 560)), drawn.choice((900, 2600)),
                card=drawn.choice((2, 7))) for n in range(4)]  # fmt: skip
    bound, best = kept(pods, nodes), cheapest(pods, nodes)
    assert bound is not None
    assert bound <= best + 1e-9
    assert bound >= 0.6 * best


@pytest.mark.parametrize("seed", range(10))
def test_weights_of_what_fits_in_a_bin_are_one_at_most(seed: int) -> None:
    drawn = Random(seed)
    sizes = np.array([drawn.randint(1, 60) for _ in range(9)])
    for weighed in weights(sizes, 100):
        for count in range(1, 6):
            for held in combinations(range(len(sizes)), count):
                if sizes[list(held)].sum() <= 100:
                    assert weighed[list(held)].sum() <= 1 + 1e-9


def test_the_order_that_saves_most_is_taken() -> None:
    """Memory binds: whoever empties what has least of it first puts 11 beside 11, and 17 finds no room any more."""
    gib = {"a": 11, "b": 11, "c": 17, "d": 17}
    pods = [pod(name, size) for name, size in gib.items()]
    nodes = [node(f"n-{name}") for name in gib]
    found = give_back(pods, nodes, SHARES, {name: Place(f"n-{name}", (0,)) for name in gib})
    assert len(found.nodes) == 2
    assert kept(pods, nodes) == pytest.approx(200, abs=0.01)
