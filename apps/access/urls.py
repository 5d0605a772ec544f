"""Addresses of signing in; `login` and `logout` themselves stand among the pages, under the names these repeat."""

from allauth.account import views as account
from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from apps.access import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("logout/", LogoutView.as_view(), name="account_logout"),
    path("access/inactive/", account.account_inactive, name="account_inactive"),
    path("access/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("access/password/", views.ChangePassword.as_view(), name="account_change_password"),
    path("access/devices/", views.Devices.as_view(), name="usersessions_list"),
    path("access/second-factor/", views.SecondFactor.as_view(), name="mfa_index"),
    path("access/second-factor/", include("allauth.mfa.urls")),
    path("access/closed/", views.closed, name="socialaccount_signup"),
    path("access/closed/", views.closed, name="socialaccount_login_cancelled"),
    path("access/oidc/<slug:provider_id>/", views.begin, name="openid_connect_login"),
    path("access/oidc/<slug:provider_id>/back/", views.come_back, name="openid_connect_callback"),
]
if settings.COSTOPS_SSO_SAML:
    urlpatterns.append(path("access/", include("allauth.socialaccount.providers.saml.urls")))
