"""What pages say of days on which nothing was charged: no number stands without its currency."""

import re
from datetime import date, timedelta

import pytest

from tests.worlds import publish_costs

DAYS = [date(2026, 8, 1) + timedelta(days=number) for number in range(61)]  # until 30 September
PAGES = ["/", "/teams/live-class/", "/teams/live-class/namespaces/~/a/"]
QUIET = "period=custom&start=2026-09-11&last=2026-09-20"
NOVEMBER = "period=custom&start=2026-11-01&last=2026-11-30"


def publish(*currencies: str) -> None:
    """Ten a day of each currency, and from 1 to 20 September nothing."""
    days = [day for day in DAYS if not date(2026, 9, 1) <= day <= date(2026, 9, 20)]
    publish_costs(
        {"day": day, "team": "live-class", "namespace": "a", "effective_cost": "10", "currency": currency}
        for day in days
        for currency in currencies
    )


def headline(client, address: str, language: str = "en") -> str:
    """The number at the head of a page, and the line below it."""
    body = client.get(address, headers={"accept-language": language}).content.decode()
    found = re.search(r'<div class="headline__total">(.*?)</div>', body, re.DOTALL)
    assert found, address
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


@pytest.mark.parametrize("days", [QUIET, NOVEMBER])
@pytest.mark.parametrize("page", PAGES)
def test_where_all_is_billed_in_one_currency_it_is_nothing_of_that(people, client_of, page, days):
    publish("CNY")
    assert "0.00 CNY 0.00 CNY a day" in headline(client_of("finance"), f"{page}?{days}")


@pytest.mark.parametrize("page", PAGES)
def test_it_is_nothing_of_the_reporting_currency(people, client_of, settings, page):
    settings.COSTOPS_REPORTING_CURRENCY = "EUR"
    publish("CNY", "USD")
    assert "0.00 EUR 0.00 EUR a day" in headline(client_of("finance"), f"{page}?{QUIET}")


@pytest.mark.parametrize(
    ("days", "language", "says"),
    [
        (QUIET, "en", "No cost nothing was charged on these days"),
        (QUIET, "zh-hans", "没有成本 这些天没有产生任何费用"),
        (NOVEMBER, "en", "– no day of this period is published"),
    ],
)
@pytest.mark.parametrize("page", PAGES)
def test_where_there_are_several_it_says_that_nothing_was_charged(people, client_of, page, days, language, says):
    publish("CNY", "USD")
    said = headline(client_of("finance"), f"{page}?{days}", language)
    assert says in said
    assert "0.00" not in said


def test_the_card_of_a_month_without_cost_says_no_number_without_a_currency(people, client_of):
    """Neither 1 and 2 September nor the same days of August cost the team anything; others are billed in two."""
    august = [date(2026, 8, day) for day in range(10, 31)]
    rows = [{"day": day, "team": "live-class", "effective_cost": "10"} for day in august]
    others = [{"day": date(2026, 9, 2), "team": "search", "effective_cost": "1", "currency": c} for c in ("CNY", "USD")]
    publish_costs([*rows, {"day": date(2026, 8, 1), "team": "search", "effective_cost": "1"}, *others])
    body = client_of("finance").get("/teams/live-class/?period=30").content.decode()
    card = re.search(r"Month to date.*?</p>", body, re.DOTALL)
    assert card
    assert " ".join(re.sub(r"<[^>]+>", " ", card[0]).split()) == "Month to date No cost"
