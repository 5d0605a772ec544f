"""The explorer in a real browser: a question is built, drawn in every form, followed, kept and taken away."""

import io
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboards import company
from tests.dashboards.test_browser import OVERFLOW, visit, wait_for_figures

__all__ = ["visit"]
CHARTS = ("bars", "treemap", "sunburst", "heatmap", "sankey", "table", "area")


def params(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def choose(page, name: str, value: str, wanted: str) -> None:
    with page.expect_navigation(url=f"**{wanted}**"):
        page.select_option(f"[name={name}]", value)


def test_a_question_is_built_by_hand_and_drawn_in_seven_forms(visit):
    company.publish()
    page = visit("/explorer/")
    choose(page, "period", "month", "period=month")
    with page.expect_navigation(url="**by=team%2Cservice**"):
        page.locator("[name=by]").nth(1).select_option("service")
    for chart in CHARTS:
        with page.expect_navigation():
            page.check(f"[name=chart][value={chart}]", force=True)
        assert set(wait_for_figures(page)) <= {"yes"}, chart
        assert page.get_attribute(".explorer__numbers data", "value") == "1070.500000000020"
        assert page.evaluate(OVERFLOW) == 0, chart
    assert params(page) == {"period": "month", "by": "team,service"}  # areas are what one begins with


def test_values_are_offered_while_one_types_and_taken_by_keys(visit):
    company.publish()
    page = visit("/explorer/?period=month")
    page.click(".explorer__more summary")
    page.fill("#filter-team", "homew")
    page.wait_for_selector("[data-offering=team] [role=option]")
    with page.expect_navigation(url="**team=search**"):
        page.press("#filter-team", "ArrowDown")
        page.press("#filter-team", "Enter")
    assert "Homework search" in page.inner_text(".chip")
    with page.expect_navigation():
        page.click(".chip a")
    assert "team" not in params(page)


CLICKS = [
    pytest.param("chart=bars&grain=none&by=team", ".bars .point path", id="a bar"),
    pytest.param("chart=treemap&by=team", ".treemaplayer .slice:nth-child(2) path", id="a rectangle"),
    pytest.param("chart=sunburst&by=team", ".sunburstlayer .slice:nth-child(2) .slicetext", id="a ring"),
    pytest.param("chart=sankey&by=service,team", ".sankey-node rect", id="a node"),
    pytest.param("chart=table&by=team", "a.further", id="a row"),
]


@pytest.mark.parametrize(("address", "mark"), CLICKS)
def test_a_click_looks_further_in(visit, address, mark):
    company.publish()
    page = visit(f"/explorer/?period=month&{address}")
    wait_for_figures(page)
    before = params(page)
    with page.expect_navigation():
        page.locator(mark).first.click(force=True)
    found = params(page)
    assert found["period"] == "month"
    assert set(found) & {"team", "service"}
    assert found.get("by", "team") != before["by"]
    assert len(page.query_selector_all(".chip")) == 1


def test_a_view_is_kept_and_opened_again(visit):
    company.publish()
    page = visit("/explorer/?chart=treemap&by=service&period=month")
    page.click(".folded:nth-of-type(2) > summary")
    page.fill(".folded [name=name]", "Rectangles of October")
    with page.expect_navigation():
        page.click(".folded button[type=submit]")
    page.goto(page.url.split("?")[0])
    page.click(".folded:nth-of-type(1) > summary")
    with page.expect_navigation(url="**chart=treemap**"):
        page.click("text=Rectangles of October")
    assert params(page) == {"chart": "treemap", "by": "service", "period": "month"}


def test_days_are_annotated_and_marked(visit):
    company.publish()
    page = visit("/explorer/?period=month")
    page.click("#annotations summary")
    page.fill("#annotations [name=text]", "<b>Promotion</b>")
    page.fill("#annotations [name=first]", "2026-10-10")
    page.fill("#annotations [name=last]", "2026-10-12")
    with page.expect_navigation():
        page.click("#annotations button.primary")
    wait_for_figures(page)
    plot = page.query_selector("#figure-explorer .figure__plot")
    assert plot.evaluate("plot => plot.layout.shapes.map(shape => shape.type)") == ["rect"]
    assert plot.evaluate("plot => plot.layout.annotations.map(note => note.text)") == ["1"]
    assert "<b>Promotion</b>" in page.inner_text(".notes")


def test_what_is_shown_is_taken_away(visit):
    company.publish()
    page = visit("/explorer/?period=month&chart=sankey&by=service,team")
    wait_for_figures(page)
    for form, start in (("CSV", b"service,team,"), ("XLSX", b"PK"), ("Parquet", b"PAR1"), ("PNG", b"\x89PNG")):
        with page.expect_download() as download:
            page.locator(".explorer__tools").get_by_text(form, exact=True).click()
        with open(download.value.path(), "rb") as file:
            content = file.read()
        assert content.startswith(start), form
    from PIL import Image

    picture = Image.open(io.BytesIO(content))
    assert picture.width >= 1800
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "dark", "zh-hans"), (1440, "dark", "en")])
def test_it_fits_and_speaks(visit, width, scheme, language):
    company.publish()
    for address in ("/explorer/", "/explorer/?chart=table&grain=day&by=team,service,kind", "/explorer/views/",
                    "/explorer/annotations/"):  # fmt: skip
        page = visit(address, width=width, scheme=scheme, language=language)
        assert set(wait_for_figures(page)) <= {"yes"}
        assert page.evaluate(OVERFLOW) == 0, address
        assert page.evaluate("document.querySelectorAll('style').length") == 0
    if language == "zh-hans":
        page = visit("/explorer/", width=width, language=language)
        wait_for_figures(page)
        plot = page.query_selector("#figure-explorer .figure__plot")
        assert plot.evaluate("plot => plot._context.locale") == "zh-CN"


def test_it_works_without_scripts(people, transactional_db, live_server, chromium):
    from django.test import Client

    company.publish()
    client = Client()
    client.force_login(people["staff"])
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/explorer/")
    page.select_option("[name=period]", "month")
    page.click(".explorer__more summary")
    page.fill("#filter-team", "live-class")
    page.check("[name=chart][value=table]", force=True)
    page.select_option("[name=grain]", "week")
    page.click("[data-apply]")
    assert params(page) == {"period": "month", "chart": "table", "grain": "week", "team": "live-class"}
    assert page.get_attribute(".explorer__numbers data", "value") == "733.000000000020"
    assert len(page.query_selector_all("table[data-costs] thead th")) == 3 + 5
    context.close()
