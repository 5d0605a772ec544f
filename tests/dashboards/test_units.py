"""The page of cost per unit: what can be added up on paper, and figures that say the same."""

import html
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from apps.dashboards import naming
from apps.dashboards.templatetags.costs import precise, quantity
from apps.units.services import import_drivers
from tests.dashboards import company
from tests.worlds import publish_costs

OCTOBER = "period=custom&start=2026-10-01&last=2026-10-30"


@pytest.fixture
def told(published):
    company.bring_drivers()


def titles(body):
    """The exact numbers behind what is shown."""
    return {Decimal(text) for text in re.findall(r'title="(-?\d+\.\d+)"', body)}


def test_cost_per_unit_and_why_it_changed(told, client_of):
    """In October search costs 9 a day for 450 requests: 0.02 each; in September it was 9.5 for 300, 30 days each."""
    body = client_of("staff").get(f"/units/?driver=requests:team&resource=gpu-seconds&{OCTOBER}").content.decode()
    numbers = titles(body)
    assert Decimal("0.02") in numbers
    assert Decimal("-29.25") in numbers, "price: 270 - 285 x 210 / 200"
    assert Decimal("-128.25") in numbers, "efficiency: 285 x 1.05 - 285 x 1.5"
    assert Decimal("142.5") in numbers, "volume: 285 x 0.5"
    assert "drivers version" in body
    assert "67.50 CNY are of days" in body


def test_the_page_says_first_how_much_dearer_a_unit_got(told, client_of):
    """Both teams: 788.20 for 30 x 400 units in September and 1003 for 30 x 600 in October."""
    body = client_of("staff").get(f"/units/?driver=requests:team&{OCTOBER}").content.decode()
    change = re.search(
        r'class="change change--(\w+)">\s*([^<]*?)\s*</p>\s*<p class="muted">\s*(.*?)\s*</p>', body, re.S
    )
    assert change is not None
    before, now = Decimal("788.20") / 12000, Decimal("1003") / 18000
    assert change.groups() == ("down", "−15.2 %", "against 0.06568, 1 Sep 2026 – 30 Sep 2026"), (now - before) / before
    assert "more or fewer units in all" in body
    assert "Requests, by team" in body


def test_before_the_first_units_there_is_nothing_to_compare_a_unit_with(published, client_of):
    rows = "\n".join(f"2026-10-{day:02},requests,search,5" for day in range(1, 31))
    import_drivers(f"date,driver,team,quantity\n{rows}".encode(), name="d.csv", by="han", now=company.MOMENT)
    body = client_of("staff").get(f"/units/?{OCTOBER}").content.decode()
    assert "nobody told units of 1 Sep 2026 – 30 Sep 2026" in body


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("searches", "Searches"), ("students-in-class", "Students in class"), ("gpu-seconds", "GPU seconds"),
        ("api_calls", "API calls"), ("r2-d2", "R2 d2"), ("0", "0"), ("a-", "A"),
    ],
)  # fmt: skip
def test_a_driver_is_said_as_people_do(key, said):
    assert naming.driver(key) == said


def test_a_well_known_driver_is_said_in_the_readers_language():
    with translation.override("zh-hans"):
        assert (naming.driver("searches"), naming.driver("cpu-hours")) == ("搜索次数", "CPU hours")


def test_the_bridge_leads_from_the_cost_before_to_the_cost_after(told, client_of):
    staff = client_of("staff")
    bars = staff.get(f"/figures/units/bridge/?{OCTOBER}&driver=requests:team").json()["data"][0]
    assert bars["x"] == ["Before", "Volume", "Mix", "Efficiency", "Price", "After"]
    assert bars["y"][0] + sum(bars["y"][1:5]) == pytest.approx(bars["y"][5])
    assert bars["base"][1] == bars["y"][0]
    assert (bars["text"][0], bars["hovertext"][0]) == ("788", "788.20")
    lines = staff.get(f"/figures/units/cost/?{OCTOBER}&driver=requests:team").json()["data"]
    assert [line["name"] for line in lines] == ["All together", "直播课堂", "Homework search"]
    assert set(lines[2]["y"]) == {0.02}


