"""The addresses of an installation that names a provider of SAML."""

from django.urls import include, path

urlpatterns = [path("signin/", include("allauth.socialaccount.providers.saml.urls")), path("", include("costops.urls"))]
