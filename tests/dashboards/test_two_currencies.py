"""In a world of two currencies no page, figure, answer, file or mail tells a sum over both, whoever asks however."""

import csv
import html
import io
import re
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.api.urls import KUBECOST, OPENCOST
from apps.reports.letters import gather, write_letter
from apps.reports.weeks import Week
from apps.teams.models import Team
from apps.teams.organising import keep_tree
from apps.teams.tree import Place, Tree, Unit
from tests.dashboards import company
from tests.dashboards.company import ALL_DAYS, OCTOBER, Cost
from tests.dashboards.test_permissions import MATRIX

YUAN, DOLLARS = Decimal("1000.37"), Decimal("20000.41")
"""A day's cost of one team in each currency: digits that no other number has, nor their sums."""
COSTS = (
    Cost("live-class", str(YUAN), namespace="classroom", cluster="online", days=ALL_DAYS),
    Cost("live-class", str(DOLLARS), namespace="classroom", cluster="online", currency="USD", days=ALL_DAYS),
)
REST = (
    "costs/", "costs/?group_by=team", "costs/?group_by=month,service", "costs/?group_by=day&format=csv",
    "reconciliation/", "reconciliation/?by_day=false&format=csv", "publications/", "changes/", "closings/",
    "adjustments/", "invoices/", "units/?driver=requests", "units/?driver=requests&grain=all",
    "units/change/?driver=requests&start=2026-10-01",
)  # fmt: skip
WEEK = Week.parse("2026-W43")


def forbidden() -> set[str]:
    """The sums over both currencies of one day up to all of them, as pages and answers would write them."""
    sums = [(YUAN + DOLLARS) * days for days in range(1, len(ALL_DAYS) + 1)]
    return {text for each in sums for text in (f"{each:.2f}", f"{each:,.2f}")}


@pytest.fixture
def asked(people, client_of):
    """Somebody who sees everything, and the lead of the team."""
    company.publish(COSTS)
    company.bring_drivers()
    return [client_of(name) for name in ("staff", "lilei")]


def told(client, address):
    response = client.get(address)
    return response.getvalue().decode("utf-8", "replace")


def sums_in(text):
    """The forbidden sums among the numbers of a text."""
    return {number for number in re.findall(r"\d[\d,]*\.\d{2}", text) if number in FORBIDDEN}


FORBIDDEN = forbidden()


def test_the_scan_would_see_a_sum():
    assert sums_in("<b>630,023.40</b> 21000.78") == {"630,023.40", "21000.78"}
    assert sums_in("1000.37 20,000.41 0.630023") == set()


def test_no_page_and_no_figure_adds_currencies(asked):
    addresses = [row[0] for row in MATRIX if row[0] not in ("/login/", "/admin/")]
    found = {
        (address, more): sums_in(told(client, f"{address}{more}"))
        for client in asked
        for address in addresses
        for more in ("", "?currency=USD", "?period=custom&start=2026-10-01&last=2026-10-30")
    }
    assert {place for place, sums in found.items() if sums} == set()
    assert f"{YUAN * len(OCTOBER):,.2f}" in told(asked[0], "/")


def test_no_answer_of_the_api_adds_currencies(asked):
    window = "window=2026-10-01,2026-10-31"
    compat = [f"/api/compat/opencost/{name}?{window}" for name in (*OPENCOST, *KUBECOST) if "Configs" not in name]
    found = {
        address: sums_in(told(client, address))
        for client in asked
        for address in (*(f"/api/v1/{name}" for name in REST), *compat)
    }
    assert {place for place, sums in found.items() if sums} == set()
    assert f"{YUAN * len(ALL_DAYS)}" in told(asked[0], "/api/v1/costs/")


def test_no_mail_and_no_command_adds_currencies(asked, capsys):
    letter = write_letter(gather("lead", Team.objects.get(name="live-class"), WEEK, now=timezone.now()), inline=True)
    assert f"{YUAN * 7:,.2f} CNY" in letter.subject
    days = ("--start", "2026-10-01", "--end", "2026-10-31")
    call_command("ask", "--group-by", "team", *days)
    call_command("units", "cost", "requests", "--grain", "all", *days)
    call_command("units", "change", "requests", "--start", "2026-10-01", "--end", "2026-10-31")
    printed = capsys.readouterr().out
    assert f"{DOLLARS * 30:,.2f}" in printed.replace(" ", "")
    assert sums_in(letter.subject + letter.text + letter.html + printed) == set()


@pytest.mark.parametrize("currency", ["CNY", "USD"])
@pytest.mark.parametrize("page", ["/", "/teams/live-class/", "/organisation/department/live/", "/bases/"])
def test_the_csv_and_the_explorer_of_a_table_keep_to_its_currency(asked, page, currency):
    """Both lead to what the page shows: thirty days of one currency."""
    keep_tree(
        Tree(units=(Unit("live", "department"),), teams={"live-class": (Place("live"),)}), timezone.now()
    )  # a department to have a page of
    staff, amount = asked[0], {"CNY": YUAN, "USD": DOLLARS}[currency] * len(OCTOBER)
    body = html.unescape(told(staff, f"{page}?period=custom&start=2026-10-01&last=2026-10-30&currency={currency}"))
    files = set(re.findall(r'href="(/api/v1/[^"]+format=csv[^"]*)"', body))
    assert files
    for file in files:
        rows = list(csv.DictReader(io.StringIO(told(staff, file).lstrip("\ufeff"))))
        assert {row["currency"] for row in rows} == {currency}
        assert sum(Decimal(row["effective_cost"]) for row in rows) == amount
    ways = set(re.findall(r'href="(/explorer/\?[^"]+)"', body))
    assert bool(ways) == (page != "/bases/")
    for way in ways:
        assert f"{amount:,.2f} {currency} in total" in html.unescape(told(staff, way))
