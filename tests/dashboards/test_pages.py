"""Every page: shows what the marts answer, whatever the data are."""

import csv
import html
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from apps.rates.services import import_rates
from tests.dashboards import company

OCTOBER = "period=month"
PAGES = [
    "/",
    "/teams/live-class/",
    "/teams/unallocated/",
    "/teams/live-class/namespaces/online/classroom/",
    "/teams/live-class/namespaces/online/~/",
    "/teams/unallocated/namespaces/~/~/",
    "/sources/",
    "/reconciliation/",
    "/publications/",
]


def amounts(body: str) -> list[Decimal]:
    """The exact amounts of a page, in order; the first is the total."""
    return [Decimal(text) for text in re.findall(r'<data[^>]*\bvalue="([^"]+)"', body)]


def asked_total(**filters: str) -> Decimal:
    from apps.marts.query import CostQuery
    from apps.marts.selectors import answer

    query = CostQuery(date(2026, 10, 1), date(2026, 10, 31)).narrowed(**filters)
    return answer(query).totals["CNY"]


@pytest.mark.parametrize(
    ("address", "filters", "by_hand"),
    [
        pytest.param("/", {}, "1070.500000000020", id="everything"),
        pytest.param("/teams/live-class/", {"team": "live-class"}, "733.000000000020", id="a team"),
        pytest.param(
            "/teams/live-class/namespaces/online/classroom/",
            {"team": "live-class", "cluster": "online", "namespace": "classroom"},
            "600.000000000030",
            id="a namespace",
        ),
        pytest.param(
            "/teams/live-class/namespaces/online/~/",
            {"team": "live-class", "cluster": "online", "namespace": ""},
            "99.999999999990",
            id="idle capacity, outside namespaces",
        ),
        pytest.param("/teams/unallocated/", {"team": "unallocated"}, "67.500000000000", id="what nobody owns"),
    ],
)
def test_a_page_shows_the_exact_total(published, client_of, address, filters, by_hand):
    body = client_of("staff").get(f"{address}?{OCTOBER}").content.decode()
    assert amounts(body)[0] == asked_total(**filters) == Decimal(by_hand)


def test_what_a_team_received_stands_apart_from_its_own(published, client_of):
    body = client_of("staff").get(f"/teams/live-class/?{OCTOBER}").content.decode()
    assert "700.00 CNY of its own, 33.00 CNY received by policies" in body  # 30 days of 1.10 shared
    assert "of its own" not in client_of("staff").get(f"/teams/unallocated/?{OCTOBER}").content.decode()


def test_the_lines_of_a_table_add_up_to_its_total(published, client_of):
    body = client_of("staff").get(f"/?{OCTOBER}").content.decode()
    tables = [found for part in body.split("<table")[1:] if (found := amounts(part))]
    assert [sum(lines) == total == amounts(body)[0] for *lines, total in tables] == [True, True]  # teams, departments


def test_a_change_is_against_the_period_before(published, client_of):
    body = client_of("staff").get("/teams/live-class/?period=month").content.decode()
    # 30 days of October, 7.66 a day more than the same days of September
    assert 'title="229.800000000000"' in body
    assert "1 Sep 2026 – 30 Sep 2026" in body


@pytest.mark.parametrize("address", ["/", "/teams/live-class/", "/teams/live-class/namespaces/online/classroom/"])
def test_a_period_that_is_not_all_published_is_no_rise(published, client_of, address):
    body = client_of("staff").get(f"{address}?period=90").content.decode()
    assert "costs are published from 1 Sep 2026 on, which is not all of" in body
    assert "change__amount" not in body
    assert "What changed most" not in body


def test_a_mean_is_over_the_days_that_are_published(published, client_of):
    body = client_of("staff").get("/teams/unallocated/?period=90").content.decode()
    assert amounts(body)[0] == Decimal("135")  # 2.25 a day, 60 days
    assert "2.25 CNY a day" in body


