"""Pages compare days that came: a period that reaches beyond them is no fall, and what is dated ahead no rise."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.units.services import import_drivers
from tests.worlds import publish_costs

DAYS = [date(2026, 8, 1) + timedelta(days=number) for number in range(81)]  # until 20 October
FLAT = [{"day": day, "team": "live-class", "namespace": "a", "effective_cost": "10"} for day in DAYS]
FEE = {"day": date(2026, 12, 31), "team": "live-class", "namespace": "a", "effective_cost": "31"}
PUBLISHED_AT = datetime(2026, 10, 23, 3, tzinfo=UTC)  # two days without a bill
OCTOBER = "period=custom&start=2026-10-01&last=2026-10-31"
AUTUMN = "period=custom&start=2026-10-01&last=2026-12-31"
NOVEMBER = "period=custom&start=2026-11-01&last=2026-11-30"
PAGES = ["/", "/teams/live-class/", "/teams/live-class/namespaces/~/a/"]


def told(client, address: str) -> str:
    """What a page says below its menu, in one line."""
    main = re.search(r"<main.*</main>", client.get(address).content.decode(), re.DOTALL)
    assert main, address
    return " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())


@pytest.mark.parametrize("page", PAGES)
def test_a_period_that_is_not_over_is_compared_as_far_as_it_came(people, client_of, page):
    publish_costs(FLAT)
    said = told(client_of("finance"), f"{page}?{OCTOBER}")
    assert "200.00 CNY 10.00 CNY a day" in said
    assert "Change 0.00 0.0 % against 200.00, 11 Sep 2026 – 30 Sep 2026" in said
    assert "compared and averaged are the days that came, 1 Oct 2026 – 20 Oct 2026" in said


@pytest.mark.parametrize("page", PAGES)
def test_what_is_dated_ahead_counts_in_the_total_alone(people, client_of, page):
    publish_costs([*FLAT, FEE], created_at=PUBLISHED_AT)
    said = told(client_of("finance"), f"{page}?{AUTUMN}")
    assert "231.00 CNY 10.00 CNY a day" in said
    assert "Change 0.00 0.0 % against 200.00, 11 Sep 2026 – 30 Sep 2026" in said
    assert "+31.00" not in said


@pytest.mark.parametrize("page", PAGES[:2])
def test_a_period_of_which_nothing_came_is_compared_with_nothing(people, client_of, page):
    publish_costs(FLAT)
    said = told(client_of("finance"), f"{page}?{NOVEMBER}")
    assert "Change – no day of this period is published" in said


@pytest.mark.parametrize("page", PAGES)
def test_a_period_that_came_says_nothing_of_it(people, client_of, page):
    publish_costs(FLAT)
    assert "the days that came" not in told(client_of("finance"), f"{page}?period=month")


def test_the_explorer_compares_the_days_that_came(people, client_of):
    publish_costs(FLAT)
    said = told(client_of("finance"), f"/explorer/?{OCTOBER}&compare=before&chart=table")
    assert "0.00 against 200.00 CNY of 11 Sep 2026 – 30 Sep 2026." in said
    assert "Compared are the days that came, 1 Oct 2026 – 20 Oct 2026." in said


def test_the_explorer_compares_as_many_days_of_a_year_before(people, client_of):
    days = [date(2025, 10, 1) + timedelta(days=number) for number in range(385)]  # until 20 October 2026
    publish_costs([{"day": day, "team": "live-class", "effective_cost": "10"} for day in days])
    said = told(client_of("finance"), f"/explorer/?{OCTOBER}&compare=year&chart=table")
    assert "0.00 against 200.00 CNY of 1 Oct 2025 – 20 Oct 2025." in said


def test_the_explorer_and_its_files_leave_what_is_dated_ahead_out_of_the_change(people, client_of):
    publish_costs([*FLAT, FEE], created_at=PUBLISHED_AT)
    finance, asked = client_of("finance"), f"{AUTUMN}&compare=before&chart=table&grain=none"
    said = told(finance, f"/explorer/?{asked}")
    assert "231.00 CNY in total" in said
    assert "0.00 against 200.00 CNY of 11 Sep 2026 – 30 Sep 2026." in said
    head, *rows = finance.get(f"/explorer/files/csv/?{asked}").content.decode().splitlines()
    assert head == "team,currency,effective_cost,before,change,ahead"
    assert rows == ["live-class,CNY,231.000000000000,200.000000000000,0.000000000000,31.000000000000"]
    table = pq.read_table(io.BytesIO(finance.get(f"/explorer/files/parquet/?{asked}").content))
    assert table.schema.field("ahead").type == pa.decimal128(38, 12)
    came = finance.get(f"/explorer/files/csv/?{OCTOBER}&compare=before&chart=table&grain=none").content.decode()
    assert came.splitlines()[0] == "team,currency,effective_cost,before,change"


def test_answers_and_their_files_tell_what_no_change_counts(people, client_of):
    publish_costs([*FLAT, FEE], created_at=PUBLISHED_AT)
    finance = client_of("finance")
    asked = {"start": "2026-10-01", "end": "2027-01-01", "compare": "2026-09-01/2026-10-01"}
    said = finance.get("/api/v1/costs/", asked | {"group_by": "team"}).json()
    assert said["comparison"]["ahead"] == {"CNY": "31.000000000000"}
    (row,) = said["rows"]
    amounts = [Decimal(row[name]) for name in ("effective_cost", "ahead", "before", "delta")]
    assert amounts == [231, 31, 200, 0]
    lines = finance.get("/api/v1/costs/", asked | {"group_by": "month", "format": "csv"}).content.decode().splitlines()
    assert lines == [
        "month,currency,effective_cost,before,delta,ratio,ahead",
        "2026-10,CNY,200.000000000000,200.000000000000,0.000000000000,0.000000000000,0.000000000000",
        "2026-12,CNY,31.000000000000,,,,31.000000000000",
    ]
    said = finance.get("/api/v1/costs/", asked | {"group_by": "team", "end": "2026-11-01"}).json()
    assert (said["comparison"]["ahead"], "ahead" in said["rows"][0]) == ({}, False), "nothing is dated ahead there"


def test_the_explorer_says_that_nothing_came(people, client_of):
    publish_costs(FLAT)
    said = told(client_of("finance"), f"/explorer/?{NOVEMBER}&compare=before")
    assert "Not compared: no day of this period is published." in said


def test_why_is_told_of_the_days_that_came(people, client_of):
    publish_costs(FLAT)
    said = told(client_of("finance"), f"/why/?{OCTOBER}")
    assert "All teams , 1 Oct 2026 – 20 Oct 2026 against 11 Sep 2026 – 30 Sep 2026" in said
    assert "All teams cost 200.00 CNY, to the cent as before." in said


@pytest.mark.parametrize(
    ("question", "because"),
    [
        pytest.param(NOVEMBER, "no day of this period is published", id="nothing of it came"),
        pytest.param(
            "period=custom&start=2026-08-05&last=2026-09-30",
            "costs are published from 1 Aug 2026 to 20 Oct 2026, which is not all of 9 Jun 2026 – 4 Aug 2026",
            id="before the first day",
        ),
        pytest.param(
            "period=custom&start=2026-09-01&last=2026-09-10&before_start=2026-10-15&before_last=2026-10-24",
            "costs are published from 1 Aug 2026 to 20 Oct 2026, which is not all of 15 Oct 2026 – 24 Oct 2026",
            id="what it is compared with has not come",
        ),
    ],
)
def test_why_says_what_is_not_published(people, client_of, question, because):
    publish_costs(FLAT)
    said = told(client_of("finance"), f"/why/?{question}")
    assert "There is nothing to compare with" in said
    assert because in said


BESIDE_NOTHING = "period=custom&start=2026-07-20&last=2026-08-10&before_start=2026-09-01&before_last=2026-09-07"


@pytest.mark.parametrize("page", ["/why/", "/why/panel/"])
def test_a_period_compared_with_that_stands_beside_no_published_day_is_said_to(people, client_of, page):
    publish_costs(FLAT)
    said = " ".join(client_of("finance").get(f"{page}?{BESIDE_NOTHING}").content.decode().split())
    assert "no day of 1 Sep 2026 – 7 Sep 2026 stands beside one of this period that is published" in said
    assert "which is not all of" not in said


@pytest.mark.parametrize(
    ("question", "says"),
    [
        pytest.param(OCTOBER, "1 Oct 2026 – 20 Oct 2026 against 11 Sep 2026 – 30 Sep 2026", id="the days that came"),
        pytest.param(NOVEMBER, "no day of this period is published", id="nothing came"),
        pytest.param(f"{OCTOBER}&team=search", "No cost in this period.", id="no cost"),
    ],
)
def test_the_panel_of_why_says_which_days_it_compares_or_why_none(people, client_of, question, says):
    publish_costs(FLAT)
    said = " ".join(client_of("finance").get(f"/why/panel/?{question}").content.decode().split())
    assert says in said
    assert "is not wholly published" not in said


def bring_requests(until: date) -> None:
    """Five requests of a team on each day."""
    days = [DAYS[0] + timedelta(days=number) for number in range((until - DAYS[0]).days + 1)]
    lines = [f"{day},requests,live-class,5" for day in days]
    content = "\n".join(["date,driver,team,quantity", *lines]).encode()
    import_drivers(content, name="requests.csv", by="han", now=datetime(2026, 11, 1, tzinfo=UTC))


@pytest.mark.parametrize("until", [DAYS[-1], date(2026, 10, 31)], ids=["as far as costs", "before their bill came"])
def test_units_are_compared_and_counted_on_the_days_that_came(people, client_of, until):
    publish_costs(FLAT)
    bring_requests(until)
    said = told(client_of("finance"), f"/units/?{OCTOBER}")
    assert "200.00 CNY for 100 units" in said
    assert re.search(r"Change of the cost per unit 0.0 % against 2[.0]*, 11 Sep 2026 – 30 Sep 2026", said), said
    assert "Why cost changed by 0.00 CNY" in said


def test_the_page_of_units_says_that_nothing_came(people, client_of):
    publish_costs([*FLAT, FEE], created_at=PUBLISHED_AT)
    bring_requests(DAYS[-1])
    said = told(client_of("finance"), "/units/?period=custom&start=2026-12-01&last=2026-12-31")
    assert "no units in this period No day of this period is published" in said