def test_this_month_is_bridged_from_the_days_that_the_page_names(people, client_of):
    """Ten days of October at 2, beside ten of September at 1; those just before, at 5, are none of it."""
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(40)]
    cost = {day: "2" if day.month == 10 else "1" if day.day <= 10 else "5" for day in days}
    publish_costs([{"day": day, "team": "search", "effective_cost": cost[day]} for day in days])
    rows = "".join(f"{day},requests,search,1\n" for day in days)
    import_drivers(f"date,driver,team,quantity\n{rows}".encode(), name="d.csv", by="han", now=company.MOMENT)
    staff = client_of("staff")
    body = staff.get("/units/?period=month").content.decode()
    assert "against 1.000, 1 Sep 2026 – 10 Sep 2026" in " ".join(body.split())
    (bridge,) = re.findall(r'data-figure-url="(/figures/units/bridge/[^"]*)"', body)
    bars = staff.get(html.unescape(bridge)).json()["data"][0]
    assert (bars["y"][0], bars["y"][-1]) == (10, 20)


def test_without_a_driver_the_page_says_how_to_bring_one(published, client_of):
    body = client_of("staff").get("/units/").content.decode()
    assert "No driver was told yet" in body
    assert client_of("staff").get("/figures/units/cost/").status_code == 404


def test_a_lead_sees_own_units_only(told, client_of):
    body = client_of("lilei").get(f"/units/?{OCTOBER}").content.decode()
    assert "直播课堂" in body
    assert "Homework search" not in body


def bring(rows: list[tuple[str, str]]) -> None:
    """Five units a day in October of each driver and team."""
    lines = [f"2026-10-{day:02},{driver},{team},5" for driver, team in rows for day in range(1, 31)]
    content = "\n".join(["date,driver,team,quantity", *lines]).encode()
    import_drivers(content, name="d.csv", by="han", now=company.MOMENT)


def test_a_lead_begins_with_a_driver_of_the_own_teams(published, client_of):
    bring([("orders", "search"), ("students-in-class", "live-class")])
    lead = client_of("lilei")
    assert "Students in class, 1 Oct 2026" in lead.get(f"/units/?{OCTOBER}").content.decode()
    assert lead.get(f"/figures/units/cost/?{OCTOBER}").json()["data"]
    assert "Orders, 1 Oct 2026" in client_of("staff").get(f"/units/?{OCTOBER}").content.decode()


@pytest.mark.parametrize(
    ("more", "said"), [("", "Your teams have no driver"), ("&driver=orders:team", "Orders: no units in this period")]
)
def test_where_no_driver_is_of_ones_teams_nothing_is_drawn(published, client_of, more, said):
    bring([("orders", "search")])
    body = client_of("lilei").get(f"/units/?{OCTOBER}{more}").content.decode()
    assert said in " ".join(body.split())
    assert "data-figure-url" not in body
    assert "÷" not in body
    assert "Homework search" not in body


@pytest.mark.parametrize(
    "asked", ["driver=requests:cluster", "driver=nothing:team", "driver=requests:team&resource=no"]
)
def test_a_driver_there_is_not(told, client_of, asked):
    refused = client_of("staff").get(f"/units/?{asked}")
    assert refused.status_code == 400
    assert "There is no such driver." in refused.content.decode()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("12345.678", "12,345.68"), ("5.4", "5.400"), ("0.02", "0.02000"), ("0.000012345", "0.00001234"), ("0", "0.00")],
)
def test_a_cost_per_unit_keeps_the_digits_that_count(amount, shown):
    assert precise(Decimal(amount)) == shown


def test_a_quantity_has_the_decimals_it_has():
    assert [quantity(Decimal(text)) for text in ("1500.000000000000", "0.5", "0E-12")] == ["1,500", "0.5", "0"]
    assert quantity(Decimal("98765432109876543210.123456789012")) == "98,765,432,109,876,543,210.123456789012"