def test_the_csv_of_a_table_holds_the_same_amounts(published, client_of):
    staff = client_of("staff")
    body = staff.get(f"/teams/live-class/?{OCTOBER}").content.decode()
    links = [html.unescape(link) for link in re.findall(r'href="(/api/[^"]+)"', body)]
    assert len(links) == 3
    for link in links:
        response = staff.get(link)
        assert response.status_code == 200, response.content
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert sum(Decimal(row["effective_cost"]) for row in rows) == amounts(body)[0]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_a_title_one_heading_and_a_way_past_the_header(published, client_of, address):
    body = client_of("staff").get(address).content.decode()
    assert re.search(r"<title>\s*\S", body)
    assert len(re.findall("<h1", body)) == 1
    assert 'href="#content"' in body
    assert re.findall(r'id="([^"]+)"', body) == list(dict.fromkeys(re.findall(r'id="([^"]+)"', body)))
    assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", body)


@pytest.mark.parametrize("address", ["/no-such-page/", "/", "/sources/"])
def test_the_company_stands_above_the_page(published, client_of, settings, address):
    assert "brand__company" not in client_of("staff").get(address).content.decode()
    settings.COSTOPS_COMPANY = "Lantern <Learning>"
    assert "Lantern &lt;Learning&gt;" in client_of("staff").get(address).content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_every_page_speaks_chinese(published, client_of, address):
    client = client_of("staff")
    client.post("/i18n/setlang/", {"language": "zh-hans"})
    body = client.get(address).content.decode()
    assert '<html lang="zh-hans"' in body
    assert "账务" in body
    assert "Sign out" not in body


@pytest.mark.parametrize("address", ["/", "/teams/live-class/", "/reconciliation/"])
def test_before_the_first_publication_a_page_says_what_to_do(people, client_of, address):
    response = client_of("staff").get(address, follow=True)
    assert response.redirect_chain == [("/first-steps/", 302)]
    for command in ("manage.py source add", "manage.py import_teams", "manage.py fill"):
        assert command in response.content.decode()


def test_before_the_first_publication_a_lead_need_not_do_anything(people, client_of):
    body = client_of("lilei").get("/").content.decode()
    assert "You need not do anything" in body
    assert "manage.py" not in body
    assert client_of("lilei").get("/figures/overview/team/").status_code == 404


def test_before_the_first_source_the_other_pages_say_so(people, client_of):
    assert "manage.py source add" in client_of("staff").get("/sources/").content.decode()
    assert client_of("staff").get("/publications/").status_code == 200


def test_a_period_without_cost_is_not_a_zero_line(published, client_of):
    client = client_of("staff")
    for address in ("/", "/teams/live-class/", "/teams/live-class/namespaces/online/classroom/"):
        body = client.get(f"{address}?period=custom&start=2020-01-01&last=2020-01-31").content.decode()
        assert "No cost in this period." in body


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("/?period=custom", id="no days"),
        pytest.param("/?metric=password", id="no such basis"),
        pytest.param("/?publication=x", id="no number"),
        pytest.param("/figures/overview/team/?period=nothing", id="a figure"),
        pytest.param("/reconciliation/?publication=x", id="the reconciliation"),
        pytest.param("/?period=%01&metric=%ff", id="bytes"),
    ],
)
def test_what_cannot_be_answered_says_so(published, client_of, address):
    response = client_of("staff").get(address)
    assert response.status_code == 400
    assert "cannot be answered" in response.content.decode() or response.json()["message"]


@pytest.mark.parametrize(
    ("address", "form"),
    [
        pytest.param("/efficiency/?cluster=%00", None, id="a filter"),
        pytest.param("/figures/why/?team=%00", None, id="a figure"),
        pytest.param("/audit/?actor=%00", None, id="a list of the database"),
        pytest.param("/teams/%00/", None, id="a place"),
        pytest.param("/explorer/?%00=1", None, id="a name"),
        pytest.param("/api/tokens/", {"name": "a\0b", "days": "30", "may": "read"}, id="a form"),
    ],
)
def test_a_nul_is_a_bad_request(published, client_of, address, form):
    staff = client_of("staff")
    response = staff.get(address) if form is None else staff.post(address, form)
    assert response.status_code == 400


@pytest.mark.parametrize("address", ["/", "/login/", "/teams/live-class/", "/figures/why/", "/admin/"])
@pytest.mark.parametrize("cookie", [r'sessionid="abcdefgh\000x"', r'csrftoken="a\000b"; sessionid="\000"'])
def test_a_cookie_with_a_nul_is_nobody(published, address, cookie):
    from django.test import Client

    response = Client(headers={"cookie": cookie}).get(address)
    assert response.status_code == (200 if address == "/login/" else 302)
    assert "/login/" in response.headers.get("Location", "/login/")


