"""Pages on paper: what is for reading is printed in the colours of paper, what is for clicking is not."""

import re
import subprocess
import unicodedata
from datetime import date
from typing import Any

import pytest

from tests.budgets.worlds import budget
from tests.dashboards import company
from tests.dashboards.test_browser import visit, wait_for_figures

__all__ = ["visit"]

PAGES = {
    "overview": "/",
    "team": "/teams/live-class/",
    "explorer": "/explorer/?period=month",
    "the table of the explorer": "/explorer/?period=month&chart=table&by=team,service,kind",
    "budgets": "/budgets/",
}
A4_MM, MARGIN_MM, DOTS_A_MM = 210, 10, 96 / 25.4
TO_CLICK = "nav, .top, .filters, form, button, input, select, .failed, [data-theme-toggle]"
SHOWN = """selector => [...document.querySelectorAll(selector)]
  .filter(part => part.checkVisibility() && part.getBoundingClientRect().width > 0)
  .map(part => part.outerHTML.slice(0, 100))"""
TOO_WIDE = """width => [...document.querySelectorAll("main, main *")]
  .filter(part => part.checkVisibility() && !part.closest(".hushed, .figure__plot"))
  .filter(part => part.getBoundingClientRect().right > width + 1)
  .map(part => `${part.tagName}.${part.className} ${Math.round(part.getBoundingClientRect().right)}`)"""


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_page_is_printed_whole_and_without_what_is_to_be_clicked(visit: Any, language: str) -> None:
    company.publish()
    budget("live", value="live-class", amount="300", valid_from=date(2026, 10, 1))
    width = int((A4_MM - 2 * MARGIN_MM) * DOTS_A_MM)
    for name, address in PAGES.items():
        page = visit(address, scheme="dark", language=language)
        drawn = wait_for_figures(page)
        page.set_viewport_size({"width": width, "height": 1000})
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.wait_for_timeout(300)
        assert page.evaluate(SHOWN, TO_CLICK) == [], name
        assert page.evaluate(TOO_WIDE, width) == [], name
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(20, 24, 29)", name  # ink, not light grey
        fonts = page.evaluate("[...document.querySelectorAll('.js-plotly-plot')].map(one => one.layout.font.color)")
        assert set(fonts) == ({"#515a66"} if drawn else set()), name
        sentences = page.query_selector_all(".figure__summary, .explorer__sentence")
        assert all(one.is_visible() and one.inner_text().strip() for one in sentences), name
        assert sentences or name == "budgets", name
        paper = page.pdf(format="A4", margin=dict.fromkeys(("left", "right", "top", "bottom"), f"{MARGIN_MM}mm"))
        reading = ["pdftotext", "-raw", "-", "-"]  # else labels of an axis come between the words of a sentence
        text = subprocess.run(reading, input=paper, capture_output=True, check=True).stdout.decode()
        assert words(page.inner_text("h1")) in words(text), name
        for one in sentences:
            assert words(one.inner_text()) in words(text), name
        assert "Sign out" not in text, name


def words(text: str) -> str:
    """A text without the breaks of its lines."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def test_figures_nobody_scrolled_to_are_drawn_before_paper_shows_them(visit: Any) -> None:
    company.publish()
    page = visit("/")
    figures = page.locator("[data-figure-url]")
    assert figures.count() > 1
    below = figures.last.evaluate("figure => figure.getBoundingClientRect().top - innerHeight")
    assert below > 200  # too far below to be drawn for who looks at the page
    page.wait_for_selector("[data-figure-url]:not([data-drawn=yes])", state="detached", timeout=30_000)
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("[...document.querySelectorAll('.figure__plot')].every(plot => plot.querySelector('.point'))")


UNDRAWN = "[data-figure-url]:not([data-drawn=yes])"
PRINT = f"""() => {{
  window.print = () => {{ document.body.dataset.missing = document.querySelectorAll("{UNDRAWN}").length }};
}}"""
POINTS = "[...document.querySelectorAll('.figure__plot')].map(plot => plot.querySelectorAll('.point').length)"


def test_paper_that_is_asked_for_by_its_keys_waits_for_figures(visit: Any) -> None:
    company.publish()
    page = visit("/")
    page.evaluate(PRINT)
    assert page.locator(UNDRAWN).count() > 1
    page.keyboard.press("Control+p")
    page.wait_for_selector("body[data-missing]", timeout=10_000)
    assert page.evaluate("document.body.dataset.missing") == "0"
    assert all(page.evaluate(POINTS))
    page.evaluate("document.body.removeAttribute('data-missing')")
    page.keyboard.press("Control+p")  # nothing is to be waited for any more: it is the browser's
    assert page.evaluate("document.body.dataset.missing") is None


def test_how_a_budget_stands_has_its_room_on_paper(visit: Any) -> None:
    company.publish()
    for number in range(12):
        budget(f"live {number}", value="live-class", amount="300", valid_from=date(2026, 10, 1))
    page = visit("/budgets/", width=int((A4_MM - 2 * MARGIN_MM) * DOTS_A_MM))
    page.emulate_media(media="print")
    heights = page.evaluate("[...document.querySelectorAll('tbody tr')].map(row => row.offsetHeight)")
    assert len(heights) == 12
    assert max(heights) < 80
    assert page.evaluate("document.querySelector('.budget-state').offsetWidth") > 200
    assert page.evaluate(TOO_WIDE, int((A4_MM - 2 * MARGIN_MM) * DOTS_A_MM)) == []
