"""Django's registration of `signin`, and what follows from a sign-in and from a changed second factor."""

from typing import Any

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "apps.signin"
    label = "signin"

    def ready(self) -> None:
        from allauth.account.decorators import secure_admin_login
        from allauth.mfa import signals
        from django.contrib import admin
        from django.contrib.auth.signals import user_logged_in

        from apps.signin import sessions

        # Libraries tell of these by signals only.
        user_logged_in.connect(sessions.begin, dispatch_uid="signin-begin")
        for changed in (signals.authenticator_added, signals.authenticator_removed, signals.authenticator_reset):
            changed.connect(sessions.end_others, dispatch_uid=f"signin-{id(changed)}")
        site: Any = admin.site  # its sign-in is ours: the same limits, the same second factor
        site.login = secure_admin_login(site.login)
