"""The pages in a real browser: figures are drawn, nothing is refused or overflows, in every theme and language."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest

from tests.dashboards import company

PAGES = [
    "/",
    "/teams/live-class/",
    "/teams/live-class/namespaces/online/classroom/",
    "/units/",
    "/reconciliation/",
    "/reconciliation/bill/2026-10/CNY/",
    "/sources/",
    "/sources/upload/",
    "/quality/",
    "/restatements/",
    "/prices/",
    "/publications/",
    "/savings/",
    "/savings/new/",
    "/efficiency/",
    "/runs/",
    "/search/?q=live",
    "/settings/",
    "/api/tokens/",
    "/first-steps/",
]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def visit(people: Any, transactional_db: Any, live_server: Any, chromium: Any) -> Iterator[Any]:
    """Opens pages as staff; at the end, fails when one of them complained."""
    from django.test import Client

    from tests.servers.browser import record_complaints

    client = Client()
    client.force_login(people["staff"])
    contexts, complaints = [], []

    def open_page(address: str, *, width: int = 1440, scheme: str = "light", language: str = "en") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale=language)
        contexts.append(context)
        for name, value in (("sessionid", client.cookies["sessionid"].value), ("django_language", language)):
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        page = context.new_page()
        complaints.append(record_complaints(page))
        page.goto(live_server.url + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [complaint for found in complaints for complaint in found] == []


def wait_for_figures(page: Any) -> list[str]:
    """Look at every figure until it is drawn; how each ended."""
    page.mouse.move(1, 1)
    figures = page.query_selector_all("[data-figure-url]")
    for figure in figures:
        figure.scroll_into_view_if_needed()
    page.wait_for_selector("[data-figure-url]:not([data-drawn])", state="detached", timeout=30_000)
    return [figure.get_attribute("data-drawn") for figure in figures]


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "light", "en"), (390, "dark", "zh-hans"), (390, "light", "en")]
)
def test_every_page_draws_its_figures_and_fits(visit, width, scheme, language):
    company.publish()
    company.sources()
    company.bring_drivers()
    for address in PAGES:
        page = visit(address, width=width, scheme=scheme, language=language)
        assert set(wait_for_figures(page)) <= {"yes"}, address
        assert page.evaluate(OVERFLOW) == 0, address
        assert page.evaluate("document.querySelectorAll('style').length") == 0, address
        assert page.evaluate("document.documentElement.lang") == language


def test_no_row_of_the_sources_becomes_a_tower_on_a_phone(visit):
    company.sources()
    heights = visit("/sources/", width=390).evaluate(
        "[...document.querySelectorAll('.table tbody tr')].map(row => row.offsetHeight)"
    )
    assert len(heights) > 2
    assert max(heights) < 130


def test_the_days_of_a_namespace_stand_below_its_workloads(visit):
    company.publish()
    page = visit("/teams/live-class/namespaces/online/classroom/")
    sections = "[...document.querySelectorAll('.grid--main section')].filter(part => !part.closest('.why'))"
    left = page.evaluate(f"{sections}.map(part => part.offsetLeft)")  # without the panel that comes when it is ready
    assert left[0] == left[1] < left[2]  # workloads and days, then services beside them
    assert "each against the day before" in page.evaluate(f"{sections}[1].querySelector('h2').innerText")


def test_both_columns_of_an_overview_of_few_teams_are_filled(visit):
    from apps.pipeline import services

    company.publish()
    found = ("forecast", "recommend", "alert")
    services.fill(now=company.MOMENT + timedelta(hours=1), steps=found, sources=[])
    page = visit("/")
    wait_for_figures(page)
    columns = page.evaluate(
        "[...document.querySelectorAll('main > .grid--main > *')].map(column => column.getBoundingClientRect().height)"
    )
    assert len(columns) == 2
    assert min(columns) > 0.6 * max(columns)
    page.set_viewport_size({"width": 390, "height": 900})
    below = page.evaluate(
        "[...document.querySelectorAll('main > .grid--main h2')].sort((a, b) => a.getBoundingClientRect().top - "
        "b.getBoundingClientRect().top).map(title => title.innerText)"
    )
    assert below.index("Teams") < below.index("Open actions") < below.index("Cost per day by kind")


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "light", "en"), (390, "dark", "zh-hans")], ids=["wide", "narrow"]
)
def test_bills_are_uploaded_with_progress_and_told_of(visit, home, tmp_path, monkeypatch, width, scheme, language):
    from apps.dashboards import source_views
    from apps.ingest import services, sources
    from tests.ingest.bills import NOW, bill, row

    monkeypatch.setattr(source_views, "ring", lambda: None)  # no worker listens here
    hand = sources.add_upload_source(name="hand", kind="focus", cluster="", options={}, now=NOW)
    files = {"good-october.csv": bill(row("3.25")), "bad-with-a-long-name-that-wraps-on-a-phone.csv": bill(row("x"))}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page = visit("/sources/upload/", width=width, scheme=scheme, language=language)
    page.set_input_files("input[type=file]", [tmp_path / name for name in files])
    page.click("form.upload button")
    page.wait_for_url("**/sources/upload/hand/**")
    assert sorted(path.name for path in (home / "uploads" / "hand").iterdir()) == sorted(files)
    services.land(hand, NOW)
    services.normalize(hand, NOW)
    page.wait_for_selector(".tag--error")  # the page looks again by itself
    assert "3.25" in page.text_content("table")
    place = {"en": "line 2, column BilledCost", "zh-hans": "第 2 行，列 BilledCost"}
    assert place[language] in page.text_content("main")
    assert page.evaluate(OVERFLOW) == 0


def test_a_figure_shows_every_team_and_the_amounts_of_the_table(visit):
    company.publish()
    page = visit("/?period=month")
    wait_for_figures(page)
    plot = page.query_selector("#figure-team .figure__plot")
    assert plot.evaluate("plot => plot.data.map(series => series.name)") == [
        "直播课堂",
        "Homework search",
        "Unallocated",
    ]
    drawn = plot.evaluate("plot => plot.data.map(series => series.y.reduce((a, b) => a + b))")
    assert [round(amount, 6) for amount in drawn] == [733.0, 270.0, 67.5]
    assert len(page.query_selector_all("#figure-team .bars .point")) == 90


def test_hostile_names_do_nothing_in_a_browser(visit):
    company.publish(company.HOSTILE_COMPANY)
    page = visit("/")
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    assert wait_for_figures(page) == ["yes", "yes"]
    assert page.query_selector_all(".figure a, .figure script, .figure img") == []
    assert "<script>alert" in page.text_content("#figure-team .legend")


def test_the_theme_is_chosen_and_remembered(visit):
    company.publish()
    page = visit("/", scheme="dark")
    wait_for_figures(page)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    with page.expect_response("**/settings/theme/") as kept:
        page.click("[data-theme-toggle]")
    assert kept.value.status == 204
    light = page.evaluate(ground)
    assert dark != light
    font = page.query_selector("#figure-team .figure__plot").evaluate("plot => plot.layout.font.color")
    assert font == page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink-soft').trim()")
    page.reload()
    assert page.evaluate(ground) == light
    other = visit("/", scheme="dark")  # another device of the same person: light before any script has run
    assert other.evaluate("document.documentElement.dataset.theme") == "light"
    assert other.evaluate(ground) == light
    other.context.clear_cookies(name="sessionid")
    other.goto(other.url.rstrip("/") + "/login/")
    assert other.evaluate(ground) == light  # the browser remembers it for the page one signs in on
    other.click("[data-theme-toggle]")
    other.reload()
    assert other.evaluate(ground) == dark


def test_no_name_of_a_bridge_covers_another_on_a_phone(visit):
    company.publish()
    for language, period in (("zh-hans", "30"), ("en", "7")):
        page = visit(f"/why/?period={period}", width=390, language=language)
        assert wait_for_figures(page) == ["yes"]
        boxes = page.evaluate(
            """[...document.querySelectorAll("#figure-why :is(.xtick, .ytick, .bartext) text, #figure-why .bartext")]
               .map(text => text.getBoundingClientRect()).map(box => [box.left, box.top, box.right, box.bottom])"""
        )
        assert len(boxes) > 4
        assert min(left for left, *_ in boxes) >= 0
        assert max(right for *_, right, _ in boxes) <= 390
        assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_selector("#figure-why .bartext", state="attached")  # upright again, with amounts on its bars


def overlap(one, other):
    """Whether two boxes (left, top, right, bottom) share more than an edge."""
    return all(min(one[at + 2], other[at + 2]) - max(one[at], other[at]) > 1 for at in (0, 1))


def test_the_filter_bar_applies_at_once_and_asks_for_days_only_when_custom(visit):
    company.publish()
    page = visit("/teams/live-class/")
    assert not page.is_visible("[name=start]")
    page.check("[name=period][value='7']", force=True)
    page.wait_for_url("**period=7**")
    assert page.get_attribute(".headline data", "value") == "171.033333333338"
    page.check("[name=period][value='custom']", force=True)
    page.fill("[name=start]", "2026-10-30")
    page.fill("[name=last]", "2026-10-30")
    page.click("[data-apply]")
    page.wait_for_url("**start=2026-10-30**")
    assert page.get_attribute(".headline data", "value") == "24.433333333334"


def test_what_a_choice_fetches_is_pale_until_it_is_there(visit):
    from playwright.sync_api import expect

    company.publish()
    page = visit("/teams/live-class/")
    held = []
    page.route("**/*period=7*", lambda route: held.append(route))
    page.check("[name=period][value='7']", force=True)
    expect(page.locator(".headline")).to_have_css("opacity", "0.55")
    expect(page.locator(".filters")).to_have_css("opacity", "1")
    held.pop().continue_()
    page.wait_for_url("**period=7**")
    expect(page.locator(".headline")).to_have_css("opacity", "1")


def test_a_touch_is_answered_while_a_figure_is_drawn(visit):
    company.publish()
    page = visit("/")
    wait_for_figures(page)
    answered = page.evaluate(
        """async () => {
          const { data, layout } = document.querySelector("#figure-team .figure__plot");
          const place = document.querySelector("main").appendChild(document.createElement("div"));
          const goOn = scheduler.yield.bind(scheduler);
          let answered = 0;
          scheduler.yield = () => {
            scheduler.postTask(() => { answered += 1; }, { priority: "user-blocking" });
            return goOn();
          };
          await Plotly.newPlot(place, structuredClone(data), structuredClone(layout));
          return answered;
        }"""
    )
    assert answered > 10


def test_a_figure_without_data_says_so_and_the_page_goes_on(visit):
    company.publish()
    page = visit("/")
    page.route("**/figures/**", lambda route: route.fulfill(status=200, body="not JSON"))
    page.reload()
    assert set(wait_for_figures(page)) == {"no"}
    assert page.is_visible("#figure-team .failed")
    assert page.is_visible(".figure__summary")


def test_the_page_works_without_scripts(people, transactional_db, live_server, chromium):
    from django.test import Client

    company.publish()
    client = Client()
    client.force_login(people["staff"])
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/")
    page.check("[name=period][value=month]", force=True)
    page.click("[data-apply]")
    assert page.get_attribute(".headline data", "value") == "1070.500000000020"
    assert "in total" in page.inner_text("#figure-team .figure__summary")
    context.close()


def test_runs_are_kept_fresh(visit):
    from apps.pipeline.models import StepRun

    company.sources()
    page = visit("/sources/")
    assert len(page.query_selector_all("[data-polls] .tag--running")) == 1
    StepRun.objects.filter(state__in=["running", "waiting"]).update(state="done", finished_at=company.MOMENT)
    page.wait_for_selector("[data-polls] .work", state="detached", timeout=10_000)
    assert "Nothing is running." in page.inner_text("[data-polls]")
    assert page.query_selector_all("[data-polls] .tag--running") == []
    assert len(page.query_selector_all("[data-polls] tbody tr")) == 4


FOCUSABLE = "a[href], button, input, select, [tabindex='0']"


@pytest.mark.parametrize("address", ["/login/", "/"])
def test_everything_that_takes_the_focus_has_a_name(visit, address):
    company.publish()
    page = visit(address)
    nameless = page.evaluate(
        """selector => [...document.querySelectorAll(selector)].filter(part => !(
             part.innerText?.trim() || part.getAttribute("aria-label") || part.textContent.trim() || part.title
             || part.type === "hidden" || [...(part.labels ?? [])].some(label => label.textContent.trim())
           )).map(part => part.outerHTML)""",
        FOCUSABLE,
    )
    assert nameless == []


@pytest.mark.parametrize(("scheme", "language"), list(product(["light", "dark"], ["en", "zh-hans"])))
def test_signing_in(people, transactional_db, live_server, page, scheme, language):
    page.emulate_media(color_scheme=scheme)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.goto(f"{live_server.url}/teams/live-class/")
    page.fill("[name=username]", "lilei")
    page.fill("[name=password]", company.PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/teams/live-class/")
    assert page.query_selector(".empty") is not None
