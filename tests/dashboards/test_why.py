"""The page of why cost changed: the sentence, parts that add up, links that narrow, and a panel beside every cost."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.translation import override

from tests.dashboards import company
from tests.dashboards.test_translations import written

OCTOBER = "period=custom&start=2026-10-01&last=2026-10-30"
"""Compared with the thirty days of September."""
ROOT = Path(__file__).resolve().parents[2]


def exact(body: str) -> list[Decimal]:
    return [Decimal(text) for text in re.findall(r'title="(-?\d+\.\d{6,})"', body)]


def test_the_page_says_what_happened_since_when(published, client_of):
    """From October on the media workload of live-class costs 7.66 a day more, and a refund of search 0.50 less."""
    body = client_of("staff").get(f"/why/?{OCTOBER}").content.decode()

    assert "more than all of the rise is media since 1 Oct, it is new." in body
    assert "+214.80" in body  # 30 x (7.66 - 0.50)
    assert "+229.80" in body
    assert "−15.00" in body


def test_parts_and_segments_add_up_to_the_change(published, client_of):
    body = client_of("staff").get(f"/why/?{OCTOBER}").content.decode()
    parts = exact(body.split("<h2>What happened</h2>")[1])
    before, *between, after = parts

    assert sum(between) == after - before == Decimal("214.80")
    segments = body.split("<h2>Where it happened</h2>")[1].split("</table>")[0]
    changes = [exact(row)[-1] for row in segments.split("<tr>")[2:]]
    assert sum(changes) == Decimal("214.80")


def test_a_segment_leads_to_the_same_question_narrowed(published, client_of):
    staff = client_of("staff")
    body = staff.get(f"/why/?{OCTOBER}&team=live-class").content.decode()
    (address,) = re.findall(r'<a href="(/why/[^"]+)"><bdi>media', body)
    narrowed = staff.get(address.replace("&amp;", "&")).content.decode()

    assert "team=live-class" in address
    assert "workload=media" in address
    assert "+229.80" in narrowed
    assert "直播课堂 · media" in narrowed


def test_the_filter_bar_keeps_what_the_page_is_narrowed_to(published, client_of):
    address = f"/why/?{OCTOBER}&team=live-class&before_start=2026-09-01&before_last=2026-09-10"
    body = client_of("staff").get(address).content.decode()

    assert '<input type="hidden" name="team" value="live-class">' in body
    assert '<input type="hidden" name="before_last" value="2026-09-10">' in body
    assert "The periods differ in length" in body


@pytest.mark.parametrize(
    "given",
    ["before_start=2026-09-01", "before_start=2026-09-10&before_last=2026-09-01", "before_start=x&before_last=y"],
)
def test_half_a_comparison_is_refused(published, client_of, given):
    response = client_of("staff").get(f"/why/?{OCTOBER}&{given}")
    assert response.status_code == 400
    assert "first and its last day" in response.content.decode()


def test_nothing_is_compared_with_days_that_were_not_published(published, client_of):
    body = client_of("staff").get("/why/?period=90").content.decode()
    assert "There is nothing to compare with" in body
    assert "which is not all of" in client_of("staff").get("/why/?period=90").content.decode()
    assert "There is nothing to compare with" in client_of("staff").get("/why/panel/?period=90").content.decode()


def test_a_lead_is_told_of_own_cost_only(published, client_of):
    lead = client_of("lilei")
    for address in (f"/why/?{OCTOBER}", f"/why/panel/?{OCTOBER}", f"/why/?{OCTOBER}&team=search"):
        body = lead.get(address).content.decode()
        assert "homework" not in body
        assert "Refund" not in body
        assert "−15.00" not in body
    assert "No cost in this period." in lead.get(f"/why/?{OCTOBER}&team=search").content.decode()


@pytest.mark.parametrize(
    ("address", "narrowed"),
    [
        ("/", ""),
        ("/teams/live-class/", "team=live-class"),
        ("/organisation/department/直播/", "department=%E7%9B%B4%E6%92%AD"),
        ("/teams/live-class/namespaces/online/classroom/", "team=live-class&cluster=online&namespace=classroom"),
        ("/units/", "start=2026-10-01&last=2026-10-30"),
    ],
)
def test_every_page_of_cost_has_a_panel_that_asks_the_same(published, client_of, address, narrowed):
    staff = client_of("staff")
    body = staff.get(f"{address}?{OCTOBER}").content.decode().replace("&amp;", "&")
    (panel,) = re.findall(r'hx-get="(/why/panel/[^"]+)"', body)

    assert all(pair in panel for pair in narrowed.split("&"))
    told = staff.get(panel).content.decode()
    assert "media since 1 Oct" in told
    assert "1 Oct 2026 – 30 Oct 2026 against 1 Sep 2026 – 30 Sep 2026" in " ".join(told.split())


def test_a_page_whose_period_has_nothing_to_compare_with_has_no_panel(published, client_of):
    assert "/why/panel/" not in client_of("staff").get("/?period=90").content.decode()


def test_the_figure_is_a_bridge_that_ends_where_the_period_does(published, client_of):
    (trace,) = client_of("staff").get(f"/figures/why/?{OCTOBER}").json()["data"]

    assert trace["y"][0] + sum(trace["y"][1:-1]) == pytest.approx(trace["y"][-1])
    assert trace["x"][1:-1] == ["New", "Without quantity"]


def test_a_hostile_name_is_text(people, client_of):
    changed = company.Cost(company.HOSTILE, "5.00", namespace=company.HOSTILE, cluster="c", days=company.OCTOBER)
    company.publish((*company.COMPANY, changed))
    body = client_of("staff").get(f"/why/?{OCTOBER}&team=unallocated,{company.HOSTILE}").content.decode()

    assert "<script>alert" not in body
    shown = re.sub(r'(value|href|data-[a-z-]+)="[^"]*"', "", body)
    assert "\u202e" not in shown


def test_two_currencies_stand_by_themselves(people, client_of):
    company.publish(company.TWO_CURRENCIES)
    body = client_of("staff").get(f"/why/?{OCTOBER}&currency=USD").content.decode()

    assert "+90.00" in body
    assert "150.00" not in body


def test_every_word_of_it_is_translated():
    """What is said of a change is written where it is found, in insights."""
    code = "\n".join(path.read_text() for path in (ROOT / "apps" / "insights" / "why").glob("*.py"))
    said = set(re.findall(r'(?:\b_|gettext_lazy|Sentence)\(\s*"((?:[^"\\]|\\.)+)"', code))

    assert len(said) > 60
    assert said - written().keys() == set()


def test_what_has_too_many_rows_is_told_by_coarser_parts_and_says_so(published, client_of, monkeypatch):
    monkeypatch.setattr("apps.marts.cube.MAX_ROWS", 2)
    for address in (f"/why/?{OCTOBER}", f"/why/panel/?{OCTOBER}"):
        response = client_of("staff").get(address)
        body = response.content.decode()
        assert response.status_code == 200
        assert "in no segment alone" in body
        assert "More than 200,000 rows: where it happened is told" in body
        assert "No segment stands out" not in body


def test_the_day_is_written_as_people_do():
    from apps.insights.why.telling import _day

    with override("zh-hans"):
        assert _day(date(2026, 11, 12)) == "11月12日"
    with override("en"):
        assert _day(date(2026, 11, 12)) == "12 Nov"
