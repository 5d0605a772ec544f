"""Who may see what: every address, every sort of person."""

import re

import pytest

from apps.marts.selectors import publication
from tests.dashboards import company

TEAM, OTHER = "/teams/live-class/", "/teams/search/"
NAMESPACE = "namespaces/online/classroom/"
WHO = ("nobody", "newcomer", "lilei", "finance", "staff")

MATRIX = [
    # address                                          nobody newcomer lilei finance staff
    ("/", 302, 403, 200, 200, 200),
    (TEAM, 302, 403, 200, 200, 200),
    (OTHER, 302, 403, 404, 200, 200),
    ("/teams/unallocated/", 302, 403, 404, 200, 200),
    ("/teams/there-is-none/", 302, 403, 404, 404, 404),
    (f"{TEAM}{NAMESPACE}", 302, 403, 200, 200, 200),
    (f"{OTHER}namespaces/gpu/homework/", 302, 403, 404, 200, 200),
    ("/figures/overview/team/", 302, 200, 200, 200, 200),
    ("/figures/overview/password/", 302, 404, 404, 404, 404),
    ("/figures/teams/live-class/kind/", 302, 404, 200, 200, 200),
    ("/figures/teams/search/kind/", 302, 404, 404, 200, 200),
    (f"/figures/teams/search/{NAMESPACE}workload/", 302, 404, 404, 200, 200),
    ("/organisation/department/直播/", 302, 403, 200, 200, 200),
    ("/organisation/company/直播/", 302, 403, 404, 404, 404),
    ("/organisation/department/nowhere/", 302, 403, 404, 404, 404),
    ("/organisation/team/live-class/", 302, 403, 404, 404, 404),
    ("/figures/organisation/department/直播/team/", 302, 200, 200, 200, 200),
    ("/figures/organisation/team/live-class/kind/", 302, 404, 404, 404, 404),
    ("/efficiency/", 302, 403, 200, 200, 200),
    ("/figures/efficiency/", 302, 404, 200, 200, 200),
    ("/figures/efficiency/hours/", 302, 404, 200, 200, 200),
    ("/search/", 302, 403, 200, 200, 200),
    ("/search/suggestions/", 302, 403, 200, 200, 200),
    ("/start/", 302, 302, 302, 302, 302),
    ("/settings/", 302, 200, 200, 200, 200),
    ("/settings/theme/", 302, 405, 405, 405, 405),
    ("/first-steps/", 302, 403, 403, 200, 200),
    ("/first-steps/take/", 302, 403, 403, 403, 405),
    ("/first-steps/progress/", 302, 403, 403, 200, 200),
    ("/runs/", 302, 403, 403, 200, 200),
    ("/runs/progress/", 302, 403, 403, 200, 200),
    ("/runs/fill/", 302, 403, 403, 403, 405),
    ("/estimates/", 302, 403, 200, 200, 200),
    ("/explain/invoice/", 302, 403, 403, 400, 400),
    ("/disputes/", 302, 403, 200, 200, 200),
    ("/disputes/1/", 302, 403, 404, 404, 404),
    ("/explain/", 302, 403, 400, 400, 400),
    ("/explorer/", 302, 403, 200, 200, 200),
    ("/explorer/values/?dimension=team", 302, 404, 200, 200, 200),
    ("/explorer/views/", 302, 403, 200, 200, 200),
    ("/explorer/views/7/", 302, 403, 404, 404, 404),
    ("/explorer/annotations/", 302, 403, 200, 200, 200),
    ("/explorer/files/csv/", 302, 404, 200, 200, 200),
    ("/explorer/files/exe/", 302, 404, 404, 404, 404),
    ("/figures/explorer/", 302, 404, 200, 200, 200),
    ("/forecasts/", 302, 403, 200, 200, 200),
    ("/figures/forecasts/", 302, 404, 404, 404, 404),
    ("/anomalies/", 302, 403, 200, 200, 200),
    ("/anomalies/nothing/", 302, 403, 404, 404, 404),
    ("/figures/anomalies/nothing/", 302, 404, 404, 404, 404),
    ("/alerts/", 302, 403, 200, 200, 200),
    ("/alerts/1/", 302, 403, 404, 404, 404),
    ("/alerts/rules/", 302, 403, 200, 200, 200),
    ("/channels/", 302, 403, 200, 200, 200),
    ("/channels/new/", 302, 403, 400, 400, 400),
    ("/channels/1/", 302, 404, 404, 404, 404),
    ("/channels/deliveries/", 302, 403, 200, 200, 200),
    ("/budgets/", 302, 403, 200, 200, 200),
    ("/budgets/1/", 302, 403, 404, 404, 404),
    ("/figures/budgets/1/", 302, 404, 404, 404, 404),
    ("/calendar/", 302, 403, 200, 200, 200),
    ("/recommendations/", 302, 403, 200, 200, 200),
    ("/recommendations/1/", 302, 403, 404, 404, 404),
    ("/savings/", 302, 403, 200, 200, 200),
    ("/savings/new/", 302, 403, 200, 200, 200),
    ("/savings/7/", 302, 403, 404, 404, 404),
    ("/savings/7/draft/", 302, 403, 404, 404, 404),
    ("/figures/savings/", 302, 404, 404, 404, 404),
    ("/figures/savings/7/", 302, 404, 404, 404, 404),
    ("/why/", 302, 403, 200, 200, 200),
    ("/why/panel/", 302, 403, 200, 200, 200),
    ("/figures/why/", 302, 200, 200, 200, 200),
    ("/idle/", 302, 403, 200, 200, 200),
    ("/idle/nothing/", 302, 403, 404, 404, 404),
    ("/figures/idle/nothing/week/", 302, 404, 404, 404, 404),
    ("/plans/", 302, 403, 200, 200, 200),
    ("/plans/pools/", 302, 403, 200, 200, 200),
    ("/plans/nothing/", 302, 403, 404, 404, 404),
    ("/plans/pools/files/plan.json/", 302, 404, 404, 404, 404),
    ("/figures/plans/pools/week/", 302, 404, 404, 404, 404),
    ("/units/", 302, 403, 200, 200, 200),
    ("/figures/units/cost/", 302, 404, 200, 200, 200),
    ("/figures/units/bridge/", 302, 404, 200, 200, 200),
    ("/figures/units/nothing/", 302, 404, 404, 404, 404),
    ("/sources/", 302, 403, 403, 200, 200),
    ("/sources/progress/", 302, 403, 403, 200, 200),
    ("/sources/upload/", 302, 403, 403, 403, 200),
    ("/sources/upload/nothing/", 302, 403, 403, 403, 404),
    ("/audit/", 302, 403, 403, 403, 200),
    ("/installation/", 302, 403, 403, 200, 200),
    ("/quality/", 302, 403, 403, 200, 200),
    ("/quality/bill/", 302, 403, 403, 403, 405),
    ("/restatements/", 302, 403, 403, 200, 200),
    ("/prices/", 302, 403, 403, 200, 200),
    ("/offers/", 302, 403, 403, 200, 200),
    ("/offers/file/", 302, 403, 403, 200, 200),
    ("/reconciliation/", 302, 403, 403, 200, 200),
    ("/reconciliation/bill/2026-10/CNY/", 302, 403, 403, 200, 200),
    ("/reconciliation/bill/1999-01/CNY/", 302, 403, 403, 404, 404),
    ("/figures/reconciliation/bill/2026-10/CNY/", 302, 403, 403, 200, 200),
    ("/publications/", 302, 403, 403, 200, 200),
    ("/changes/", 302, 403, 200, 200, 200),
    ("/closing/", 302, 403, 403, 200, 200),
    ("/closing/2026-10/csv/", 302, 403, 403, 404, 404),
    ("/rules/", 302, 403, 200, 200, 200),
    ("/rules/drafts/7/", 302, 403, 404, 404, 404),
    ("/worklist/", 302, 403, 403, 200, 200),
    ("/invoices/", 302, 403, 403, 200, 200),
    ("/invoices/A-1/100/CNY/", 302, 403, 403, 404, 404),
    ("/bases/", 302, 403, 200, 200, 200),
    ("/figures/changes/", 302, 200, 200, 200, 200),
    ("/admin/", 302, 302, 302, 302, 200),
    ("/login/", 200, 302, 302, 302, 302),
    ("/nothing/", 404, 404, 404, 404, 404),
]


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row[0])
def test_who_may_see(published, client_of, client, row):
    company.bring_drivers()
    address, *expected = row
    clients = [client, *(client_of(name) for name in WHO[1:])]
    assert [one.get(address).status_code for one in clients] == expected