def test_a_publication_that_does_not_exist(published, client_of):
    assert "There is no publication 999" in client_of("staff").get("/?publication=999").content.decode()


def test_a_publication_that_was_let_go(published, client_of):
    kept = company.Publication.objects.get()
    gone = company.Publication.objects.get()
    gone.let_go_at = gone.created_at
    gone.save()
    kept.number += 1
    kept.save(force_insert=True)
    page = client_of("staff").get(f"/?publication={gone.number}").content.decode()
    assert "This publication is not kept any more" in page
    assert f'href="?publication={kept.number}"' in page
    for asked in (
        "/?publication={}&period=month&metric=list_cost",
        "/explain/?as_of={}&start=2026-10-01&end=2026-10-02",
    ):
        page = client_of("staff").get(asked.format(gone.number)).content.decode()
        assert "This publication is not kept any more" in page
        (shown, newest) = (html.unescape(link) for link in re.findall(r'href="(\?[^"]*)"', page))
        assert sorted(parse_qsl(shown[1:])) == sorted(parse_qsl(asked.format(kept.number).partition("?")[2]))
        assert len(parse_qsl(newest[1:])) == 2, "the same question of the newest"
    assert f"publication={gone.number}" not in client_of("staff").get("/publications/").content.decode()
    told = client_of("staff").get(f"/api/v1/costs/?start=2026-10-01&end=2026-10-02&as_of={gone.number}")
    assert told.status_code == 404
    assert f"The next one that can be read is {kept.number}." in told.json()["detail"]


def test_an_older_publication_stays_readable(published, client_of):
    first = company.Publication.objects.get()
    staff = client_of("staff")
    before = staff.get("/").content.decode()
    company.publish([*company.COMPANY, company.Cost("search", "100", days=company.ALL_DAYS)])
    assert amounts(staff.get("/").content.decode())[0] == amounts(before)[0] + 3000
    older = staff.get(f"/?publication={first.number}").content.decode()
    assert amounts(older) == amounts(before)
    assert f"publication={first.number}" in older
    assert "to the newest" in older


def test_two_currencies_are_never_added(people, client_of):
    company.publish(company.TWO_CURRENCIES)
    staff = client_of("staff")
    assert amounts(staff.get("/").content.decode())[0] == Decimal(150)
    dollars = staff.get("/?currency=USD").content.decode()
    assert amounts(dollars)[0] == Decimal(90)
    assert 'value="CNY"' in dollars
    figure = staff.get("/figures/overview/team/?currency=USD").json()
    assert sum(figure["data"][0]["y"]) == 90
    assert "USD" in figure["data"][0]["hovertemplate"]


def bring_rates(first="2026-10-01"):
    start = date.fromisoformat(first)
    days = [start + timedelta(days=n) for n in range((company.END_DAY - start).days)]
    content = "date,from,to,rate\n" + "".join(f"{day},USD,CNY,7\n" for day in days)
    import_rates(content.encode(), name="october.csv", by="han", now=company.MOMENT)


def test_all_cost_in_one_currency(people, client_of):
    company.publish(company.TWO_CURRENCIES)
    bring_rates()
    staff = client_of("staff")
    assert 'value="in-CNY"' in staff.get("/").content.decode()
    body = staff.get("/?currency=in-CNY").content.decode()
    assert amounts(body)[0] == Decimal(30 * (5 + 3 * 7))
    assert "Converted to CNY with 30 rates, each of its day" in body
    assert "october.csv line 2" in body
    assert 'value="USD"' in body, "each currency by itself stays a choice"
    figure = staff.get("/figures/overview/team/?currency=in-CNY").json()
    assert sum(figure["data"][0]["y"]) == 780
    assert "currency=CNY" in body, "the CSV is converted too"
    for address in ("/teams/live-class/", "/teams/live-class/namespaces/online/classroom/"):
        assert amounts(staff.get(f"{address}?currency=in-CNY").content.decode())[0] == 780


