"""Setting budgets and the calendar in a real browser: made, changed, ended; brought, seen, undone."""

from typing import Any

from tests.dashboards import company
from tests.dashboards.test_browser import visit, wait_for_figures

__all__ = ["visit"]

DAYS = b"name,kind,first,last\nFounders,holiday,2026-11-05,2026-11-05\nAutumn,term,2026-09-01,2026-10-30\n"


def test_a_budget_is_made_changed_and_ended(visit: Any):
    company.publish()
    page = visit("/budgets/")
    for name, text in {"name": "class", "value": "live-class", "currency": "CNY", "valid_from": "2026-10-01",
                       "amount": "1"}.items():  # fmt: skip
        page.fill(f"[name={name}]", text)
    page.select_option("[name=dimension]", "team")
    page.get_by_role("button", name="Set it").click()
    page.wait_for_url("**/budgets/*/")
    assert set(wait_for_figures(page)) == {"yes"}
    assert "Exceeded on" in page.inner_text("main")

    page.get_by_text("Decide anew").click()
    page.fill("[name=amount]", "5000")
    page.locator("form", has=page.get_by_role("button", name="Decide", exact=True)).locator("[name=why]").fill("grew")
    page.get_by_role("button", name="Decide", exact=True).click()
    page.get_by_text("on 5,000.00 CNY, even by day").wait_for()
    assert "grew" in page.inner_text("main")

    page.locator("summary", has_text="End it").click()
    page.select_option("[name=valid_to]", index=1)
    page.locator("button[name=action][value=end]").click()
    page.get_by_text("It holds no longer from").first.wait_for()


def test_days_are_brought_to_the_calendar_seen_and_undone(visit: Any):
    page = visit("/calendar/?year=2026")
    page.set_input_files("[name=table]", {"name": "days.csv", "mimeType": "text/csv", "buffer": DAYS})
    page.get_by_role("button", name="Bring it").click()
    page.get_by_text("The file days.csv was taken: 2 entries between 1 Sep 2026 and 5 Nov 2026.").wait_for()
    november = page.locator("table.month", has_text="November")
    assert "Founders" in november.locator(".day--holiday").all_inner_texts()[0]
    assert page.locator(".day--term").count() > 30

    page.set_input_files("[name=table]", {"name": "again.csv", "mimeType": "text/csv", "buffer": DAYS})
    page.get_by_role("button", name="Bring it").click()
    page.get_by_text("Nothing was changed: all of the file holds already.").wait_for()

    page.get_by_role("button", name="Undo").click()
    page.get_by_text("undone").wait_for()
    assert page.locator(".day--term").count() == 0
    assert "Founders" not in november.inner_text()
