"""Every page, as who does not see it well or uses no mouse finds it: WCAG 2.2 AA as axe checks it, and the keyboard."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import Resolver404, URLPattern, resolve, reverse

from apps.dashboards import source_views
from apps.ingest import sources
from apps.reports.models import Delivery
from apps.reports.recipients import targets, unsubscribe_url
from apps.reports.services import send_week
from apps.teams.models import Team
from tests.access import table, world
from tests.allocation.worlds import charge
from tests.api.opencost import publish_world
from tests.architecture import tree
from tests.dashboards import company, test_upload
from tests.dashboards.test_browser import visit, wait_for_figures
from tests.ingest.bills import bill, row
from tests.reports.weeks_of_cost import WEEK, publish_weeks

__all__ = ["visit"]

AXE = tree.ROOT / ".tools/axe/node_modules/axe-core/axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_SIZE_AND_COLOUR = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""Rules whose answer another theme or width can change; the others are asked once."""
NO_PAGE = re.compile(
    r"figure-|logout|why-panel|.*-progress|search-suggestions|explorer-values|.*-file$|runs-fill|first-steps-take|"
    r"start$|theme$|statement|quality-decide|report-part"
)
"""Addresses that answer parts of pages, files, or nothing but to a form."""
OF_ANOTHER_WORLD = {
    "channel", "dispute", "explorer-view", "idle-one", "report-letter", "rule-draft", "saving", "saving-edit",
}  # fmt: skip
"""Pages of one thing that this company does not have; another has them."""
BROUGHT_OR_SENT = {"explain-invoice", "invoice", "report-page", "report-unsubscribe", "sources-upload-results"}
"""Pages of files that people bring, and of letters."""
ODD = {"nothing": 404, "refused": 400}
NOT_ALLOCATED = "explain"
"""This company's costs were published as they are; what they are made of is asked of the other."""


SENTENCES = """[...(function* () {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const isOther = (part) => part.closest("code, pre, bdi, data, script, style, option, text, [lang=en], .figure__plot");
  while (walker.nextNode()) {
    const told = walker.currentNode.textContent.trim();
    const isSentence = /(\\b[A-Za-z][A-Za-z'-]*[,;:]? +){3,}[A-Za-z]/.test(told);
    if (isSentence && !isOther(walker.currentNode.parentElement)) yield told;
  }
})()]"""
"""Texts of four English words and more, outside what is data or code."""


FOUND_HERE = ("forecast", "budgets", "anomalies", "recommend", "alert")
"""The steps that find anything in what this company spends."""


def a_company() -> None:
    """The small company with a budget it overspends, looked through for all that is found in cost."""
    from apps.pipeline import services
    from tests.budgets.worlds import budget

    company.publish()
    company.bring_drivers()
    budget("live", value="live-class", amount="300", valid_from=date(2026, 10, 1))
    services.fill(now=company.MOMENT + timedelta(hours=1), steps=FOUND_HERE, sources=[])
    company.sources()


def names() -> set[str]:
    """The names of all addresses that answer pages: a new one is looked at as well."""
    from apps.dashboards.urls import urlpatterns as pages
    from apps.reports.urls import urlpatterns as reports

    found = {pattern.name for pattern in (*pages, *reports) if isinstance(pattern, URLPattern) and pattern.name}
    return {name for name in found if not NO_PAGE.match(name)}


def name_of(address: str) -> str:
    try:
        return resolve(address.partition("?")[0]).url_name or ""
    except Resolver404:
        return ""


def pages_of(client: Any) -> dict[str, str]:
    """One address for every page there is, found by following links."""
    wanted, found, todo = names(), {"overview": reverse("overview")}, ["overview"]
    while todo:
        address = found[todo.pop(0)]
        body = client.get(address).content.decode(errors="replace")
        for link in map(unescape, re.findall(r'href="([^"]+)"', body)):
            name = name_of(link)
            if name in wanted and name not in found:
                found[name] = link
                todo.append(name)
    return found


@pytest.fixture
def addresses(people: Any, transactional_db: Any) -> Iterator[dict[str, str]]:
    from django.test import Client

    a_company()
    client = Client()
    client.force_login(people["staff"])
    unlinked = {
        "search": "/search/?q=web", "explorer-views": reverse("explorer-views"), "offers": reverse("offers"),
        "channel-new": "/channels/new/?kind=slack",
    }  # fmt: skip
    odd = {"nothing": "/nothing/", "refused": "/?period=nothing", "login": "/login/"}
    return pages_of(client) | unlinked | odd


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in .tools; `make test` brings it with npm")
def test_no_page_breaks_a_rule_of_accessibility(addresses, visit, live_server):
    assert names() - set(addresses) == OF_ANOTHER_WORLD | BROUGHT_OR_SENT
    del addresses[NOT_ALLOCATED]
    assert broken_rules(addresses, visit, live_server.url) == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in .tools; `make test` brings it with npm")
def test_no_page_of_one_thing_breaks_a_rule_of_accessibility(people, transactional_db, visit, live_server):
    there = world.make()
    wanted = OF_ANOTHER_WORLD | {NOT_ALLOCATED}
    found = {one.name: one.path for one in table.addresses(there) if one.side == table.OWN and one.name in wanted}
    assert set(found) == wanted
    assert broken_rules(found, visit, live_server.url) == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in .tools; `make test` brings it with npm")