def test_pages_begin_with_the_reporting_currency(people, client_of, settings):
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"
    company.publish(company.TWO_CURRENCIES)
    bring_rates()
    staff = client_of("staff")
    for address in ("/", "/teams/live-class/", "/teams/live-class/namespaces/online/classroom/"):
        assert amounts(staff.get(address).content.decode())[0] == 780
    assert amounts(staff.get("/?currency=USD").content.decode())[0] == 90
    assert "by itself here" not in staff.get("/").content.decode()


def test_for_want_of_a_rate_the_page_stands_by_currency_and_says_why(people, client_of, settings):
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"
    company.publish(company.TWO_CURRENCIES)
    bring_rates("2026-10-02")
    body = client_of("staff").get("/").content.decode()
    assert amounts(body)[0] == 150
    assert "There is no rate from USD to CNY on 2026-10-01." in body
    assert "So every currency stands by itself here." in body


def test_one_currency_is_not_offered_twice(people, client_of, settings):
    settings.COSTOPS_REPORTING_CURRENCY = "CNY"
    company.publish()
    assert 'name="currency"' not in client_of("staff").get("/").content.decode()


def test_a_day_without_a_rate_is_told_not_guessed(people, client_of):
    company.publish(company.TWO_CURRENCIES)
    bring_rates("2026-10-02")
    refused = client_of("staff").get("/?currency=in-CNY")
    assert refused.status_code == 400
    assert "There is no rate from USD to CNY on 2026-10-01." in refused.content.decode()


def test_a_period_before_without_rates_is_not_compared(people, client_of):
    company.publish(company.TWO_CURRENCIES)
    bring_rates("2026-10-24")
    body = client_of("staff").get("/?currency=in-CNY&period=7").content.decode()
    assert amounts(body)[0] == 7 * 26
    assert "costs or rates are not there for all of 17 Oct 2026 – 23 Oct 2026" in body


HOSTILE_MARKS = ("<script>alert", "\u202e")


def hostile_addresses() -> list[str]:
    from django.urls import reverse

    name = company.HOSTILE
    return [
        "/",
        reverse("team", args=[name]),
        reverse("namespace", args=[name, name, name]),
        reverse("figure-overview", args=["team"]),
        reverse("figure-team", args=[name, "namespace"]),
        reverse("figure-namespace", args=[name, name, name, "workload"]),
        reverse("team", args=[".."]),
        reverse("namespace", args=["..", "~", ".."]),
    ]


def test_hostile_names_are_shown_as_text(people, client_of):
    company.publish(company.HOSTILE_COMPANY)
    staff = client_of("staff")
    for address in hostile_addresses():
        response = staff.get(address)
        assert response.status_code == 200, address
        shown = response.content.decode()
        if address.startswith("/figures/"):
            shown = "".join(trace["name"] + trace["hovertemplate"] for trace in response.json()["data"])
            assert "%{y}\ufffd" not in shown
        assert not any(mark in shown for mark in HOSTILE_MARKS), address
        assert "{{49}}" not in shown


def test_a_page_leads_to_every_page_below_it(people, client_of):
    from django.urls import reverse

    company.publish(company.HOSTILE_COMPANY)
    staff = client_of("staff")
    body = staff.get("/").content.decode()
    for _ in range(2):
        links = {html.unescape(link) for link in re.findall(r'href="(/teams/[^"]+)"', body)}
        assert len(links) >= 1
        for link in links:
            response = staff.get(link)
            assert response.status_code == 200, link
        body = staff.get(reverse("team", args=[company.HOSTILE])).content.decode()


def test_a_difference_is_big_and_exact(people, client_of):
    company.publish(missing="0.000000000001")
    for address in ("/reconciliation/", "/reconciliation/bill/2026-10/CNY/"):
        body = client_of("staff").get(address).content.decode()
        assert "It does not add up." in body
        assert "verdict--wrong" in body
        assert 'value="0.000000000001"' in body


def test_no_difference_is_an_honest_zero(published, client_of):
    for address in ("/reconciliation/", "/reconciliation/bill/2026-09/CNY/"):
        body = client_of("staff").get(address).content.decode()
        assert "It adds up." in body
        assert "0.000000000000" in body


def test_the_reconciliation_shows_what_was_charged_and_allocated(published, client_of):
    body = client_of("staff").get("/reconciliation/").content.decode()
    september, october = Decimal("855.700000000020"), Decimal("1070.500000000020")
    assert amounts(body) == [Decimal(0), september, september, Decimal(0), october, october, Decimal(0)]
