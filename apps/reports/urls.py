"""The addresses of the reports."""

from django.urls import path

from apps.reports import archive_views, subscription_views, views

urlpatterns = [
    path("", archive_views.Archive.as_view(), name="reports"),
    path("letters/<int:number>/", archive_views.OneLetter.as_view(), name="report-letter"),
    path("letters/<int:number>/page/", archive_views.LetterPage.as_view(), name="report-page"),
    path("letters/<int:number>/parts/<str:name>", archive_views.LetterPart.as_view(), name="report-part"),
    path("weekly/<slug:team>/", views.WeeklyPreview.as_view(), name="weekly-preview"),
    path("company/<slug:report>/", views.CompanyPreview.as_view(), name="company-preview"),
    path("subscriptions/", subscription_views.Subscriptions.as_view(), name="report-subscriptions"),
    path("unsubscribe/<str:token>/", subscription_views.Unsubscribe.as_view(), name="report-unsubscribe"),
]
