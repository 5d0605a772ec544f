"""The head of overview and team pages: every number is the one that the page behind says, and unknown is said so."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest

from tests.operations.worlds import a_finding, recommend
from tests.worlds import publish_costs


def cards(client, address: str) -> dict[str, dict[str, str]]:
    """The cards of a page by title: their link, the exact amount if any, and all their words."""
    body = client.get(address).content.decode()
    head = re.search(r'<section class="cards".*?</section>', body, re.DOTALL)
    found = {}
    for card in re.findall(r"<article.*?</article>", head.group(0) if head else "", re.DOTALL):
        url, title = re.search(r'<a href="([^"]+)">([^<]+)</a>', card).groups()
        exact = re.search(r'<span title="([^"]+)">', card)
        words = " ".join(re.sub(r"<[^>]+>", " ", card).split())
        found[unescape(title)] = {
            "url": unescape(url),
            "exact": exact.group(1) if exact else "",
            "words": unescape(words),
        }
    return found


def first_amount(client, address: str) -> Decimal:
    return Decimal(re.search(r'<data value="([^"]+)"', client.get(address).content.decode()).group(1))


def test_what_is_not_known_yet_is_said_so(published, client_of):
    found = cards(client_of("finance"), "/")
    unknown = {title for title, card in found.items() if "not known yet" in card["words"]}
    assert unknown == {"Lands at", "Budgets", "Idle a month", "Verified savings a month"}
    assert found["Open actions"]["words"] == "Open actions 0 0 overdue · 0 alerts"


@pytest.mark.parametrize("page", ["/", "/teams/live-class/", "/teams/unallocated/"])
def test_the_month_is_what_the_page_behind_says(published, client_of, page):
    client = client_of("finance")
    month = cards(client, page)["Month to date"]
    assert month["url"] == f"{page}?period=month&currency=CNY"
    assert Decimal(month["exact"]) == first_amount(client, month["url"])


@pytest.mark.parametrize(
    "page",
    [
        "/?period=7",
        "/?metric=billed_cost",
        "/teams/search/?period=90",
        "/?period=custom&start=2026-07-01&last=2026-07-31",
        "/teams/search/?period=custom&start=2030-01-01&last=2030-01-31",
    ],
)
def test_the_month_is_the_same_whatever_else_is_asked(published, client_of, page):
    client = client_of("finance")
    month, bare = (cards(client, each)["Month to date"] for each in (page, page.partition("?")[0]))
    assert (month["exact"], month["words"]) == (bare["exact"], bare["words"])


@pytest.mark.parametrize(
    ("last", "words", "chinese"),
    [
        pytest.param("2026-03-28", "0.0 % against the same days of the month before", "与上月同期相比", id="28 days"),
        pytest.param(
            "2026-03-31", "+10.7 % in 31 days against all 28 of the month before", "31 天与上月全月 28 天", id="31"
        ),
    ],
)
def test_a_month_that_is_longer_than_the_one_before_says_so(people, client_of, last, words, chinese):
    days = (date.fromisoformat(last) - date(2026, 2, 1)).days + 1
    publish_costs(
        [{"day": date(2026, 2, 1) + timedelta(n), "team": "search", "effective_cost": "10"} for n in range(days)]
    )
    for page in ("/", "/teams/search/"):
        assert words in cards(client_of("finance"), page)["Month to date"]["words"]
    page = client_of("finance").get("/", headers={"accept-language": "zh-hans"}).content.decode()
    assert chinese in page


def test_actions_and_alerts_are_those_that_one_may_see(people, client_of):
    from tests.alerts.worlds import a_fact, so
    from tests.dashboards import company

    recommend(a_finding("vm", team="live-class"), a_finding("disk", team="search"), a_finding("ip", team="search"))
    so(a_fact("1", team="live-class", severity="critical"), a_fact("2", team="search"))
    company.publish()
    told = {
        (who, page): cards(client_of(who), page)["Open actions"]["words"]
        for who, page in (("finance", "/"), ("finance", "/teams/search/"), ("lilei", "/"))
    }
    assert re.findall(r"Open actions (\d+) .*? (\d+ alerts?)", " ".join(told.values())) == [
        ("3", "2 alerts"), ("2", "1 alert"), ("1", "1 alert"),
    ]  # fmt: skip
    own = client_of("lilei").get("/").content.decode()
    assert "Delete vm" in own
    assert "Delete disk" not in own


def test_the_budget_of_a_team_is_its_share_and_of_all_how_many_are_in_trouble(published, client_of):
    from apps.budgets.services import create
    from tests.budgets.worlds import FINANCE, NOW, Draft

    for team, amount in (("live-class", "10000"), ("search", "1")):
        draft = Draft(name=f"of {team}", dimension="team", value=team, amount=amount, currency="CNY",
                      valid_from=date(2026, 10, 1))  # fmt: skip
        create(draft, by=FINANCE, now=NOW)
    finance = client_of("finance")
    assert "1 of 2 exceeded or at risk" in cards(finance, "/")["Budgets"]["words"]
    own = cards(finance, "/teams/search/")["Budget: exceeded"]
    assert own["url"].startswith("/budgets/")
    assert "27,000.0 %" in own["words"]  # 30 days of 9.50 less 0.50, of 1
    assert "Budgets" in cards(client_of("lilei"), "/")


def test_idle_money_is_that_of_its_page(people, client_of):
    from tests.insights import idle_world

    idle_world.find()
    staff = client_of("staff")
    found = cards(staff, "/")["Idle a month"]
    assert found["url"] == "/idle/"
    assert f'title="{found["exact"]}"' in staff.get("/idle/").content.decode()


def test_what_has_not_begun_is_not_being_measured(people, client_of):
    from tests.savings.ledgers import publish, stated

    publish()
    stated()
    stated(name="Ahead", scope="team=data; service=ECS", team="data", start="2035-01-01")
    assert cards(client_of("finance"), "/")["Verified savings a month"]["words"].endswith(" 1 more is being measured")


def test_beside_an_older_publication_nothing_is_said_of_now(published, client_of):
    from apps.marts.selectors import publication

    assert list(cards(client_of("finance"), f"/?publication={publication().number}")) == ["Month to date", "Lands at"]


def test_a_month_that_cannot_be_converted_is_not_known(people, client_of):
    from tests.dashboards import company
    from tests.dashboards.test_pages import bring_rates

    company.publish(company.TWO_CURRENCIES)
    bring_rates("2026-10-24")
    found = cards(client_of("staff"), "/?currency=in-CNY&period=7")["Month to date"]
    assert "not known yet" in found["words"]
    assert "There is no rate" in found["words"]


SINCE_AUGUST = [date(2026, 8, 1) + timedelta(n) for n in range(81)]  # until 20 October
CUSTOM = "/?period=custom&start="


def billed(day: date, currency: str, cost: str) -> dict[str, object]:
    return {"day": day, "team": "live-class", "effective_cost": cost, "currency": currency}


@pytest.mark.parametrize("changed", [date(2026, 9, 1), date(2026, 10, 1)])
@pytest.mark.parametrize("page", ["/?period=30", f"{CUSTOM}2026-08-01&last=2026-08-31", "/teams/live-class/?period=90"])
def test_the_month_is_told_in_the_currency_it_is_billed_in(people, client_of, changed, page):
    publish_costs(billed(day, *(("CNY", "10") if day < changed else ("USD", "4"))) for day in SINCE_AUGUST)
    finance = client_of("finance")
    found = cards(finance, page)["Month to date"]
    assert "80.00 USD" in found["words"]
    assert Decimal(found["exact"]) == first_amount(finance, found["url"]) == 80
    assert "0.00 CNY" in cards(finance, f"{page}&currency=CNY")["Month to date"]["words"], "it was chosen"


def test_a_fee_ahead_in_another_currency_is_not_what_the_month_is_told_in(people, client_of):
    fee = billed(date(2026, 12, 31), "AUD", "31")
    created = datetime(2026, 10, 20, 3, tzinfo=UTC)
    publish_costs([*(billed(day, "CNY", "10") for day in SINCE_AUGUST), fee], created_at=created)
    found = cards(client_of("finance"), f"{CUSTOM}2026-11-01&last=2026-12-31")["Month to date"]
    assert "200.00 CNY" in found["words"]
