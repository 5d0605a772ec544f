"""The addresses of the reports."""

from django.urls import path

from apps.reports import views

urlpatterns = [path("weekly/<slug:team>/", views.WeeklyPreview.as_view(), name="weekly-preview")]
