"""The addresses of the archive over the API."""

from django.urls import path

from apps.reports import api

urlpatterns = [
    path("", api.ReportsView.as_view(), name="api-reports"),
    path("<int:number>/", api.ReportView.as_view(), name="api-report"),
    path("<int:number>/parts/<str:name>/", api.ReportPartView.as_view(), name="api-report-part"),
]
