"""The status of days: estimated before the bill, provisional while it can change, final when it cannot."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from apps.books.models import Close
from apps.books.statuses import Statuses, of_query, statuses
from apps.finops.windows import ONE_DAY
from apps.ingest.models import Arrival, Source
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import publication
from tests.allocation.worlds import DAY, Row, charge, moved, node
from tests.books.worlds import published

pytestmark = pytest.mark.usefixtures("home", "db")
END = DAY + 6 * ONE_DAY
EARLY = datetime(2026, 10, 5, 6, tzinfo=UTC)
SETTLED = datetime(2026, 11, 6, tzinfo=UTC)
"""Five days after the billing period of October ended."""


def days_of(rows: list[Row], *numbers: int) -> list[Row]:
    """The same rows on other days, the first day being number 0."""
    return [row for number in numbers for row in moved(rows, number)]


def world(*billed: int, measured: int = 5, **given: Any) -> Publication:
    """A node measured on the first days, its bill on those told."""
    charges = days_of([charge("48", "i-n1", **given)], *billed)
    published(charges, {"node_hours": days_of(node(hours=[0]), *range(measured))}, days=7)
    return publication()


def told(now: datetime, *, sources: tuple[str, ...] = ()) -> str:
    """One letter a day: e(stimated), p(rovisional), f(inal), - neither bill nor usage."""
    filters = (("source", sources),) if sources else ()
    by_day = of_query(CostQuery(DAY, END, filters=filters), now).by_day
    return "".join(by_day.get(DAY + number * ONE_DAY, "-")[0] for number in range(6))


@pytest.mark.parametrize(
    ("billed", "now", "expected"),
    [
        pytest.param((0, 1, 2), EARLY, "pppee-", id="the bill reaches three of five measured days"),
        pytest.param((0, 1, 2), SETTLED, "fffee-", id="its period is closed for five days: what it holds is final"),
        pytest.param((0, 1, 2), SETTLED - timedelta(seconds=1), "pppee-", id="a second before that it is not"),
        pytest.param((0, 2, 4), EARLY, "p-p-p-", id="a day left out before the last one waits for nothing"),
        pytest.param((0, 1, 2, 3, 4, 5), EARLY, "pppppp", id="a bill of days that nobody measured"),
        pytest.param((), EARLY, "------", id="usage alone: no source is known to wait for"),
    ],
)
def test_a_day_has_the_status_of_its_bill(billed: tuple[int, ...], now: datetime, expected: str) -> None:
    world(*billed)
    assert told(now) == expected


def test_a_purchase_dated_ahead_does_not_pass_for_the_bill_of_that_day() -> None:
    charges = days_of([charge("48", "i-n1")], 0, 1) + days_of([charge("9", ChargeCategory="Purchase")], 3)
    published(charges, {"node_hours": days_of(node(hours=[0]), *range(5))}, days=7)
    assert told(EARLY) == "ppeee-"


def test_the_weakest_of_several_sources_counts_and_each_has_its_own() -> None:
    charges = days_of([charge("48", "i-n1")], 0, 1, 2) + days_of([charge("9", x_SourceName="other")], *range(5))
    published(charges, {"node_hours": days_of(node(hours=[0]), *range(5))}, days=7)
    assert told(EARLY) == "pppee-"
    assert told(EARLY, sources=("other",)) == "ppppp-"
    assert told(EARLY, sources=("bill",)) == "pppee-"
    assert of_query(CostQuery(DAY, END), EARLY).weakest == "estimated"
    assert of_query(CostQuery(DAY, DAY + 3 * ONE_DAY), EARLY).weakest == "provisional"


def test_a_bill_that_comes_once_a_month_leaves_no_day_waiting() -> None:
    charges = days_of([charge("48", "i-n1")], 0, 5)
    published(charges, {"node_hours": days_of(node(hours=[0]), *range(8))}, days=9)
    found = statuses(publication(), DAY, DAY + 9 * ONE_DAY, EARLY)
    assert set(found.by_source_day.values()) == {"provisional"}


def test_a_retired_source_is_not_waited_for_nor_one_silent_for_long() -> None:
    pinned = world(0, 1, 2)
    source = Source.objects.create(name="bill", kind="focus", location="/bills", created_at=EARLY, is_active=False)
    assert told(EARLY) == "ppp---"
    source.is_active = True
    source.save()
    assert told(EARLY) == "pppee-"
    published(days_of([charge("48", "i-n1")], 0), {"node_hours": days_of(node(hours=[0]), 45, 46)}, days=50)
    found = statuses(publication(), DAY, DAY + 60 * ONE_DAY, EARLY)
    assert [day for (_, day), status in found.by_source_day.items() if status == "estimated"] == [DAY + 45 * ONE_DAY]
    assert statuses(pinned, DAY, END, EARLY).weakest == "estimated"  # what it pins is still what it pins


def test_a_closed_month_is_final_whatever_the_bill_says() -> None:
    pinned = world(0, 1, 2)
    Close.objects.create(number=1, month="2026-10", publication=pinned, closed_at=EARLY, closed_by="hanmeimei")
    assert told(EARLY) == "fffff-"


def test_a_day_whose_cost_usually_comes_later_is_not_final() -> None:
    """Half of a day comes on the first day after it, the rest after eight: on the sixth day it is not complete."""
    source = Source.objects.create(
        name="bill", kind="focus", location="/bills", created_at=datetime(2026, 8, 1, tzinfo=UTC)
    )
    for number in range(6):
        day = date(2026, 9, 1) + number * ONE_DAY
        for after, cost in ((1, "50"), (8, "100")):
            seen = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1 + after)
            Arrival.objects.create(source=source, day=day, currency="CNY", seen_at=seen, effective_cost=cost)
    world(0, month="2026-09")  # charged in a billing period that ended when the day began
    assert told(datetime(2026, 10, 8, tzinfo=UTC))[0] == "p"  # six days after its end: half of it is usual
    assert told(datetime(2026, 10, 12, tzinfo=UTC))[0] == "f"  # ten days: settled


def test_terminal_and_api_tell_the_same_status() -> None:
    world(0, 1, 2)
    out = io.StringIO()
    words = ["ask", "--group-by", "day", "--start", "2026-10-01", "--end", "2026-10-03", "--format"]
    call_command(*words, "csv", stdout=out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [(row["day"], row["status"]) for row in rows] == [("2026-10-01", "final"), ("2026-10-02", "final")]
    out = io.StringIO()
    call_command("ask", "--group-by", "team", "--start", "2026-10-01", "--end", "2026-10-06", stdout=out)
    assert "estimated" in out.getvalue().splitlines()[-1]
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff"))
    asked = {"group_by": "day", "start": "2026-10-01", "end": "2026-10-06"}
    said = staff.get("/api/v1/costs/", asked)
    assert said.json()["status"] == "estimated"
    assert [row["status"] for row in said.json()["rows"]] == ["final"] * 3
    assert said.content == staff.get("/api/v1/costs/", asked).content
    assert json.loads(staff.get("/api/v1/costs/", asked | {"end": "2026-10-04"}).content)["status"] == "final"
    pinned = publication()
    Close.objects.create(number=1, month="2026-10", publication=pinned, closed_at=EARLY, closed_by="hanmeimei")
    again = staff.get("/api/v1/costs/", asked, headers={"if-none-match": said["ETag"]})
    assert (again.status_code, again.json()["status"]) == (200, "final")  # what changed is told, though no number did


def test_nothing_has_no_status() -> None:
    assert Statuses({}).weakest == ""
