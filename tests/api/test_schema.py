"""The schema: valid, complete, true to what is answered, and readable in a browser without breaking the policy."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from pytest_django.live_server_helper import LiveServer

from tests.api.company import bring_drivers, bring_rates
from tests.api.test_openapi import resolved, schema_of_today

ADDRESSES = {
    "/api/v1/costs/": "/api/v1/costs/?group_by=team,day,kind&limit=2&currency=CNY&filter[limit]=1&compare=year",
    "/api/v1/bases/": "/api/v1/bases/?group_by=team,day&currency=CNY",
    "/api/v1/estimates/": "/api/v1/estimates/?group_by=team,day",
    "/api/v1/estimates/accuracy/": "/api/v1/estimates/accuracy/?group_by=team",
    "/api/v1/teams/": "/api/v1/teams/",
    "/api/v1/teams/{name}/": "/api/v1/teams/live-class/",
    "/api/v1/access/": "/api/v1/access/",
    "/api/v1/sources/": "/api/v1/sources/",
    "/api/v1/restatements/": "/api/v1/restatements/?billing_month=2026-10&limit=1",
    "/api/v1/publications/": "/api/v1/publications/",
    "/api/v1/reconciliation/": "/api/v1/reconciliation/",
    "/api/v1/rates/": "/api/v1/rates/?from=USD",
    "/api/v1/units/": "/api/v1/units/?driver=requests&currency=CNY",
    "/api/v1/units/change/": "/api/v1/units/change/?driver=requests&start=2026-10-06&currency=CNY",
    "/api/v1/drivers/": "/api/v1/drivers/",
    "/api/v1/forecasts/": "/api/v1/forecasts/",
    "/api/v1/anomalies/": "/api/v1/anomalies/?state=all",
    "/api/v1/anomalies/{anomaly}/": "/api/v1/anomalies/nothing/",
    "/api/v1/alerts/": "/api/v1/alerts/?state=any",
    "/api/v1/alerts/{number}/": "/api/v1/alerts/7/",
    "/api/v1/channels/": "/api/v1/channels/",
    "/api/v1/deliveries/": "/api/v1/deliveries/?state=failed",
    "/api/v1/budgets/": "/api/v1/budgets/?state=unknown",
    "/api/v1/budgets/{number}/": "/api/v1/budgets/{made}/",
    "/api/v1/budgets/file/": "/api/v1/budgets/file/",
    "/api/v1/calendar/": "/api/v1/calendar/?year=2026",
    "/api/v1/recommendations/": "/api/v1/recommendations/?state=any",
    "/api/v1/recommendations/{number}/": "/api/v1/recommendations/7/",
    "/api/v1/savings/": "/api/v1/savings/",
    "/api/v1/savings/ways/": "/api/v1/savings/ways/",
    "/api/v1/savings/{number}/": "/api/v1/savings/7/",
    "/api/v1/savings/{number}/outcomes/": "/api/v1/savings/7/outcomes/",
    "/api/v1/idle/": "/api/v1/idle/",
    "/api/v1/efficiency/": "/api/v1/efficiency/?by=workload",
    "/api/v1/efficiency/hours/": "/api/v1/efficiency/hours/?by=week",
    "/api/v1/idle/exclusions/": "/api/v1/idle/exclusions/",
    "/api/v1/planned/": "/api/v1/planned/?all=true",
    "/api/v1/plans/": "/api/v1/plans/",
    "/api/v1/plans/{planner}/": "/api/v1/plans/pools/",
    "/api/v1/plans/{planner}/outcomes/": "/api/v1/plans/upgrades/outcomes/",
    "/api/v1/plans/{planner}/files/{file}/": "/api/v1/plans/pools/files/plan.json/",
    "/api/v1/why/": "/api/v1/why/?start=2026-10-06",
    "/api/compat/opencost/allocation": "/api/compat/opencost/allocation?window=2026-10-05,2026-10-08",
    "/api/compat/opencost/allocation/compute": "/api/compat/opencost/allocation/compute?window=1h",
    "/api/compat/opencost/assets": "/api/compat/opencost/assets?window=2026-10-05,2026-10-08",
    "/api/compat/opencost/cloudCost": "/api/compat/opencost/cloudCost?window=2026-10-05,2026-10-08&step=1d",
    "/api/v1/audit/": "/api/v1/audit/",
    "/api/v1/changes/": "/api/v1/changes/",
    "/api/v1/views/": "/api/v1/views/",
    "/api/v1/views/{number}/": "/api/v1/views/{view}/",
    "/api/v1/annotations/": "/api/v1/annotations/?start=2026-10-01&end=2026-11-01",
    "/api/v1/annotations/{number}/": "/api/v1/annotations/{note}/",
    "/api/v1/drivers/quantities/": "/api/v1/drivers/quantities/?driver=requests",
    "/api/v1/explain/": "/api/v1/explain/?limit=1",
    "/api/v1/exports/charges/": "/api/v1/exports/charges/",
    "/api/v1/exports/allocated/": "/api/v1/exports/allocated/?format=parquet",
    "/api/v1/disputes/": "/api/v1/disputes/",
    "/api/v1/disputes/{number}/": "/api/v1/disputes/1/",
    "/api/v1/closings/": "/api/v1/closings/",
    "/api/v1/closings/{month}/": "/api/v1/closings/2026-10/",
    "/api/v1/adjustments/": "/api/v1/adjustments/",
    "/api/v1/invoices/": "/api/v1/invoices/",
    "/api/v1/invoices/rows/": "/api/v1/invoices/rows/?invoice_id=7",
    "/api/v1/search/": "/api/v1/search/?q=live",
    "/api/v1/sources/{name}/files/": "/api/v1/sources/bill/files/",
    "/api/v1/reports/": "/api/v1/reports/",
    "/api/v1/reports/{number}/": "/api/v1/reports/7/",
    "/api/v1/reports/{number}/parts/{name}/": "/api/v1/reports/7/parts/letter.txt/",
    "/api/v1/rules/": "/api/v1/rules/",
    "/api/v1/rule-drafts/": "/api/v1/rule-drafts/",
    "/api/v1/rule-drafts/{number}/": "/api/v1/rule-drafts/7/",
    "/api/v1/worklist/": "/api/v1/worklist/",
    "/api/v1/me/": "/api/v1/me/",
    "/api/v1/runs/": "/api/v1/runs/?state=failed",
    "/api/v1/runs/progress/": "/api/v1/runs/progress/",
    "/api/v1/quality/": "/api/v1/quality/?severity=error",
    "/api/v1/prices/": "/api/v1/prices/?provider=Alibaba",
    "/api/v1/commitments/": "/api/v1/commitments/?month=2026-10",
    "/api/v1/offers/": "/api/v1/offers/?limit=2",
    "/api/v1/alert-rules/": "/api/v1/alert-rules/?rule=anomaly",
    "/api/v1/channels/{number}/": "/api/v1/channels/7/",
    "/api/v1/subscriptions/": "/api/v1/subscriptions/",
    "/api/problems/": "/api/problems/?limit=3",
    "/api/problems/{code}/": "/api/problems/throttled/",
}


def test_the_schema_is_valid_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


@pytest.mark.parametrize("caller", ["finance", "lilei"])
def test_answers_are_what_the_schema_says(callers: dict[str, Client], caller: str) -> None:
    bring_rates()
    bring_drivers()
    wanted = "name=live&dimension=team&value=live-class&amount=7&currency=CNY&valid_from=2026-10-01"
    made = callers["finance"].post(f"/api/v1/budgets/?{wanted}").json()["number"]
    note = callers["finance"].post("/api/v1/annotations/?first=2026-10-05&text=release").json()["number"]
    view = callers["finance"].post("/api/v1/views/?name=flows&query=chart%3Dsankey&shared=everyone").json()["number"]
    schema = callers[caller].get("/api/schema/?format=json").json()
    asked = {path: methods["get"] for path, methods in schema["paths"].items() if "get" in methods}
    paths = {path: method["responses"] for path, method in asked.items()}
    assert set(paths) == set(ADDRESSES)
    for path, address in ADDRESSES.items():
        response = callers[caller].get(address.format(made=made, note=note, view=view))
        media = response["Content-Type"].partition(";")[0]
        said = resolved(schema, paths[path][str(response.status_code)])["content"][media]["schema"]
        whole = closed({**said, "components": schema["components"]})
        problems = list(Draft202012Validator(whole).iter_errors(response.json()))
        assert (path, problems) == (path, [])


def closed(schema: Any) -> Any:
    """The same schema, by which a field nobody documented is an error."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found["additionalProperties"] = False
    return found


def test_the_answer_of_the_documentation_is_what_the_schema_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text().partition("## Answers")[2]
    told = json.loads(page.partition("```json\n")[2].partition("```")[0])
    schema = schema_of_today()
    said = schema["paths"]["/api/v1/costs/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    whole = closed({**said, "components": schema["components"]})
    assert list(Draft202012Validator(whole).iter_errors(told)) == []
    assert told["rows"][0]["explain"].count("&") == 4


def test_the_documentation_is_for_those_who_signed_in(published: object) -> None:
    assert Client().get("/api/docs/")["Location"] == "/login/?next=/api/docs/"
    assert Client().get("/api/schema/").status_code == 401


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_the_documentation_works_in_a_browser_within_the_content_policy(
    transactional_db: None, live_server: LiveServer, page: Any
) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("finance"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/api/docs/")
    page.get_by_text("/api/v1/reconciliation/").first.wait_for()
    page.get_by_text("/api/v1/teams/", exact=True).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
