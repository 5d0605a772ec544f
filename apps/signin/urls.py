"""Addresses of signing in; `login` and `logout` themselves stand among the pages, under the names these repeat."""

from allauth.account import views as account
from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from apps.signin import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("logout/", LogoutView.as_view(), name="account_logout"),
    path("signin/inactive/", account.account_inactive, name="account_inactive"),
    path("signin/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("signin/password/", views.ChangePassword.as_view(), name="account_change_password"),
    path("signin/devices/", views.Devices.as_view(), name="usersessions_list"),
    path("signin/second-factor/", views.SecondFactor.as_view(), name="mfa_index"),
    path("signin/second-factor/webauthn/login/", views.Passkey.as_view(), name="mfa_login_webauthn"),
    path("signin/second-factor/", include("allauth.mfa.urls")),
    path("signin/closed/", views.closed, name="socialaccount_signup"),
    path("signin/closed/", views.closed, name="socialaccount_login_cancelled"),
    path("signin/oidc/<slug:provider_id>/", views.begin, name="openid_connect_login"),
    path("signin/oidc/<slug:provider_id>/back/", views.come_back, name="openid_connect_callback"),
]
if settings.COSTOPS_SSO_SAML:
    urlpatterns.append(path("signin/", include("allauth.socialaccount.providers.saml.urls")))
