"""The addresses of the API."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path

from apps.api import books, forecasts, rates, units, views
from apps.api.compat import views as compat

OPENCOST = {
    "allocation": compat.AllocationView,
    "allocation/compute": compat.AllocationComputeView,
    "assets": compat.AssetsView,
    "cloudCost": compat.CloudCostView,
}
"""Its programs ask without a slash at the end, and lose their token where they are sent on to one."""

urlpatterns = [
    path("schema/", views.SchemaView.as_view(), name="api-schema"),
    path("docs/", login_required(views.DocsView.as_view()), name="api-docs"),
    path("v1/costs/", views.CostsView.as_view(), name="api-costs"),
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
    path("v1/forecasts/", forecasts.ForecastsView.as_view(), name="api-forecasts"),
    *(path(f"compat/opencost/{name}", view.as_view()) for name, view in OPENCOST.items()),
    *(path(f"compat/opencost/{name}/", view.as_view(schema=None)) for name, view in OPENCOST.items()),
    path("v1/changes/", books.ChangesView.as_view(), name="api-changes"),
    path("v1/closings/", books.ClosingsView.as_view(), name="api-closings"),
    path("v1/closings/<slug:month>/", books.ClosingView.as_view(), name="api-closing"),
    path("v1/invoices/", books.InvoicesView.as_view(), name="api-invoices"),
    path("v1/adjustments/", books.AdjustmentsView.as_view(), name="api-adjustments"),
    re_path(r"^(?:.*/)?$", views.NowhereView.as_view()),  # with a slash: without one, Django first tries to add it
]
