"""Addresses for machines that watch the installation; they ask without a slash at the end.

`ForMachines` answers them before anything asks for a host name or https: machines come by the addresses of pods.
"""

from django.urls import path

from apps.monitoring import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