def test_every_page_stands_in_the_matrix():
    from django.urls import resolve

    from apps.dashboards.urls import urlpatterns

    tried = {resolve(row[0].partition("?")[0]).url_name for row in MATRIX if row[0] != "/nothing/"}
    assert {pattern.name for pattern in urlpatterns} - tried == {"logout"}


def test_a_lead_sees_own_cost_only_however_he_asks(published, client_of):
    lilei = client_of("lilei")
    number = publication().number
    for address in ("/", "/?period=90", f"/?publication={number}", "/figures/overview/team/"):
        body = lilei.get(address).content.decode()
        assert "直播课堂" in body or "\\u76f4\\u64ad\\u8bfe\\u5802" in body
        box = r'<form class="search".*?</form>|<script[^>]*/search[^>]*>'
        assert "search" not in re.sub(box, "", body, flags=re.DOTALL)
        assert "homework" not in body


def test_a_figure_of_nobody_is_empty(published, client_of):
    assert client_of("newcomer").get("/figures/overview/team/").json()["data"] == []


@pytest.mark.parametrize(
    "address", ["/", TEAM, "/sources/", "/reconciliation/", "/publications/", "/figures/overview/kind/"]
)
def test_what_a_person_sees_is_stored_nowhere(published, client_of, address):
    assert "no-store" in client_of("staff").get(address).headers["Cache-Control"]


def test_a_page_allows_no_inline_script_or_style(published, client_of):
    response = client_of("staff").get("/")
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src-elem"] == policy["connect-src"] == "'self'"


def test_signing_in_and_out(published, client):
    from tests.dashboards.company import PASSWORD

    assert client.post("/login/", {"username": "lilei", "password": "wrong"}).status_code == 200
    entered = client.post(
        "/login/?next=//evil.example/", {"username": "lilei", "password": PASSWORD, "next": "//evil.example/"}
    )
    assert entered.headers["Location"] == "/start/"
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302
