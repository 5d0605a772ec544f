"""The addresses of the pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, register_converter

from apps.dashboards import (
    anomaly_views,
    book_views,
    explain_views,
    forecast_views,
    idle_views,
    organisation_views,
    plan_views,
    recommendation_views,
    rule_views,
    source_views,
    views,
    why_views,
)
from apps.dashboards.converters import NameConverter

register_converter(NameConverter, "name")
_NAMESPACE = "teams/<name:team>/namespaces/<name:cluster>/<name:namespace>/"
_UNIT = "organisation/<slug:kind>/<name:unit>/"
_BOOK = "reconciliation/<name:source>/<name:billing_month>/<name:currency>/"

urlpatterns = [
    path("", organisation_views.Overview.as_view(), name="overview"),
    path(_UNIT, organisation_views.Unit.as_view(), name="unit"),
    path("teams/<name:team>/", organisation_views.Team.as_view(), name="team"),
    path(_NAMESPACE, views.Namespace.as_view(), name="namespace"),
    path("estimates/", views.Estimates.as_view(), name="estimates"),
    path("explain/", explain_views.Explain.as_view(), name="explain"),
    path("explain/invoice/", explain_views.ExplainInvoice.as_view(), name="explain-invoice"),
    path("disputes/", explain_views.Disputes.as_view(), name="disputes"),
    path("disputes/<int:number>/", explain_views.OneDispute.as_view(), name="dispute"),
    path("forecasts/", forecast_views.Forecasts.as_view(), name="forecasts"),
    path("figures/forecasts/", forecast_views.ForecastFigure.as_view(), name="figure-forecast"),
    path("anomalies/", anomaly_views.Anomalies.as_view(), name="anomalies"),
    path("anomalies/<slug:slug>/", anomaly_views.OneAnomaly.as_view(), name="anomaly"),
    path("figures/anomalies/<slug:slug>/", anomaly_views.AnomalyFigure.as_view(), name="figure-anomaly"),
    path("recommendations/", recommendation_views.Inbox.as_view(), name="recommendations"),
    path("recommendations/<int:number>/", recommendation_views.OneRecommendation.as_view(), name="recommendation"),
    path("why/", why_views.Why.as_view(), name="why"),
    path("why/panel/", why_views.WhyPanel.as_view(), name="why-panel"),
    path("figures/why/", why_views.WhyFigure.as_view(), name="figure-why"),
    path("idle/", idle_views.Idle.as_view(), name="idle"),
    path("idle/<slug:identity>/", idle_views.IdleOne.as_view(), name="idle-one"),
    path("figures/idle/<slug:identity>/<slug:what>/", idle_views.IdleFigure.as_view(), name="figure-idle"),
    path("plans/", plan_views.Plans.as_view(), name="plans"),
    path("plans/<slug:planner>/", plan_views.Plan.as_view(), name="plan"),
    path("plans/<slug:planner>/files/<name:name>/", plan_views.PlanFile.as_view(), name="plan-file"),
    path("figures/plans/<slug:planner>/<slug:what>/", plan_views.PlanFigure.as_view(), name="figure-plan"),
    path("units/", views.Units.as_view(), name="units"),
    path("figures/units/<slug:what>/", views.UnitsFigure.as_view(), name="figure-units"),
    path("rules/", rule_views.Rules.as_view(), name="rules"),
    path("rules/drafts/<int:number>/", rule_views.Draft.as_view(), name="rule-draft"),
    path("worklist/", rule_views.WorkPage.as_view(), name="worklist"),
    path("sources/", source_views.Sources.as_view(), name="sources"),
    path("sources/upload/", source_views.Upload.as_view(), name="sources-upload"),
    path("sources/upload/<name:source>/", source_views.UploadResults.as_view(), name="sources-upload-results"),
    path("sources/progress/", source_views.SourcesProgress.as_view(), name="sources-progress"),
    path("quality/", source_views.Quality.as_view(), name="quality"),
    path("quality/<name:source>/", source_views.DecideHeld.as_view(), name="quality-decide"),
    path("restatements/", source_views.Restatements.as_view(), name="restatements"),
    path("prices/", source_views.Prices.as_view(), name="prices"),
    path("reconciliation/", views.Reconciliation.as_view(), name="reconciliation"),
    path(_BOOK, views.ReconciliationDays.as_view(), name="reconciliation-days"),
    path("publications/", views.Publications.as_view(), name="publications"),
    path("changes/", book_views.Changes.as_view(), name="changes"),
    path("closing/", book_views.Closing.as_view(), name="closing"),
    path("closing/<name:month>/<slug:form>/", book_views.Statement.as_view(), name="statement"),
    path("invoices/", book_views.Invoices.as_view(), name="invoices"),
    path("invoices/<name:invoice>/<name:account>/<name:currency>/", book_views.Invoice.as_view(), name="invoice"),
    path("bases/", book_views.Bases.as_view(), name="bases"),
    path("figures/changes/", book_views.ChangesFigure.as_view(), name="figure-changes"),
    path("figures/overview/<slug:by>/", views.TrendFigure.as_view(), name="figure-overview"),
    path(f"figures/{_UNIT}<slug:by>/", organisation_views.UnitFigure.as_view(), name="figure-unit"),
    path("figures/teams/<name:team>/<slug:by>/", views.TrendFigure.as_view(), name="figure-team"),
    path(f"figures/{_NAMESPACE}<slug:by>/", views.TrendFigure.as_view(), name="figure-namespace"),
    path(f"figures/{_BOOK}", views.ReconciliationFigure.as_view(), name="figure-reconciliation"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