def test_no_page_of_what_is_brought_or_sent_breaks_a_rule_of_accessibility(
    people, transactional_db, home, visit, live_server, monkeypatch
):
    monkeypatch.setattr(source_views, "ring", lambda: None)  # no worker listens here
    found = a_letter() | an_invoice() | {"sources-upload-results": an_uploaded_bill(people)}
    assert set(found) == BROUGHT_OR_SENT
    assert broken_rules(found, visit, live_server.url) == []


def a_letter() -> dict[str, str]:
    """To a lead, and the link in it that ends them."""
    publish_weeks()
    Team.objects.filter(name="live-class").update(lead_email="lead@example.com")
    send_week(WEEK, targets(), clock=lambda: company.MOMENT, mail=False)
    letter = Delivery.objects.get(report="lead")
    return {
        "report-page": reverse("report-page", args=[letter.pk]),
        "report-unsubscribe": urlsplit(unsubscribe_url("lead", letter.team, letter.recipient)).path,
    }


def an_invoice() -> dict[str, str]:
    """One that is billed, and what became of it."""
    published = publish_world(more=[charge("7", InvoiceId="A-1", ServiceName="Disk", x_Row=7)])
    asked = f"invoice_id=A-1&account=100&currency=CNY&publication={published.number}"
    return {"invoice": "/invoices/A-1/100/CNY/", "explain-invoice": f"/explain/invoice/?{asked}"}


def an_uploaded_bill(people: Any) -> str:
    from django.test import Client

    sources.add_upload_source(name="hand", kind="focus", cluster="", options={}, now=company.MOMENT)
    client = Client()
    client.force_login(people["staff"])
    given = [SimpleUploadedFile("good.csv", bill(row("1.25"))), SimpleUploadedFile("bad.csv", bill(row("x")))]
    answered = client.post("/sources/upload/", {"source": "hand", "files": given})
    test_upload.fill()
    return answered["location"]


def broken_rules(addresses: dict[str, str], visit: Any, site: str) -> list[tuple[str, int, str, str]]:
    """What axe finds, is not translated or is too wide: in a wide window in English, on a phone in Chinese."""
    broken = []
    for width, scheme, language, asked in (
        (1440, "light", "en", {"type": "tag", "values": STANDARDS}),
        (390, "dark", "zh-hans", {"type": "rule", "values": OF_SIZE_AND_COLOUR}),
    ):
        page = visit("/", width=width, scheme=scheme, language=language).context.new_page()
        for name, address in addresses.items():
            if name == "login":
                page.context.clear_cookies(name="sessionid")
            status = page.goto(site + address, wait_until="domcontentloaded").status
            if status != ODD.get(name, 200):
                broken.append((name, width, "status", f"{status} {address}"))
            page.evaluate(AXE.read_text())
            found = page.evaluate("asked => axe.run({runOnly: asked, resultTypes: ['violations']})", asked)
            broken += [(name, width, rule["id"], rule["nodes"][0]["html"][:120]) for rule in found["violations"]]
            if language != "en":
                broken += [(name, width, "English", text) for text in page.evaluate(SENTENCES)]
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                broken.append((name, width, "wider than the window", ""))
    return broken


def test_a_page_is_used_by_keyboard_alone(visit):
    company.publish()
    page = visit("/", width=390)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.focus(".top__menu")
    page.keyboard.press("Enter")
    assert page.is_visible("#menu")
    assert page.get_by_role("navigation", name="All pages").get_by_role("link").count() > 20
    page.keyboard.press("Escape")
    assert not page.is_visible("#menu")
    assert page.evaluate("document.activeElement.classList.contains('top__menu')")
    page.focus("[name=period]:checked")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**period=90**")
    page.wait_for_selector("[value='90']:focus", state="attached")  # the bar is new, and one goes on where one was
    focused = "getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"
    assert page.evaluate(focused) == "solid"


def test_a_page_changes_in_place_and_goes_back(visit):
    company.publish()
    page = visit("/teams/live-class/")
    page.evaluate("window.stays = true")
    page.check("[name=period][value='7']", force=True)
    page.wait_for_url("**period=7**")
    page.wait_for_selector("main:not(.htmx-added) [name=period][value='7'][checked]", state="attached")
    assert page.evaluate("window.stays")
    assert "start=" not in page.url
    assert set(wait_for_figures(page)) == {"yes"}
    page.go_back()
    page.wait_for_selector("[name=period][value='30'][checked]", state="attached")


def test_a_part_that_fails_says_so_and_is_tried_again(visit, live_server):
    company.publish()
    page = visit("/login/").context.new_page()  # its complaints are wanted
    page.goto(f"{live_server.url}/?period=7")
    page.wait_for_selector(".why__body[data-filled=yes]")
    page.route("**/why/panel/**", lambda route: route.fulfill(status=500, body="broken"))
    page.evaluate("window.htmx.trigger('.why__body', 'again')")
    page.wait_for_selector(".why > .failed", state="visible")
    assert "broken" not in page.inner_text(".why")
    page.unroute("**/why/panel/**")
    page.click(".why [data-again]")
    page.wait_for_selector(".why > .failed", state="hidden")


def test_whoever_was_signed_out_is_led_to_the_sign_in(visit):
    company.publish()
    page = visit("/")
    wait_for_figures(page)
    page.wait_for_load_state("networkidle")  # a part that still came would lead there before the click
    page.context.clear_cookies()
    page.click("[name=period][value='7']", force=True)
    page.wait_for_url("**/login/**")
