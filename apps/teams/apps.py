"""Django's registration of `teams`."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "apps.teams"
    label = "teams"

    def ready(self) -> None:
        from apps.teams import addresses, keepers

        addresses.register()
        keepers.watch()
