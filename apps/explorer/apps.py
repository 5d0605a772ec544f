"""Django's registration of `explorer`."""

from django.apps import AppConfig


class ExplorerConfig(AppConfig):
    name = "apps.explorer"
    label = "explorer"

    def ready(self) -> None:
        """A view that somebody keeps of one publication goes on showing it."""
        from apps.explorer import selectors  # not before all apps are there
        from apps.marts import keeping

        keeping.rest("views", selectors.pinned_by_views)
