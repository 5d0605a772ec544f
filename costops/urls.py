"""Addresses: pages at the root, REST under /api/, the admin apart."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/", include("apps.api.urls")),
    path("mcp/", include("apps.assistants.urls")),
    path("mcp", include("apps.assistants.urls")),  # as clients spell it: what is posted is not sent on
    path("reports/", include("apps.reports.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("apps.dashboards.urls")),
    path("", include("apps.signin.urls")),
]

handler400 = "apps.api.failures.bad_request"
handler403 = "apps.api.failures.permission_denied"
handler404 = "apps.api.failures.page_not_found"
handler500 = "apps.api.failures.server_error"
