"""Promises together: what can be saved once counts once, wherever it is found, and the sum is exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.finops.money import add_up
from apps.finops.stakes import Stake, in_cluster, of_resource, written
from apps.operations.models import Recommendation
from apps.operations.overlaps import is_about_the_same, promise


def row(pk: int, saving: str, at_stake: str = "", currency: str = "CNY", team: str = "live") -> Recommendation:
    return Recommendation(pk=pk, saving_text=saving, amount_text="0", at_stake=at_stake, currency=currency, team=team)


def staked(pk: int, **parts: str) -> Recommendation:
    """A recommendation that saves so much in places of PLACES."""
    stakes = [Stake(PLACES[name], Decimal(saving)) for name, saving in parts.items()]
    one = row(pk, f"{add_up(stake.saving_per_month for stake in stakes):f}")
    one.stakes = [written(stake) for stake in stakes]
    return one


def price(pk: int, saving: str, *, cost: str) -> Recommendation:
    """What cluster `online` costs at a price that could be lower."""
    one = row(pk, saving)
    one.stakes = [written(Stake(in_cluster("online"), Decimal(saving), Decimal(cost)))]
    return one


PLACES = {
    "cluster": in_cluster("online"),
    "shop": in_cluster("online", "live", "shop"),
    "web": in_cluster("online", "live", "shop", "web"),
    "api": in_cluster("online", "live", "shop", "api"),
    "theirs": in_cluster("online", "data", "shop", "web"),
    "node": of_resource("i-1", "live", "online"),
    "volume": of_resource("vol-1", "live"),
    "gpu": in_cluster("gpu"),
}


@pytest.mark.parametrize(
    ("rows", "totals", "within"),
    [
        pytest.param([], {}, {}, id="nothing"),
        pytest.param([row(1, "1.000000000001"), row(2, "2")], {"CNY": "3.000000000001"}, {}, id="two things"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "vm")], {"CNY": "9"}, {1: 2}, id="stop it, or shrink it"),
        pytest.param([row(2, "9", "vm"), row(1, "9", "vm")], {"CNY": "9"}, {2: 1}, id="of equals the oldest"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "disk")], {"CNY": "14"}, {}, id="two resources"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "vm", "USD")], {"CNY": "5", "USD": "9"}, {}, id="two currencies"),
        pytest.param([row(1, "5", "vm"), row(2, "9", "vm", team="data")], {"CNY": "14"}, {}, id="parts of two teams"),
        pytest.param([row(1, "5", "vm"), row(2, "0", "vm")], {"CNY": "5"}, {}, id="a question promises nothing"),
    ],
)
def test_what_is_promised_together(rows, totals, within):
    found = promise(rows)

    assert found.totals == {currency: Decimal(total) for currency, total in totals.items()}
    assert found.within == within


@pytest.mark.parametrize(
    ("rows", "counted", "within"),
    [
        pytest.param([staked(1, web="5"), staked(2, web="9")], "0 9", {1: 2}, id="stop it, or run it by a timetable"),
        pytest.param([staked(1, web="5"), staked(2, web="3", api="4")], "5 4", {2: 1}, id="stop one of two to shrink"),
        pytest.param([staked(1, web="2"), staked(2, web="3", api="4")], "0 7", {1: 2}, id="shrinking saves more of it"),
        pytest.param([staked(1, shop="9"), staked(2, web="3", api="4")], "2 7", {1: 2}, id="a namespace and its parts"),
        pytest.param([staked(1, shop="5"), staked(2, web="3", api="4")], "0 7", {1: 2}, id="its parts save more"),
        pytest.param([staked(1, cluster="20"), staked(2, web="3"), staked(3, theirs="4"), staked(4, node="5")],
                     "8 3 4 5", {1: 4}, id="fewer nodes, of all teams"),
        pytest.param([staked(1, cluster="20"), staked(2, cluster="12")], "20 0", {2: 1}, id="two plans of its nodes"),
        pytest.param([staked(1, cluster="20"), staked(2, volume="3"), staked(3, gpu="7")], "20 3 7", {},
                     id="volumes and other clusters stand apart"),
        pytest.param([price(1, "30", cost="100"), staked(2, cluster="40")], "18 40", {1: 2},
                     id="a lower price of what is left"),
        pytest.param([price(1, "30", cost="100"), staked(2, cluster="400")], "0 400", {1: 2},
                     id="a lower price of nothing"),
        pytest.param([price(1, "30", cost="100"), price(2, "10", cost="100")], "30 10", {}, id="two prices"),
    ],
)  # fmt: skip
def test_what_is_promised_of_places(rows, counted, within):
    found = promise(rows)

    assert [found.counted[one.pk] for one in rows] == [Decimal(amount) for amount in counted.split()]
    assert found.within == within
    assert list(found.totals.values()) == [add_up(found.counted.values())]


@pytest.mark.parametrize(
    ("settled", "rest", "counted"),
    [
        pytest.param([staked(1, web="3")], [staked(2, web="9")], "0", id="a workload somebody sees to"),
        pytest.param([staked(1, web="3")], [staked(2, shop="9")], "6", id="beyond it in its namespace"),
        pytest.param([staked(1, web="3")], [staked(2, web="8", api="4")], "4", id="the other workload"),
        pytest.param([staked(1, cluster="5")], [staked(2, web="3"), staked(3, api="4")], "2",
                     id="beyond what is done about the nodes"),
        pytest.param([staked(1, cluster="5")], [staked(2, web="3"), staked(3, shop="7")], "2",
                     id="a namespace with what counts in it"),
        pytest.param([staked(1, cluster="40")], [price(2, "30", cost="100")], "18", id="a price of the rest"),
        pytest.param([price(1, "30", cost="100")], [staked(2, cluster="40")], "40", id="a price is in no way"),
    ],
)  # fmt: skip
def test_beside_what_is_settled_counts_what_goes_beyond_it(settled, rest, counted):
    assert promise(rest, settled=settled).totals == {"CNY": Decimal(counted)}


def test_what_saves_in_one_place_twice_is_no_other_way_to_save_it():
    """As a Deployment and a CronJob of one name, which right-sizing shrinks both."""
    one = row(1, "8")
    one.stakes = [written(Stake(PLACES["web"], Decimal(saving))) for saving in ("5", "3")]

    assert promise([one, staked(2, web="6")]).counted == {1: Decimal(8), 2: Decimal(0)}
    assert promise([one]).within == {}


def test_nothing_counts_as_less_than_nothing():
    """While releases follow each other the earlier one tells a saving anew, and leaves where it was spent."""
    one, other = staked(1, web="9"), staked(2, web="20")
    one.saving_text = "4"

    assert promise([one, other]).counted == {1: Decimal(0), 2: Decimal(20)}


@pytest.mark.parametrize(("old", "counted"), [("5", {1: "0", 2: "9"}), ("11", {1: "11", 2: "0"})])
def test_what_was_found_by_an_earlier_version_is_still_about_the_resource_it_names(old, counted):
    """It is done, and never found again: what is found about the same now saves it once."""
    earlier, later = row(1, old, "online/shop/web"), staked(2, web="9")
    later.at_stake = "online/shop/web"

    assert promise([earlier, later]).counted == {pk: Decimal(amount) for pk, amount in counted.items()}
    assert promise([later], settled=[earlier]).totals == {"CNY": Decimal(0)}
    assert promise([earlier, staked(3, api="9")]).within == {}


def test_whatever_saves_within_a_place_is_about_it_but_for_prices():
    web, shop, theirs = staked(1, web="3"), staked(2, shop="3"), staked(3, theirs="3")

    assert is_about_the_same(web, shop)
    assert is_about_the_same(shop, web)
    assert not is_about_the_same(web, theirs)
    assert not is_about_the_same(web, price(4, "30", cost="100"))


AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=12)


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(["", "vm", "disk", "gpu"])), max_size=30), st.randoms())
def test_no_resource_is_promised_twice_in_whatever_order_they_come(facts, random):
    rows = [row(number, f"{saving:f}", at_stake) for number, (saving, at_stake) in enumerate(facts)]
    largest: dict[str, Decimal] = {}
    for saving, at_stake in facts:
        if at_stake:
            largest[at_stake] = max(largest.get(at_stake, Decimal(0)), saving)
    expected = add_up([*largest.values(), *(saving for saving, at_stake in facts if not at_stake)])
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert add_up(promise(shuffled).totals.values()) == expected
    assert promise(shuffled) == promise(rows)


PARTS = st.dictionaries(st.sampled_from(sorted(PLACES)), st.decimals(min_value="0.01", max_value=1000, places=2),
                        min_size=1, max_size=1)  # fmt: skip


@given(st.lists(PARTS, max_size=12))
def test_a_place_promises_the_most_of_it_or_of_its_parts_whichever_is_more(facts):
    rows = [staked(pk, **{name: f"{saving}" for name, saving in parts.items()}) for pk, parts in enumerate(facts)]
    by_place: dict[tuple[str, ...], list[Decimal]] = {}
    for parts in facts:
        for name, saving in parts.items():
            by_place.setdefault(PLACES[name], []).append(saving)

    def most(place: tuple[str, ...]) -> Decimal:
        longer = {other[: len(place) + 1] for other in by_place if other[: len(place)] == place and other != place}
        return max([add_up(map(most, longer)), *by_place.get(place, ())])

    assert add_up(promise(rows).totals.values()) == most(())
    assert all(counts >= 0 for counts in promise(rows).counted.values())


@given(st.lists(PARTS, min_size=2, max_size=12), st.data())
def test_more_recommendations_never_promise_less(facts, data):
    rows = [staked(pk, **{name: f"{saving}" for name, saving in parts.items()}) for pk, parts in enumerate(facts)]
    some = rows[: data.draw(st.integers(1, len(rows) - 1))]

    assert add_up(promise(some).totals.values()) <= add_up(promise(rows).totals.values())
