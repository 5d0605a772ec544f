"""A publication pins what adds up, or there is none; publishing again changes nothing."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from apps.finops.tables import ALLOCATED, CHARGES, COST_MART, COSTS, COVERAGE_HOURS, PASSED_ON
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.reconciling import reconciliation
from apps.marts.selectors import answer, covered_days, publication
from apps.marts.services import DoesNotReconcile, publish
from apps.warehouse import lake
from tests.allocation.worlds import Row, charge, import_rules, put

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OCTOBER, NOVEMBER = Window(date(2026, 10, 1), date(2026, 11, 1)), Window(date(2026, 11, 1), date(2026, 12, 1))
YEAR = CostQuery(date(2026, 1, 1), date(2027, 1, 1))

pytestmark = pytest.mark.usefixtures("home", "db")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def bill(*costs: tuple[int, str], currency: str = "CNY") -> list[Row]:
    """Charges so many days after the first of October, each in a file of its own month."""
    rows = [charge(cost, start=24 * day, BillingCurrency=currency) for day, cost in costs]
    return [row | {"x_FileId": f"f-{row['x_BillingMonth']}"} for row in rows]


def allocation_of(charges: Iterable[Row]) -> list[dict[str, Any]]:
    """The simplest allocation there is: every charge to one team."""
    empty: dict[str, Any] = dict.fromkeys(ALLOCATED.columns, "")
    return [
        empty
        | dict.fromkeys(COSTS, row["EffectiveCost"])
        | {
            "pool": "charge", "ruleset": 1, "source": "bill", "billing_month": row["x_BillingMonth"], "team": "web",
            "currency": row["BillingCurrency"], "kind": "direct", "day": row["x_ChargeDay"],
        }
        for row in charges
    ]  # fmt: skip


def fill(charges: list[Row]) -> None:
    put(CHARGES, charges)
    put(ALLOCATED, allocation_of(charges))


def cost(*groups: str, as_of: int | None = None) -> dict[Any, Decimal]:
    query = CostQuery(YEAR.start, YEAR.end, group_by=groups, as_of=as_of)
    return {row[:-1]: row[-1] for row in answer(query).rows}


def test_what_is_published_is_what_was_charged() -> None:
    fill(bill((0, "1.5"), (1, "2.000000000001"), (40, "4")))
    result = publish(None, now=NOW)
    assert result.cost_in == result.cost_out == {"CNY": Decimal("7.500000000001")}
    assert cost("month") == {("2026-10", "CNY"): Decimal("3.500000000001"), ("2026-11", "CNY"): 4}
    facts = publication()
    assert (facts.first_day, facts.end_day) == (date(2026, 10, 1), date(2026, 11, 11))
    assert result.versions == {"publication": facts.number}
    assert {CHARGES.name, ALLOCATED.name, PASSED_ON.name, COST_MART.name} <= facts.versions.keys()


def test_publishing_the_same_again_changes_nothing() -> None:
    fill(bill((0, "1")))
    first = publish(None, now=NOW)
    versions = {table.name: lake.version(table) for table in (COST_MART, ALLOCATED)}
    again = publish(OCTOBER, now=NOW + timedelta(days=1))
    assert again.versions == first.versions
    assert Publication.objects.count() == 1
    assert {table.name: lake.version(table) for table in (COST_MART, ALLOCATED)} == versions


def test_other_rules_make_another_publication() -> None:
    fill(bill((0, "1")))
    first = publish(None, now=NOW)
    import_rules("rules: [{name: web, when: {namespace: web}, team: web}]")
    assert publish(None, now=NOW).versions != first.versions


def test_an_older_publication_says_what_it_said() -> None:
    fill(bill((0, "1")))
    old = publish(None, now=NOW).versions["publication"]
    fill(bill((0, "2"), (1, "5")))
    publish(None, now=NOW)
    assert cost("day", as_of=old) == {(date(2026, 10, 1), "CNY"): 1}
    assert cost("day") == {(date(2026, 10, 1), "CNY"): 2, (date(2026, 10, 2), "CNY"): 5}
    assert reconciliation(as_of=old)[1][0].charged == 1


@pytest.mark.parametrize("basis", list(COSTS))
def test_a_difference_of_one_unit_in_any_basis_stops_publication(basis: str) -> None:
    charges = bill((0, "1"), (1, "2"))
    fill(charges)
    before = publish(None, now=NOW).versions["publication"]
    charges = bill((0, "1"), (1, "3"))
    put(CHARGES, charges)
    rows = allocation_of(charges)
    rows[1][basis] += Decimal("0.000000000001")
    put(ALLOCATED, rows)
    with pytest.raises(DoesNotReconcile, match=r"bill 2026-10 2026-10-02: charged 3.0+ CNY, .*fill --step allocate"):
        publish(None, now=NOW)
    assert publication().number == before
    assert cost() == {("CNY",): 3}


@pytest.mark.parametrize(
    ("charged", "allocated"),
    [
        pytest.param([(0, "1")], [(0, "1"), (1, "2")], id="allocated and never charged"),
        pytest.param([(0, "1"), (1, "2")], [(0, "1")], id="charged and never allocated"),
        pytest.param([(0, "1"), (40, "2")], [(0, "1")], id="charged in a month nothing was allocated in"),
    ],
)
def test_what_stands_on_one_side_only_stops_publication(
    charged: list[tuple[int, str]], allocated: list[tuple[int, str]]
) -> None:
    put(CHARGES, bill(*charged))
    put(ALLOCATED, allocation_of(bill(*allocated)))
    with pytest.raises(DoesNotReconcile):
        publish(OCTOBER, now=NOW)
    assert not Publication.objects.exists()


def test_differences_that_cancel_out_stop_publication() -> None:
    put(CHARGES, bill((0, "1"), (1, "2")))
    put(ALLOCATED, allocation_of(bill((0, "2"), (1, "1"))))
    with pytest.raises(DoesNotReconcile):
        publish(None, now=NOW)


def test_a_publication_of_one_month_takes_along_what_changed_in_another() -> None:
    """What a publication pins must be true of every month, or it would never be put right."""
    fill(bill((0, "1"), (40, "10")))
    publish(None, now=NOW)
    fill(bill((0, "2"), (40, "20")))
    publish(OCTOBER, now=NOW)
    publish(NOVEMBER, now=NOW)
    assert cost("month") == {("2026-10", "CNY"): 2, ("2026-11", "CNY"): 20}


def test_months_nobody_touched_are_not_rebuilt() -> None:
    fill(bill((0, "1"), (40, "10")))
    publish(None, now=NOW)
    before = {file.partition["month"]: file.path for file in lake.files(COST_MART)}
    november = bill((40, "20"))
    lake.replace(CHARGES, _rows(CHARGES, november), _files_with(CHARGES, "2026-11"))
    lake.replace(ALLOCATED, _rows(ALLOCATED, allocation_of(november)), _files_with(ALLOCATED, "2026-11"))
    publish(NOVEMBER, now=NOW)
    after = {file.partition["month"]: file.path for file in lake.files(COST_MART)}
    assert after["2026-10"] == before["2026-10"]
    assert after["2026-11"] != before["2026-11"]
    assert cost() == {("CNY",): 21}


def test_months_that_a_lost_publication_rebuilt_are_rebuilt() -> None:
    """A lake that was restored is of a later moment than the database: its marts are not those that are pinned."""
    fill(bill((0, "1"), (40, "10")))
    publish(None, now=NOW)
    rows = lake.scan(COST_MART, only=_files_with(COST_MART, "2026-10"))
    lake.replace(COST_MART, rows.mutate(effective_cost=rows.effective_cost * 7), _files_with(COST_MART, "2026-10"))
    november = bill((40, "20"))
    lake.replace(CHARGES, _rows(CHARGES, november), _files_with(CHARGES, "2026-11"))
    lake.replace(ALLOCATED, _rows(ALLOCATED, allocation_of(november)), _files_with(ALLOCATED, "2026-11"))
    publish(NOVEMBER, now=NOW)
    assert cost("month") == {("2026-10", "CNY"): 1, ("2026-11", "CNY"): 20}


def _files_with(table: Any, text: str) -> list[lake.StoredFile]:
    return [file for file in lake.files(table) if any(text in value for value in file.partition.values())]


def _rows(table: Any, rows: list[dict[str, Any]]) -> Any:
    import ibis
    import pyarrow as pa

    columns = {name: [row[name] for row in rows] for name in table.columns}
    return ibis.memtable(pa.table(columns, schema=table.schema.to_pyarrow()), schema=table.schema)


def test_a_day_that_lost_all_its_charges_disappears() -> None:
    fill(bill((0, "1"), (1, "2"), (40, "4")))
    publish(None, now=NOW)
    fill(bill((0, "1")))
    publish(None, now=NOW)
    assert cost("day") == {(date(2026, 10, 1), "CNY"): 1}
    assert publication().end_day == date(2026, 10, 2)
    assert [row.day for row in reconciliation()[1]] == [date(2026, 10, 1)]


def test_the_last_day_that_came_is_told_whatever_is_dated_ahead() -> None:
    fill(bill((0, "1"), (20, "1"), (75, "9")))
    publish(None, now=datetime(2026, 10, 24, tzinfo=UTC))
    facts = publication()
    assert (facts.end_day, facts.came_until) == (date(2026, 12, 16), date(2026, 10, 22))
    assert facts.published.part_of(NOVEMBER) is None


def test_nothing_at_all_is_published_as_nothing() -> None:
    publish(None, now=NOW)
    assert (publication().first_day, cost(), reconciliation()[1]) == (None, {}, [])


@pytest.mark.parametrize(
    ("now", "status"),
    [
        pytest.param(datetime(2026, 10, 20, tzinfo=UTC), "provisional", id="within the billing period"),
        pytest.param(datetime(2026, 11, 5, 23, tzinfo=UTC), "provisional", id="shortly after it ended"),
        pytest.param(datetime(2026, 11, 6, tzinfo=UTC), "final", id="five days after it ended"),
    ],
)
def test_a_bill_is_final_five_days_after_its_period(now: datetime, status: str) -> None:
    fill(bill((0, "1")))
    publish(None, now=now)
    assert answer(YEAR).publication.status == status


def test_coverage_is_what_was_observed_of_what_was_expected_in_the_window() -> None:
    fill(bill((0, "1")))
    put(
        COVERAGE_HOURS,
        [
            {
                "hour": datetime(2026, 10, day, 5, tzinfo=UTC), "cluster": "online", "observed_samples": observed,
                "expected_samples": 100, "source": "usage", "day": date(2026, 10, day), "file_id": "f",
            }
            for day, observed in ((1, 50), (2, 99))
        ],
    )  # fmt: skip
    publish(None, now=NOW)
    assert answer(YEAR).publication.coverage == Decimal("0.745")
    one_day = CostQuery(date(2026, 10, 2), date(2026, 10, 3))
    assert answer(one_day).publication.coverage == Decimal("0.99")
    assert answer(CostQuery(date(2026, 12, 1), date(2026, 12, 3))).publication.coverage is None


def test_a_number_that_is_given_again_is_another_publication() -> None:
    """As when a database comes back from yesterday's copy, and the day is filled again."""
    fill(bill((0, "1")))
    seen = {"hour": datetime(2026, 10, 1, 5, tzinfo=UTC), "cluster": "online", "observed_samples": 9}
    put(COVERAGE_HOURS, [seen | {"expected_samples": 10, "source": "usage", "day": date(2026, 10, 1), "file_id": "f"}])
    publish(None, now=NOW)
    pinned = publication()
    assert [(one.observed, one.expected) for one in covered_days(pinned)] == [(9, 10)]
    again = Publication(number=pinned.number, created_at=pinned.created_at + timedelta(hours=1), versions={})
    assert covered_days(again) == []
    assert len(covered_days(pinned)) == 1


def test_the_reconciliation_keeps_currencies_and_months_apart() -> None:
    fill(bill((0, "1"), (40, "2")) + [row | {"x_FileId": "usd"} for row in bill((0, "5"), currency="USD")])
    publish(None, now=NOW)
    _, rows = reconciliation(by_day=False)
    assert [(row.billing_month, row.currency, row.day, row.charged, row.direct, row.difference) for row in rows] == [
        ("2026-10", "CNY", None, 1, 1, 0),
        ("2026-10", "USD", None, 5, 5, 0),
        ("2026-11", "CNY", None, 2, 2, 0),
    ]
    assert [row.charged for row in reconciliation(billing_month="2026-11")[1]] == [2]
    assert reconciliation(source="other")[1] == []
