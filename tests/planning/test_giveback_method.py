"""Giving GPU nodes back: optima by hand, peaks in time, and verifiers that see a wrong move."""

from decimal import Decimal

import numpy as np
import pytest

from apps.planning.methods.gpu.giveback import Move, give_back, overloads, shared_within, verify_moves
from apps.planning.methods.gpu.kinds import Node, Place, Pod, Rules
from apps.planning.methods.gpu.verify import verify

SHARES = Rules("fractional", 50, 0)


def node(name: str, price: str = "100", cards: int = 1) -> Node:
    return Node(name, 8000, 16384, cards, "A10", 24576, "a10", Decimal(price))


def pod(name: str, share: int = 400, cpu: int = 1000, gib: int = 2, apart: str = "") -> Pod:
    return Pod(name, cpu, gib * 1024, 1, share, 4096, frozenset({"A10"}), frozenset({"a10"}), apart)


def each_on_its_own(count: int, **given: object) -> tuple[list[Pod], list[Node], dict[str, Place]]:
    pods = [pod(f"p{number}", **given) for number in range(count)]  # type: ignore[arg-type]
    nodes = [node(f"n{number}") for number in range(count)]
    return pods, nodes, {f"p{number}": Place(f"n{number}", (0,)) for number in range(count)}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        pytest.param({}, 2, id="two of 0.4 share a card"),
        pytest.param({"share": 250}, 3, id="four of 0.25 share a card"),
        pytest.param({"share": 600}, 0, id="two of 0.6 do not"),
        pytest.param({"cpu": 5000}, 0, id="cores of the node bind"),
        pytest.param({"gib": 9}, 0, id="memory of the node binds"),
        pytest.param({"apart": "a"}, 0, id="replicas that stand apart stay apart"),
        pytest.param({"share": 1000}, 0, id="who needs a whole card keeps it"),
    ],
)
def test_nodes_leave_when_their_pods_find_room(given: dict[str, object], left: int) -> None:
    pods, nodes, now = each_on_its_own(4, **given)
    found = give_back(pods, nodes, SHARES, now)
    assert len(found.nodes) == left
    stays = [one for one in nodes if one.name not in found.nodes]
    assert all(check.is_met for check in verify(found.pods, stays, SHARES, found.places))
    assert verify_moves(pods, nodes, now, found.moves, found.nodes) == ()


def test_the_dearest_node_leaves_first_and_nobody_moves_twice() -> None:
    pods, _, now = each_on_its_own(3, share=500)
    nodes = [node("n0", "100"), node("n1", "300"), node("n2", "200")]
    found = give_back(pods, nodes, SHARES, now)
    assert found.nodes == ("n1",)
    pods, nodes, now = each_on_its_own(6, share=150)
    found = give_back(pods, nodes, SHARES, now)
    assert len(found.nodes) == 5
    assert len({move.pod for move in found.moves}) == len(found.moves) == 5


def test_an_empty_node_leaves_without_a_move() -> None:
    pods, nodes, now = each_on_its_own(1, share=1000)
    assert give_back(pods, [*nodes, node("empty")], SHARES, now).nodes == ("empty",)


def test_peaks_at_different_hours_share_what_peaks_together_would_not() -> None:
    """Four pods peak at 0.9 in one hour of ten, each in another: 0.1 is what they usually take."""
    pods, nodes, now = each_on_its_own(4, share=100)
    usual = np.full(200, 0.1)
    apart = {f"p{number}": usual.copy() for number in range(4)}
    for number, peaks in enumerate(apart.values()):
        peaks[number::10] = 0.6
    together = {name: np.where(np.arange(200) % 10 == 0, 0.6, 0.1) for name in apart}
    assert len(shared_within(pods, nodes, SHARES, now, apart, 0.0).nodes) == 3
    found = shared_within(pods, nodes, SHARES, now, together, 0.0)
    assert all(part == 0 for part in overloads(found.places, together).values())
    assert len(found.nodes) < 3
    assert len(shared_within(pods, nodes, SHARES, now, together, 0.1).nodes) == 3


def test_hours_nobody_saw_are_not_quiet() -> None:
    """Two of ten known days too much in an hour each: 2 of 240 hours, not of 672; and four days say nothing."""
    places = {"a": Place("n", (0,)), "b": Place("n", (0,))}
    peaks = np.full(672, np.nan)
    peaks[:240] = 0.1
    peaks[[5, 30]] = 0.9
    assert overloads(places, {"a": peaks, "b": peaks}) == {("n", 0): 2 / 240}
    peaks[100:] = np.nan
    assert overloads(places, {"a": peaks, "b": peaks}) == {("n", 0): 1.0}


def test_a_wrong_move_is_seen() -> None:
    pods, nodes, now = each_on_its_own(3, share=600)
    wrong = verify_moves(pods, nodes, now, [Move("p0", "n0", "n1", (0,))], ["n0", "n2"])
    assert wrong == ("p0 finds no room on n1", "p2 still stands on n2")
    assert verify_moves(pods, nodes, now, [Move("p0", "n2", "n1", (0,))], [])[0] == "p0 is not on n2"
