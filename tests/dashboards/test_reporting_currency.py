"""Pages that begin in the reporting currency: where a rate is missing they say so, and pass no part for the whole."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.rates.services import import_rates
from tests.worlds import publish_costs

LAST = date(2026, 10, 1)
DAYS = [LAST - timedelta(days=number) for number in range(60)]
NO_RATE = "There is no rate from USD to CNY on 2026-10-01. So every currency stands by itself here."


@pytest.fixture
def two_currencies(people, settings):
    """10 CNY and 10 USD a day; the rate of the newest day is told by the caller."""
    costs = [
        {"day": day, "team": "live-class", "effective_cost": "10", "currency": currency}
        for day in DAYS for currency in ("CNY", "USD")
    ]  # fmt: skip
    publish_costs(costs)
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"

    def bring(days):
        rates = "".join(f"{day},USD,CNY,7\n" for day in sorted(days))
        now = datetime(2026, 10, 2, tzinfo=UTC)
        import_rates(f"date,from,to,rate\n{rates}".encode(), name="rates.csv", by="han", now=now)

    return bring


def told(client, address: str) -> str:
    """What a page says below its menu, in one line."""
    main = re.search(r"<main.*</main>", client.get(address).content.decode(), re.DOTALL)
    assert main
    return " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())


def file_link(client, address: str) -> str:
    found = re.search(r'href="(/explorer/files/csv/[^"]*)"', client.get(address).content.decode())
    assert found
    return found[1].replace("&amp;", "&")


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))[1:]


@pytest.mark.parametrize("address", ["/explorer/?period=30", "/bases/?period=30"])
def test_a_page_begins_in_the_reporting_currency(two_currencies, client_of, address):
    two_currencies(DAYS)
    said = told(client_of("finance"), address)
    assert "2,400.00" in said
    assert "There is no rate" not in said


def test_where_a_rate_is_from_is_told_in_the_readers_language(two_currencies, client_of):
    two_currencies(DAYS)
    finance = client_of("finance")
    for language, said in (("zh-hans", "rates.csv 第 60 行，版本"), ("en", "rates.csv line 60, version")):
        finance.cookies["django_language"] = language
        assert said in told(finance, "/bases/?period=30")


@pytest.mark.parametrize("address", ["/explorer/?period=30", "/bases/?period=30"])
def test_without_a_rate_it_says_which_and_that_currencies_stand_by_themselves(two_currencies, client_of, address):
    two_currencies(DAYS[1:])
    assert NO_RATE in told(client_of("finance"), address)


def test_the_explorer_names_what_its_total_leaves_out(two_currencies, client_of):
    two_currencies(DAYS[1:])
    finance = client_of("finance")
    assert "300.00 CNY in total, 2 Sep 2026 – 1 Oct 2026." in told(finance, "/explorer/?period=30")
    assert "Not in it: 300.00 USD." in told(finance, "/explorer/?period=30")
    assert "Not in it" not in told(finance, "/explorer/?period=30&currency=CNY"), "it was asked for"


def test_a_file_holds_all_in_one_currency_or_names_the_one_it_is_about(two_currencies, client_of):
    two_currencies(DAYS)
    finance, asked = client_of("finance"), "period=30&grain=none&chart=table"
    whole = rows_of(finance.get(f"/explorer/files/csv/?{asked}").content)
    assert sum(Decimal(row[-1]) for row in whole) == 2400


def test_a_file_that_cannot_be_converted_is_refused_unless_its_currency_is_named(two_currencies, client_of):
    two_currencies(DAYS[1:])
    finance, asked = client_of("finance"), "period=30&grain=none&chart=table"

    refused = finance.get(f"/explorer/files/csv/?{asked}")
    link = file_link(finance, f"/explorer/?{asked}")
    named = finance.get(link)

    assert (refused.status_code, refused.json()["message"]) == (400, NO_RATE.partition(" So ")[0])
    assert "currency=CNY" in link
    assert rows_of(named.content) == [["live-class", "CNY", "300.000000000000"]]


def test_the_figure_is_of_the_currency_that_its_page_names(two_currencies, client_of):
    two_currencies(DAYS[1:])
    finance = client_of("finance")
    page = finance.get("/explorer/?period=30").content.decode()
    link = re.search(r'data-figure-url="([^"]+)"', page)
    assert link
    assert "currency=CNY" in link[1]


def test_a_file_of_one_currency_is_whole_without_a_rate(people, client_of, settings):
    settings.COSTOPS_REPORTING_CURRENCY = "USD"
    publish_costs([{"day": day, "team": "live-class", "effective_cost": "10"} for day in DAYS])
    answered = client_of("finance").get("/explorer/files/csv/?period=30&grain=none&chart=table")
    assert answered.status_code == 200
    assert rows_of(answered.content) == [["live-class", "CNY", "300.000000000000"]]
