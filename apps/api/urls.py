"""The addresses of the API."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path

from apps.api import (
    anomalies,
    bases,
    books,
    budgets,
    calendars,
    disputes,
    estimates,
    explain,
    forecasts,
    idle,
    planned,
    plans,
    rates,
    recommendations,
    rules,
    units,
    views,
    why,
    worklist,
)
from apps.api.compat import views as compat

OPENCOST = {
    "allocation": compat.AllocationView,
    "allocation/compute": compat.AllocationComputeView,
    "assets": compat.AssetsView,
    "cloudCost": compat.CloudCostView,
}
"""Its programs ask without a slash at the end, and lose their token where they are sent on to one."""
KUBECOST = {f"model/{name}": view for name, view in OPENCOST.items()} | {
    "model/assets": compat.AssetListView,
    "model/getConfigs": compat.ConfigsView,
}
"""The same where kubectl-cost asks for it unless told otherwise."""

urlpatterns = [
    path("schema/", views.SchemaView.as_view(), name="api-schema"),
    path("docs/", login_required(views.DocsView.as_view()), name="api-docs"),
    path("v1/costs/", views.CostsView.as_view(), name="api-costs"),
    path("v1/bases/", bases.BasesView.as_view(), name="api-bases"),
    path("v1/estimates/", estimates.EstimatesView.as_view(), name="api-estimates"),
    path("v1/estimates/accuracy/", estimates.AccuracyView.as_view(), name="api-estimates-accuracy"),
    path("v1/explain/", explain.ExplainView.as_view(), name="api-explain"),
    path("v1/why/", why.WhyView.as_view(), name="api-why"),
    path("v1/disputes/", disputes.DisputesView.as_view(), name="api-disputes"),
    path("v1/disputes/<int:number>/", disputes.DisputeView.as_view(), name="api-dispute"),
    path("v1/teams/", views.TeamsView.as_view(), name="api-teams"),
    path("v1/teams/<slug:name>/", views.TeamView.as_view(), name="api-team"),
    path("v1/sources/", views.SourcesView.as_view(), name="api-sources"),
    path("v1/restatements/", views.RestatementsView.as_view(), name="api-restatements"),
    path("v1/publications/", views.PublicationsView.as_view(), name="api-publications"),
    path("v1/reconciliation/", views.ReconciliationView.as_view(), name="api-reconciliation"),
    path("v1/rates/", rates.RatesView.as_view(), name="api-rates"),
    path("v1/units/", units.UnitsView.as_view(), name="api-units"),
    path("v1/units/change/", units.UnitChangeView.as_view(), name="api-unit-change"),
    path("v1/drivers/", units.DriversView.as_view(), name="api-drivers"),
    path("v1/drivers/quantities/", units.QuantitiesView.as_view(), name="api-quantities"),
    path("v1/rules/", rules.RulesView.as_view(), name="api-rules"),
    path("v1/rule-drafts/", rules.RuleDraftsView.as_view(), name="api-rule-drafts"),
    path("v1/rule-drafts/<int:number>/", rules.RuleDraftView.as_view(), name="api-rule-draft"),
    path(
        "v1/rule-drafts/<int:number>/<slug:action>/", rules.RuleDraftActionView.as_view(), name="api-rule-draft-action"
    ),
    path("v1/worklist/", worklist.WorklistView.as_view(), name="api-worklist"),
    path("v1/worklist/<slug:subject>/<slug:action>/", worklist.WorklistItemView.as_view(), name="api-worklist-item"),
    path("v1/forecasts/", forecasts.ForecastsView.as_view(), name="api-forecasts"),
    path("v1/anomalies/", anomalies.AnomaliesView.as_view(), name="api-anomalies"),
    path("v1/anomalies/<slug:anomaly>/", anomalies.AnomalyView.as_view(), name="api-anomaly"),
    path("v1/recommendations/", recommendations.RecommendationsView.as_view(), name="api-recommendations"),
    path("v1/recommendations/<int:number>/", recommendations.RecommendationView.as_view(), name="api-recommendation"),
    path("v1/idle/", idle.IdleView.as_view(), name="api-idle"),
    path("v1/idle/exclusions/", idle.ExclusionsView.as_view(), name="api-idle-exclusions"),
    path("v1/idle/exclusions/<int:number>/", idle.ExclusionView.as_view(), name="api-idle-exclusion"),
    path("v1/plans/", plans.PlansView.as_view(), name="api-plans"),
    path("v1/plans/<slug:planner>/", plans.PlanView.as_view(), name="api-plan"),
    path("v1/plans/<slug:planner>/table/", plans.PlanTableView.as_view(), name="api-plan-table"),
    path("v1/plans/<slug:planner>/outcomes/", plans.OutcomesView.as_view(), name="api-plan-outcomes"),
    path("v1/plans/<slug:planner>/files/<str:file>/", plans.PlanFileView.as_view(), name="api-plan-file"),
    path("v1/budgets/", budgets.BudgetsView.as_view(), name="api-budgets"),
    path("v1/budgets/file/", budgets.BudgetsFileView.as_view(), name="api-budgets-file"),
    path("v1/budgets/<int:number>/", budgets.BudgetView.as_view(), name="api-budget"),
    path("v1/budgets/<int:number>/end/", budgets.EndBudgetView.as_view(), name="api-budget-end"),
    path("v1/calendar/", calendars.CalendarView.as_view(), name="api-calendar"),
    path("v1/planned/", planned.PlannedView.as_view(), name="api-planned"),
    path("v1/planned/<int:number>/withdraw/", planned.WithdrawView.as_view(), name="api-planned-withdraw"),
    *(path(f"compat/opencost/{name}", view.as_view()) for name, view in OPENCOST.items()),
    *(path(f"compat/opencost/{name}/", view.as_view(schema=None)) for name, view in OPENCOST.items()),
    *(path(f"compat/opencost/{name}", view.as_view(schema=None)) for name, view in KUBECOST.items()),
    path("v1/changes/", books.ChangesView.as_view(), name="api-changes"),
    path("v1/closings/", books.ClosingsView.as_view(), name="api-closings"),
    path("v1/closings/<slug:month>/", books.ClosingView.as_view(), name="api-closing"),
    path("v1/invoices/", books.InvoicesView.as_view(), name="api-invoices"),
    path("v1/adjustments/", disputes.BookView.as_view(), name="api-adjustments"),
    re_path(r"^(?:.*/)?$", views.NowhereView.as_view()),  # with a slash: without one, Django first tries to add it
]
