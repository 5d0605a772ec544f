"""Everything a page shows can be asked: every page stands here with its operations, or with why it has none."""

import pytest

from apps.api.openapi import examples
from apps.dashboards.urls import urlpatterns as dashboards
from apps.reports.urls import urlpatterns as reports

COSTS = "costs teams why forecasts budgets savings_ways recommendations"
ANSWERED = {
    "overview": COSTS, "unit": COSTS, "team": COSTS, "namespace": "costs recommendations",
    "search": "search", "search-suggestions": "search",
    "efficiency": "efficiency efficiency_hours", "figure-efficiency": "efficiency",
    "figure-efficiency-hours": "efficiency_hours",
    "estimates": "estimates estimates-accuracy",
    "explain": "explain", "explain-invoice": "invoice_rows",
    "disputes": "disputes open_dispute", "dispute": "dispute move_dispute book_entry",
    "explorer": "costs", "explorer-values": "costs search", "explorer-views": "views keep_view",
    "explorer-view": "view change_view delete_view", "explorer-file": "costs", "figure-explorer": "costs",
    "annotations": "annotations annotation annotate delete_annotation import_annotations",
    "forecasts": "forecasts planned plan withdraw_planned", "figure-forecast": "forecasts",
    "budgets": "budgets set_budget budgets_file import_budgets", "budget": "budget change_budget end_budget",
    "figure-budget": "budget",
    "calendar": "calendar import_calendar",
    "anomalies": "anomalies", "anomaly": "anomaly say_of_anomaly", "figure-anomaly": "anomaly",
    "alerts": "alerts", "alert": "alert acknowledge_alert", "alert-rules": "alert_rules set_alert_rule",
    "channels": "channels", "channel-new": "make_channel",
    "channel": "channel change_channel remove_channel test_channel",
    "deliveries": "deliveries retry_delivery",
    "recommendations": "recommendations step_recommendations", "recommendation": "recommendation step_recommendation",
    "why": "why", "why-panel": "why", "figure-why": "why",
    "idle": "idle idle_exclusions exclude_idle undo_idle_exclusion", "idle-one": "idle", "figure-idle": "idle",
    "offers": "offers add_offers", "offers-file": "offers",
    "savings": "savings savings_ways", "saving-new": "write_saving", "saving": "saving step_saving saving_outcomes",
    "saving-edit": "step_saving", "figure-savings": "savings_ways", "figure-saving": "saving",
    "plans": "plans", "plan": "one_plan choose_plan_settings bring_plan_table plan_outcomes measure_plan_outcome",
    "plan-file": "plan_file", "figure-plan": "one_plan",
    "units": "units unit_change drivers quantities", "figure-units": "units",
    "rules": "rules draft_rules", "rule-draft": "rule_draft do_rule_draft", "worklist": "worklist settle",
    "sources": "sources source_files", "sources-upload": "bring_file", "sources-upload-results": "source_files",
    "sources-progress": "progress",
    "runs": "runs", "runs-progress": "progress runs",
    "quality": "quality", "quality-decide": "decide_held", "restatements": "restatements",
    "prices": "prices commitments import_prices",
    "reconciliation": "reconciliation", "reconciliation-days": "reconciliation",
    "figure-reconciliation": "reconciliation",
    "publications": "publications", "audit": "audit",
    "changes": "changes", "figure-changes": "changes",
    "closing": "closings close adjustments", "statement": "statement",
    "invoices": "invoices", "invoice": "invoices invoice_rows", "bases": "bases",
    "figure-overview": "costs", "figure-unit": "costs", "figure-team": "costs", "figure-namespace": "costs",
    "reports": "reports", "report-letter": "report", "report-page": "report_part", "report-part": "report_part",
    "weekly-preview": "reports", "company-preview": "reports",
    "report-subscriptions": "subscriptions wish_for_report", "report-unsubscribe": "wish_for_report",
}  # fmt: skip
"""Page → the operations that answer the same and do the same."""
UNANSWERED = {
    "first-steps": "leads people through pages; a program registers sources with `manage.py source add`",
    "first-steps-take": "the same",
    "first-steps-progress": "the same",
    "start": "chooses the page that a browser begins with",
    "settings": "shows the environment of the installation, and language and zone of a browser",
    "runs-fill": "the clock fills by itself; an operator says `manage.py fill`",
    "installation": "is asked by monitoring: `/metrics`, `/healthz` and `/readyz`",
    "login": "a program shows a token",
    "logout": "a program shows a token",
    "theme": "how pages look to whoever reads them",
}
"""Page → why no operation answers it."""


def named() -> set[str]:
    return {str(one.name) for one in (*dashboards, *reports)}


def test_every_page_is_answered_or_says_why_not() -> None:
    assert named() - ANSWERED.keys() == UNANSWERED.keys()
    assert ANSWERED.keys() <= named(), "a page that is gone"
    assert all(UNANSWERED.values())


@pytest.mark.parametrize("page", ANSWERED)
def test_the_operations_of_a_page_are_there(page: str) -> None:
    assert set(ANSWERED[page].split()) - examples().keys() == set()
