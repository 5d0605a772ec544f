"""Initiatives on the same cost: each gets its part, and together they never saved more than there was."""

from decimal import Decimal

import pytest

from apps.savings import costs, selectors, services, sharing
from apps.savings.models import Initiative, Measurement
from apps.savings.scopes import are_apart
from apps.savings.statements import read_statement
from tests.savings.ledgers import BEFORE, CELLS, END, NOW, START, given, publish, stated, truth

pytestmark = pytest.mark.django_db
OSS = ("live", "OSS")
CHANGE = {OSS: 0.7}


@pytest.fixture(autouse=True)
def _home(home):
    """Every test has a lake of its own."""


def shares() -> list[Decimal]:
    return [one.measurements.order_by("-pk")[0].share for one in Initiative.objects.order_by("pk")]


def test_two_about_the_same_cost_share_what_was_saved_once():
    publish(CHANGE)
    stated()
    stated(name="Delete drafts")

    services.verify(now=NOW)

    assert [one.state for one in Initiative.objects.all()] == ["verified", "verified"]
    assert [round(share, 6) for share in shares()] == [Decimal("0.5"), Decimal("0.5")]
    together, actual = selectors.verified(None, START, END)["CNY"], truth(CHANGE, OSS, START, END)
    assert float(together) == pytest.approx(actual, rel=0.15)
    first = Initiative.objects.order_by("pk")[0].measurements.order_by("-pk")[0]
    assert first.content["overlaps"] == [Initiative.objects.order_by("-pk")[0].pk]


def test_what_is_gone_is_shared_once_though_it_costs_nothing_on_any_measured_day():
    gone = {OSS: 0.0}
    publish(gone)
    stated()
    stated(name="Delete drafts")

    services.verify(now=NOW)

    assert [round(share, 6) for share in shares()] == [Decimal("0.5"), Decimal("0.5")]
    assert float(selectors.verified(None, START, END)["CNY"]) == pytest.approx(truth(gone, OSS, START, END), rel=0.15)


def test_those_about_other_cost_share_nothing():
    publish(CHANGE | {("search", "ECS"): 0.7})
    stated()
    stated(name="Fewer shards", team="search", scope="team=search; service=ECS")

    services.verify(now=NOW)

    assert shares() == [Decimal(1), Decimal(1)]


def test_a_part_of_a_cost_and_the_whole_of_it_promise_no_more_than_the_whole():
    """One is about the team's storage, one about everything of the team: the saving is in the storage alone."""
    publish(CHANGE)
    stated()
    stated(name="Tidy up", scope="team=live")

    services.verify(now=NOW)

    alone = [Decimal(one.measurements.order_by("-pk")[0].saving_text) for one in Initiative.objects.order_by("pk")]
    together = selectors.verified(None, START, END)["CNY"]
    assert together < sum(alone)
    assert float(together) == pytest.approx(truth(CHANGE, OSS, START, END), rel=0.2)


def test_what_is_measured_anew_is_not_counted_twice_before_it_is_shared_anew(monkeypatch):
    """A run over hundreds of initiatives takes minutes, and pages are read meanwhile."""
    publish(CHANGE)
    stated()
    stated(name="Delete drafts")
    services.verify(now=NOW)

    publish({OSS: 0.6})
    monkeypatch.setattr(sharing, "share", lambda _pinned: None)
    services.verify(now=NOW)

    assert [one.measurements.filter(is_final=True).count() for one in Initiative.objects.all()] == [2, 2]
    assert [round(share, 6) for share in shares()] == [Decimal("0.5"), Decimal("0.5")]


def test_sharing_again_changes_nothing():
    publish(CHANGE)
    stated()
    stated(name="Delete drafts")
    services.verify(now=NOW)
    before = shares()

    services.verify(now=NOW)

    assert shares() == before


def test_what_prices_took_from_each_they_take_from_both_together():
    """Half of what the cost fell by was the price: it was taken out of what each saved by itself."""
    pinned = publish(CHANGE)
    for name in ("Compress recordings", "Delete drafts"):
        stated(name=name)
    services.verify(now=NOW)
    Measurement.objects.update(saving_text=f"{truth(CHANGE, OSS) / 2:.2f}")

    sharing.share(pinned)

    assert [round(share, 6) for share in shares()] == [Decimal("0.5"), Decimal("0.5")]
    assert float(selectors.verified(None, START, END)["CNY"]) == pytest.approx(truth(CHANGE, OSS) / 2, rel=0.01)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        pytest.param({"team": ("live",)}, {"team": ("data", "search")}, True, id="other teams"),
        pytest.param({"team": ("live", "data")}, {"team": ("data",)}, False, id="a team of both"),
        pytest.param(
            {"team": ("live",), "service": ("OSS",)}, {"team": ("live",), "service": ("CDN",)}, True,
            id="other services of a team",
        ),
        pytest.param({"team": ("live",)}, {"service": ("OSS",)}, False, id="other dimensions: the bill must tell"),
        pytest.param({"resource": ("disk-1",)}, {"resource": ("disk-2",)}, True, id="other resources"),
        pytest.param({"department": ("video",)}, {"department": ("lessons",)}, False, id="one may be within the other"),
    ],
)  # fmt: skip
def test_scopes_are_apart_where_they_name_other_values_of_a_dimension(one, other, apart):
    assert are_apart(one, other) is are_apart(other, one) is apart


def test_only_those_that_may_be_about_the_same_cost_are_asked_about(monkeypatch):
    """Verified initiatives become more with every year: not every pair of them is a question."""
    pinned = publish()
    scopes = [f"team={team}; service={service}" for team, service in CELLS]
    for scope in (*scopes, "team=live; namespace=nobody's"):
        one = Initiative.objects.create(
            **read_statement(given(scope=scope)).columns(), state="verified", created_at=BEFORE, stated_at=BEFORE
        )
        Measurement.objects.create(
            initiative=one, publication=pinned.number, at=NOW, start=START, end=END, is_final=True, verdict="saved",
            grade="A", saving_text="560",
        )  # fmt: skip
    asked, daily = [], costs.daily
    monkeypatch.setattr(costs, "daily", lambda both, *rest: asked.append(both) or daily(both, *rest))

    sharing.share(pinned)

    assert [pair[1]["service"] for pair in asked] == [("OSS",), ("CDN",)]
    assert set(shares()) == {Decimal(1)}
