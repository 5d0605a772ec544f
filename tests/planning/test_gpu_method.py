"""Cards are shared as the rules allow it, as fully as can be proven on small clusters, and a verifier agrees."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from apps.planning.methods.gpu.cards import Card, Size, patterns
from apps.planning.methods.gpu.fewest import fewest_cards
from apps.planning.methods.gpu.kinds import Node, Packing, Place, Pod, Rules
from apps.planning.methods.gpu.mig import geometry_of, partitions, profile_for
from apps.planning.methods.gpu.pack import allocate
from apps.planning.methods.gpu.verify import verify

GIB = 1024


def pods(*shares: int, cpu: int = 1000, memory: int = 0, **more: object) -> list[Pod]:
    return [
        Pod(f"pod-{i}", cpu, GIB, 1, share, memory, **more)  # type: ignore[arg-type]  # told by the case
        for i, share in enumerate(shares)
    ]


def nodes(count: int, *, cards: int = 1, model: str = "T4", memory: int = 16 * GIB, cpu: int = 32_000) -> list[Node]:
    return [Node(f"node-{i}", cpu, 256 * GIB, cards, model, memory) for i in range(count)]


@pytest.mark.parametrize(
    ("waiting", "cluster", "rules", "placed"),
    [
        pytest.param(pods(500, 500, 500), nodes(1), Rules(), 1000, id="two halves fill a card, the third waits"),
        pytest.param(pods(500, 300, 200), nodes(1), Rules(mode="whole"), 500, id="a whole card goes to the largest"),
        pytest.param(pods(600, 400, 500, 500), nodes(2), Rules(), 2000, id="pairs that add up are found"),
        pytest.param(pods(600, 400), nodes(1), Rules(headroom_milli=100), 600, id="head-room stays free"),
        pytest.param(pods(260, 260, 240, 240), nodes(1), Rules(step_milli=50), 760,
                     id="shares are rounded up to steps"),
        pytest.param(pods(300, 300, memory=9 * GIB), nodes(1), Rules(), 300, id="card memory binds"),
        pytest.param(pods(500, 500, cpu=20_000), nodes(1), Rules(), 500, id="cores of the node bind"),
        pytest.param(pods(500, 500, apart="web"), nodes(1), Rules(), 500, id="replicas that stay apart"),
        pytest.param(pods(1000, models=frozenset({"A10"})), nodes(1), Rules(), 0,
                     id="a card of another model is no room"),
        pytest.param([Pod("two", 1000, GIB, 2), *pods(500)], nodes(1, cards=2), Rules(), 2000,
                     id="two whole cards first"),
        pytest.param(
            pods(500, 400, 400, memory=15 * GIB), nodes(1, model="A100-SXM4-40GB", memory=40 * GIB),
            Rules(mode="mig"), 900,
            id="a 4g and a 3g partition, and no second 3g beside them",
        ),
        pytest.param(pods(500, 400), nodes(1), Rules(mode="mig"), 500, id="a card that cannot be cut is whole"),
    ],
)  # fmt: skip
def test_as_much_as_possible_is_allocated(waiting: list[Pod], cluster: list[Node], rules: Rules, placed: int):
    packing = allocate(waiting, cluster, rules)
    assert allocated(waiting, packing) == placed
    assert sorted([*packing.places, *packing.left]) == sorted(pod.name for pod in waiting)
    assert packing.bound * 1000 >= placed - 0.001
    assert all(check.is_met for check in verify(waiting, cluster, rules, packing.places))


def allocated(waiting: Sequence[Pod], packing: Packing) -> int:
    return sum(pod.demand_milli for pod in waiting if pod.name in packing.places)


def test_pods_without_cards_are_placed_where_that_costs_no_card():
    waiting = [*pods(500, 500), Pod("batch", 4000, GIB)]
    assert set(allocate(waiting, nodes(1), Rules()).places) == {"pod-0", "pod-1", "batch"}


def test_the_same_question_has_the_same_answer():
    waiting, cluster = pods(*[310, 270, 650, 460, 550, 220] * 5), nodes(6, cards=2)
    assert allocate(waiting, cluster, Rules()) == allocate(waiting, cluster, Rules())


ON_ONE = {"pod-0": Place("node-0", (0,)), "pod-1": Place("node-0", (0,))}
A100 = nodes(1, model="A100-SXM4-40GB", memory=40 * GIB)


def cut(*parts: tuple[str, int]) -> dict[str, Place]:
    return {f"pod-{i}": Place("node-0", (0,), profile, start) for i, (profile, start) in enumerate(parts)}


@pytest.mark.parametrize(
    ("waiting", "cluster", "rules", "places", "broken"),
    [
        pytest.param(pods(500, 500), nodes(1), Rules(), ON_ONE, None, id="halves of a card"),
        pytest.param(pods(500, 510), nodes(1), Rules(), ON_ONE, "shares of cards", id="more than a card"),
        pytest.param(pods(500, 500), nodes(1), Rules(mode="whole"), ON_ONE, "shares of cards", id="whole cards shared"),
        pytest.param(pods(1, 1, cpu=20_000), nodes(1), Rules(), ON_ONE, "cores", id="more cores than the node has"),
        pytest.param(pods(1, 1, apart="a"), nodes(1), Rules(), ON_ONE, "pods that stay apart", id="replicas together"),
        pytest.param(pods(1, 1, models=frozenset({"A10"})), nodes(1), Rules(), ON_ONE, "card models and pools",
                     id="model"),
        pytest.param(pods(1, 1), nodes(1, cards=0), Rules(), ON_ONE, "number of cards", id="a card that is not there"),
        pytest.param(pods(1), nodes(1), Rules(), ON_ONE, "pods and nodes exist", id="a pod that is not there"),
        pytest.param(pods(400, 400), A100, Rules(mode="mig"), cut(("3g.20gb", 0), ("3g.20gb", 4)), None, id="two 3g"),
        pytest.param(pods(400, 400), A100, Rules(mode="mig"), cut(("3g.20gb", 0), ("3g.20gb", 2)), "shares of cards",
                     id="a 3g partition never begins at slice 2"),
        pytest.param(pods(100, 500), A100, Rules(mode="mig"), cut(("1g.5gb", 3), ("4g.20gb", 0)), "shares of cards",
                     id="partitions that overlap"),
        pytest.param(pods(300), A100, Rules(mode="mig"), cut(("1g.5gb", 0)), "shares of cards",
                     id="partition too small"),
    ],
)  # fmt: skip
def test_a_broken_plan_is_told(
    waiting: list[Pod], cluster: list[Node], rules: Rules, places: dict[str, Place], broken: str | None
):
    assert [check.name for check in verify(waiting, cluster, rules, places) if not check.is_met] == [broken] * bool(
        broken
    )


@pytest.mark.parametrize(
    ("model", "memory", "profiles", "is_legal"),
    [
        pytest.param("A100-SXM4-40GB", 0, ["4g.20gb", "3g.20gb"], True, id="4g and 3g"),
        pytest.param("A100-SXM4-40GB", 0, ["4g.20gb", "4g.20gb"], False, id="never two 4g"),
        pytest.param("A100-SXM4-40GB", 0, ["1g.5gb"] * 7, True, id="seven of 1g"),
        pytest.param("A100-SXM4-40GB", 0, ["3g.20gb", "3g.20gb", "1g.5gb"], False, id="two 3g leave no memory slice"),
        pytest.param("A100-SXM4-40GB", 0, ["2g.10gb"] * 3 + ["1g.5gb"], True, id="three 2g and 1g"),
        pytest.param("H100-SXM5-80GB", 80 * GIB, ["1g.20gb"] * 4, True, id="four 1g with double memory"),
        pytest.param("A30", 24 * GIB, ["2g.12gb", "1g.6gb", "1g.6gb"], True, id="A30: a half and two quarters"),
        pytest.param("A30", 24 * GIB, ["2g.12gb", "2g.12gb", "1g.6gb"], False, id="A30: more than whole"),
    ],
)
def test_partitions_of_a_card(model: str, memory: int, profiles: list[str], is_legal: bool):
    geometry = geometry_of(model, memory)
    assert geometry
    by_name = {profile.name: profile for profile in geometry.profiles}
    assert (partitions(geometry, [by_name[name] for name in profiles]) is not None) == is_legal


def test_the_smallest_partition_is_taken():
    geometry = geometry_of("A100-SXM4-80GB", 80 * GIB)
    assert geometry
    chosen = [
        profile_for(geometry, share, memory * GIB) for share, memory in ((100, 5), (100, 15), (150, 5), (500, 50))
    ]
    assert [profile.name for profile in chosen if profile] == ["1g.10gb", "1g.20gb", "2g.20gb", "7g.80gb"]
    assert geometry_of("T4", 16 * GIB) is None


def test_ways_to_fill_a_card_are_full_and_each_listed_once():
    half, third = Size(500, 0), Size(330, 0)
    found = patterns(Card(1000, 0), [half, third])
    assert sorted((way.get(half, 0), way.get(third, 0)) for way in found or []) == [(0, 3), (1, 1), (2, 0)]


def test_fewer_cards_are_never_better():
    waiting = pods(*[310, 270, 650, 460, 550, 220] * 3)
    few, many = (allocate(waiting, nodes(count), Rules()) for count in (3, 5))
    assert allocated(waiting, few) <= allocated(waiting, many)
    assert replace(few, places={}).bound <= many.bound


@pytest.mark.parametrize(
    ("wanted", "cards"),
    [
        pytest.param({500: 4}, 2, id="pairs of halves"),
        pytest.param({600: 2, 400: 2}, 2, id="pairs that add up"),
        pytest.param({510: 3, 490: 2}, 3, id="more than half never pairs with itself"),
        pytest.param({340: 5}, 3, id="two thirds of a card is two of them, not three"),
    ],
)
def test_the_fewest_cards(wanted: dict[int, int], cards: int):
    found = fewest_cards({Size(share, 0): count for share, count in wanted.items()}, Card(1000, 0), seconds=60)
    assert (found.cards, found.is_optimal) == (cards, True)


def most_by_trying(waiting: Sequence[Pod], cluster: Sequence[Node]) -> int:
    """The most that can be allocated: every pod on every card or nowhere, one after another."""
    best, seats = 0, [(node.name, card) for node in cluster for card in range(node.cards)]
    for choice in product([None, *seats], repeat=len(waiting)):
        places = {
            pod.name: Place(seat[0], (seat[1],)) for pod, seat in zip(waiting, choice, strict=True) if seat is not None
        }
        asked = sum(pod.demand_milli for pod in waiting if pod.name in places)
        if asked > best and all(check.is_met for check in verify(waiting, cluster, Rules(), places)):
            best = asked
    return best


@pytest.mark.parametrize("seed", range(5))
def test_small_clusters_are_proven(seed: int):
    draw = Random(seed)
    waiting = [
        Pod(f"pod-{i}", draw.choice([4000, 9000, 14_000]), GIB, 1, draw.choice([220, 310, 460, 550, 690]), 0)
        for i in range(6)
    ]
    cluster = [*nodes(1, cards=2, cpu=24_000), replace(nodes(1, cpu=16_000)[0], name="small")]
    packing = allocate(waiting, cluster, Rules())
    assert packing.is_optimal
    assert allocated(waiting, packing) == most_by_trying(waiting, cluster)
    assert all(check.is_met for check in verify(waiting, cluster, Rules(), packing.places))
