"""The addresses of the API."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path

from apps.api import books, views

urlpatterns = [
    path("schema/", views.SchemaView.as_view(), name="api-schema"),
    path("docs/", login_required(views.DocsView.as_view()), name="api-docs"),
    path("v1/costs/", views.CostsView.as_view(), name="api-costs"),
    path("v1/teams/", views.TeamsView.as_view(), name="api-teams"),
    path("v1/teams/<slug:name>/", views.TeamView.as_view(), name="api-team"),
    path("v1/sources/", views.SourcesView.as_view(), name="api-sources"),
    path("v1/publications/", views.PublicationsView.as_view(), name="api-publications"),
    path("v1/reconciliation/", views.ReconciliationView.as_view(), name="api-reconciliation"),
    path("v1/changes/", books.ChangesView.as_view(), name="api-changes"),
    path("v1/closings/", books.ClosingsView.as_view(), name="api-closings"),
    path("v1/closings/<slug:month>/", books.ClosingView.as_view(), name="api-closing"),
    path("v1/invoices/", books.InvoicesView.as_view(), name="api-invoices"),
    path("v1/adjustments/", books.AdjustmentsView.as_view(), name="api-adjustments"),
    re_path(r"^(?:.*/)?$", views.NowhereView.as_view()),  # with a slash: without one, Django first tries to add it
]
