"""What counts and what is to be clicked is in sight: on a phone, at twice the size, and in long lists."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from apps.finops.findings import Sentence
from apps.finops.stakes import Stake, in_cluster
from apps.savings.models import Initiative
from tests.alerts.worlds import a_fact, so
from tests.allocation.worlds import import_rules
from tests.budgets.worlds import budget
from tests.channels.worlds import a_channel, a_notice, send
from tests.dashboards import company
from tests.dashboards.test_browser import visit
from tests.insights import idle_world
from tests.insights.test_explain import build_world
from tests.operations.worlds import a_finding, recommend
from tests.savings.ledgers import NOW, START

__all__ = ["visit"]

RULES = """
rules:
  - {name: logs of the live lessons, when: {service: Log}, team: web, valid_from: 2026-10-01}
  - {name: rest, when: {service: Site}, split: {web: 50, data: 50}}
"""
OUT_OF_SIGHT = """() => [...document.querySelectorAll("main .scroll tbody :is(th, td, button, .tag, .number)")]
  .filter(part => part.checkVisibility() && part.getBoundingClientRect().width > 0)
  .filter(part => part.getBoundingClientRect().right > part.closest(".scroll").getBoundingClientRect().right + 1)
  .map(part => part.outerHTML.slice(0, 120))"""
LINES_OF_A_DAY = """() => [...document.querySelectorAll("main td.tabular:not(:has(.tag))")].map(part => {
  const words = document.createRange();
  words.selectNodeContents(part);
  return new Set([...words.getClientRects()].map(box => Math.round(box.bottom))).size;
})"""
NARROWEST_NAME = """() => Math.min(...[...document.querySelectorAll("main .scroll tbody th[scope=row]")]
  .map(part => part.getBoundingClientRect().width))"""


def alerts(_home: Any) -> str:
    team = {"team": "live-class", "severity": "critical"}
    so(a_fact(**team), a_fact("8", **team | {"link": "/budgets/8/"}))
    return "/alerts/"


def budgets(_home: Any) -> str:
    company.publish()
    budget("The live lessons of the first year", value="live-class", amount="3000000", valid_from=date(2026, 10, 1))
    return "/budgets/"


def bases(_home: Any) -> str:
    company.publish()
    return "/bases/"


def rules(_home: Any) -> str:
    company.publish()
    import_rules(RULES)
    return "/rules/"


def channels(_home: Any) -> str:
    a_channel(team="live-class", name="The room of everybody who teaches the live lessons")
    return "/channels/"


def deliveries(_home: Any) -> str:
    send(a_notice(team="live-class"), to=a_channel(team="live-class"))
    return "/channels/deliveries/"


def recommendations(_home: Any) -> str:
    """Two of the same cost, of which the rest is counted with the other."""
    company.publish()
    for name, saving, place in (
        ("nodes of the live lessons", "21034.51", in_cluster("online")),
        ("w", "17528.76", in_cluster("online", "live-class", "shop", "w")),
    ):
        stakes = (Stake(place, Decimal(saving)),)
        recommend(a_finding(name, team="live-class", saving_per_month=Decimal(saving), stakes=stakes))
    return "/recommendations/"


def savings(_home: Any) -> str:
    company.publish()
    Initiative.objects.create(
        name="Compress the recordings of all live lessons", hypothesis="Half the bytes.", team="live-class",
        scope={"team": ["live-class"]}, currency="CNY", promised_text="234567.5", start=START, state="stated",
        created_at=NOW, stated_at=NOW, stated_in=1,
    )  # fmt: skip
    return "/savings/"


def explained(home: Any) -> str:
    build_world(home)
    return "/explain/?start=2026-10-01&end=2026-10-02"


WORLDS = (alerts, budgets, bases, rules, channels, deliveries, recommendations, savings, explained)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "light", "en"), (720, "dark", "zh-hans")])
def test_what_counts_in_a_row_is_in_sight(visit, home, world, width, scheme, language):
    page = visit(world(home), width=width, scheme=scheme, language=language)
    assert page.query_selector_all("main tbody th[scope=row]")
    assert page.evaluate(OUT_OF_SIGHT) == []
    assert page.evaluate(NARROWEST_NAME) > 130
    assert set(page.evaluate(LINES_OF_A_DAY)) <= {1}


def test_an_alert_is_acknowledged_on_a_phone(visit):
    page = visit(alerts(None), width=390)
    page.locator("main tbody button").first.click()
    page.wait_for_url("**/alerts/*/")
    assert "acknowledged" in page.inner_text("main")


@pytest.mark.parametrize(("width", "height"), [(1440, 560), (390, 844)])
def test_what_is_done_with_rows_stays_in_sight(visit, width, height):
    idle_world.find()
    page = visit("/idle/", width=width)
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("document.querySelector('main tbody tr').scrollIntoView()")
    assert page.evaluate("document.querySelector('main .scroll').getBoundingClientRect().bottom") > height
    button = page.locator("button[value=keep]").bounding_box()
    assert button["y"] + button["height"] <= height
    assert button["x"] + button["width"] <= width


def test_a_long_title_at_hand_is_told_whole(visit):
    company.publish()
    name = "Recordings of the live lessons of the first year"
    so(
        a_fact(
            title=Sentence("The budget %(budget)s is expected to end at 107.3 %%", {"budget": name}), team="live-class"
        )
    )
    title = visit("/").locator(".lines__what").first
    assert "107.3 %" in title.inner_text()
    assert title.evaluate("part => part.scrollWidth <= part.clientWidth && part.scrollHeight <= part.clientHeight + 1")
