"""Estimates: from last known unit prices, divided as the bill will be, beside the bill and never in it."""

from decimal import Decimal

import pytest

from apps.estimates.selectors import accuracy, estimates
from apps.finops.tables import ESTIMATES
from apps.finops.windows import ONE_DAY, Window
from apps.marts.query import CostQuery, Scope
from apps.marts.reconciling import reconciliation
from apps.marts.selectors import answer
from apps.teams.models import Team
from apps.warehouse import lake
from apps.warehouse.engine import rows_of
from tests.allocation.worlds import DAY, Row, charge, claim, moved, node, pod
from tests.estimates import worlds
from tests.estimates.worlds import (
    FRIDAY,
    NOON,
    SATURDAY,
    amounts,
    bill_of_waiting_days,
    charges,
    publish_all,
    usage,
)

pytestmark = pytest.mark.usefixtures("home", "db")
END = SATURDAY + ONE_DAY
ASKED = CostQuery(DAY, END)


def bill_of_pod() -> list[Row]:
    return moved([charge("3.20", "eci-1", ServiceName="ECI")], 6)


def with_new_things(measured: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """A serverless pod for two hours on day 6, another for one on Friday; and a volume that is new on Friday."""
    for number, resource, hours in ((6, "eci-1", range(2)), (8, "eci-2", range(1))):
        measured["workload_hours"] += moved(pod("data", "1", hours=hours, node="virtual", resource_id=resource), number)
    measured["volume_hours"] += moved(claim("data", "5", volume="d-2", hours=NOON), 8)
    return measured


def test_days_without_a_bill_cost_what_was_measured_at_the_last_known_prices() -> None:
    told, _ = publish_all(charges() + bill_of_pod(), with_new_things(usage()))
    found = estimates(ASKED.grouped("day", "service", "namespace", "team"))
    assert amounts(found.answer.rows) == {
        # 48 for 96 core-hours on day 6; 48 core-hours on Friday: 24, a third of it web's, a sixth data's, half idle.
        # n2 (own pool) and n3 (own cluster) had one hour of 4 cores: 2 each, all idle. Nobody knows a price of n4, n5.
        (FRIDAY, "Compute", "web", "web"): Decimal(8),
        (FRIDAY, "Compute", "data", "data"): Decimal(4),
        (FRIDAY, "Compute", "", "unallocated"): Decimal(12 + 2 + 2),
        (FRIDAY, "Disk", "web", "web"): Decimal("4.80"),  # 20 GiB, twice as many as when it cost 2.40
        (FRIDAY, "Disk", "data", "data"): Decimal("0.60"),  # a new volume of 60 GiB-hours; 240 cost 2.40
        (FRIDAY, "ECI", "data", "data"): Decimal("1.60"),  # a new pod of 8 units; the one before had 16 for 3.20
        (FRIDAY, "Log Service", "", "ops"): Decimal(7),  # as on the Friday before, when 1000 were bought besides
        (SATURDAY, "Compute", "web", "web"): Decimal(16),
        (SATURDAY, "Compute", "data", "data"): Decimal(8),
        (SATURDAY, "Compute", "", "unallocated"): Decimal(24),
        (SATURDAY, "Disk", "web", "web"): Decimal("2.40"),
        (SATURDAY, "Log Service", "", "ops"): Decimal(3),
    }
    assert found.answer.totals == {"CNY": Decimal("95.40")} == told.cost_in == told.cost_out
    assert {(one.priced_by, one.first, one.last, one.cost) for one in found.prices} == {
        ("own price", DAY + 6 * ONE_DAY, DAY + 6 * ONE_DAY, Decimal("79.20")),  # 24 + 48 + 4.80 + 2.40
        ("price of its pool", DAY + 6 * ONE_DAY, DAY + 6 * ONE_DAY, Decimal(2)),
        ("price of its cluster", DAY + 6 * ONE_DAY, DAY + 6 * ONE_DAY, Decimal("4.20")),
        ("mean of the weekday", DAY + ONE_DAY, DAY + 2 * ONE_DAY, Decimal(10)),
    }
    assert [(one.code, one.subject) for one in told.problems] == [
        ("estimate_unpriced", "node i-n4"), ("estimate_unpriced", "node i-n5"),
    ]  # fmt: skip
    assert "one of 2 such resources" in told.problems[0].message

    listed = estimates(CostQuery(DAY, END, metric="list_cost", filters=(("service", ("Compute",)),)))
    assert listed.answer.totals == {"CNY": Decimal(30 + 60 + 5)}  # 60 for 96 core-hours; n2 and n3 had 4 each
    seen = estimates(CostQuery(DAY, END, scope=Scope(frozenset({"data"}))))
    assert seen.answer.totals == {"CNY": Decimal("14.20")}
    assert [one.cost for one in seen.prices] == [Decimal(12), Decimal("2.20")]

    # the books know nothing of it
    assert answer(ASKED.between(FRIDAY, END)).rows == ()
    assert sum(row.charged for row in reconciliation()[1]) == answer(ASKED).totals["CNY"]


def test_the_bill_replaces_the_estimate_and_tells_how_good_it_was() -> None:
    publish_all(charges())
    before = sorted(rows_of(lake.scan(ESTIMATES)), key=repr)
    version = lake.version(ESTIMATES)
    told, pinned = publish_all(charges() + bill_of_waiting_days())
    assert (told.rows, lake.version(ESTIMATES)) == (0, version)  # nothing waits: what was estimated stays as it was
    assert sorted(rows_of(lake.scan(ESTIMATES)), key=repr) == before
    assert estimates(ASKED).answer.rows == ()
    found = accuracy(scope=Scope())
    assert found.publication == pinned.number
    # Friday: web 8 + 4.80 of 10 + 4.80, data 4 of 5, ops 7 of 9 (the tax is not usage), nobody 16 of 15 + 2
    assert [(one.day, one.team, one.estimated, one.actual) for one in found.cells] == [
        (FRIDAY, "data", Decimal(4), Decimal(5)),
        (FRIDAY, "ops", Decimal(7), Decimal(9)),
        (FRIDAY, "unallocated", Decimal(16), Decimal(17)),
        (FRIDAY, "web", Decimal("12.80"), Decimal("14.80")),
        (SATURDAY, "data", Decimal(8), Decimal(8)),
        (SATURDAY, "ops", Decimal(3), Decimal(3)),
        (SATURDAY, "unallocated", Decimal(24), Decimal(24)),
        (SATURDAY, "web", Decimal("18.40"), Decimal("18.40")),
    ]
    ((_, whole),) = found.by().items()
    assert (whole.estimated, whole.actual, whole.off) == (Decimal("93.20"), Decimal("99.20"), Decimal(6))
    assert (whole.error_percent, whole.bias_percent) == (Decimal("6.0"), Decimal("-6.0"))  # 6 of 99.20
    assert {key[0]: one.error_percent for key, one in found.by("team").items()} == {
        "data": Decimal("7.7"), "ops": Decimal("16.7"), "unallocated": Decimal("2.4"), "web": Decimal("6.0"),
    }  # fmt: skip
    assert [one.off for one in found.by("day").values()] == [Decimal(6), Decimal(0)]
    mine = accuracy(scope=Scope(frozenset({"data"})))
    assert {one.team for one in mine.cells} == {"data"}
    assert accuracy(scope=Scope(), team="ops").by()[("CNY",)].difference == Decimal(-2)


def test_an_estimate_is_made_again_from_newer_prices_and_twice_is_the_same() -> None:
    publish_all(charges())
    first = sorted(rows_of(lake.scan(ESTIMATES)), key=repr)
    publish_all(charges())
    assert sorted(rows_of(lake.scan(ESTIMATES)), key=repr) == first
    friday = [row for row in bill_of_waiting_days(node="96") if row["x_ChargeDay"] == FRIDAY]
    publish_all(charges() + friday)
    # day 7 is whole now: 8 for the node; Friday's own bill is the newest and not yet trusted
    assert amounts(estimates(ASKED.grouped("team")).answer.rows) == {
        ("web",): Decimal("2.666666666667") + Decimal("2.40"), ("data",): Decimal("1.333333333333"),
        ("unallocated",): Decimal(4), ("ops",): Decimal(3),
    }  # fmt: skip
    assert {one.day for one in accuracy(scope=Scope()).cells} == {FRIDAY}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"ServiceName": "Support"}, {"ServiceName": "DNS"}, id="charges of nothing, one of which ended"),
        pytest.param(
            {"ServiceName": "RDS", "ResourceId": "db-1", "Tags": '{"team":"a"}'},
            {"ServiceName": "RDS", "ResourceId": "db-1", "Tags": '{"team":"b"}'}, id="a resource whose tags changed",
        ),
    ],
)  # fmt: skip
def test_what_was_billed_last_on_different_days_counts_once(monkeypatch, before: Row, after: Row) -> None:
    monkeypatch.setattr(worlds, "WINDOW", Window(DAY, DAY + 17 * ONE_DAY))
    measured = usage()
    for number in range(10, 17):
        measured["node_hours"] += moved(node(), number)
    bill = [row for number in range(8) for row in moved([charge("3", "", **before)], number)]
    bill += [row for number in range(15) for row in moved([charge("10", "", **after)], number)]
    told, _ = publish_all(bill, measured)
    # Of two Fridays and two Saturdays one each had the charge of 3.
    assert told.cost_in == told.cost_out == {"CNY": Decimal(23)}


def test_nothing_to_estimate_from_is_no_estimate() -> None:
    Team.objects.all().delete()
    told, _ = publish_all([])
    assert (told.rows, told.problems) == (0, ())
    assert estimates(ASKED).answer.rows == ()
    assert accuracy(scope=Scope()).cells == ()
